package protocol

import (
	"fmt"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
)

// Protobuf is the binary form: messages with their length in front.
type Protobuf struct{}

// Name is "protobuf".
func (Protobuf) Name() string { return "protobuf" }

// Separator is empty: every message begins with its length.
func (Protobuf) Separator() string { return "" }

// Commands decodes length-delimited commands.
func (Protobuf) Commands(frame []byte) iter.Seq2[*Command, error] {
	return func(yield func(*Command, error) bool) {
		if len(frame) == 0 {
			yield(nil, ErrEmptyFrame)
			return
		}
		for len(frame) > 0 {
			msg, n := protowire.ConsumeBytes(frame)
			if n < 0 {
				yield(nil, fmt.Errorf("%w: %w", errWire, protowire.ParseError(n)))
				return
			}
			frame = frame[n:]
			cmd := new(Command)
			err := eachField(msg, cmd.field)
			if !yield(cmd, err) || err != nil {
				return
			}
		}
	}
}

// AppendReply appends the reply with its length in front. It never fails.
func (Protobuf) AppendReply(dst []byte, r *Reply) ([]byte, error) {
	return appendSized(dst, r.appendTo), nil
}

// Emulation decodes an EmulationRequest message without a length in front.
func (Protobuf) Emulation(body []byte) (EmulationRequest, error) {
	var req EmulationRequest
	err := eachField(body, func(f field) error {
		switch f.num {
		case 1:
			return f.text(&req.Node)
		case 2:
			return f.text(&req.Session)
		case 3:
			return f.raw((*Raw)(&req.Data))
		}
		return nil
	})
	return req, err
}
