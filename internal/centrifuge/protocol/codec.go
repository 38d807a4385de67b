package protocol

import "iter"

// Codec is one wire form of the protocol. It keeps no state.
type Codec interface {
	// Name is the word the wire form goes by in subprotocols and queries: "json"
	// or "protobuf".
	Name() string
	// Separator stands between two encoded replies of one frame.
	Separator() string
	// Commands decodes a frame command by command and stops after the first
	// error. A frame without commands yields ErrEmptyFrame. What it yields keeps
	// no reference to frame.
	Commands(frame []byte) iter.Seq2[*Command, error]
	// AppendReply appends one encoded reply to dst. It fails with ErrNotJSON when
	// a payload can't be written in this wire form; dst is then returned as it
	// was.
	AppendReply(dst []byte, r *Reply) ([]byte, error)
	// Emulation decodes the body of a POST to the emulation endpoint.
	Emulation(body []byte) (EmulationRequest, error)
}
