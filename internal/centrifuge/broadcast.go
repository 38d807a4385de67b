package centrifuge

import "github.com/tolmach/tolmach/internal/centrifuge/protocol"

// wireForm tells the codecs apart in a broadcast.
type wireForm uint8

const (
	formJSON wireForm = iota
	formProtobuf
	wireForms
)

func (f wireForm) codec() protocol.Codec {
	if f == formProtobuf {
		return protocol.Protobuf{}
	}
	return protocol.JSON{}
}

// broadcast is a reply for many connections, encoded once per wire form and
// only for those that are asked for. It is used by one goroutine.
type broadcast struct {
	reply   protocol.Reply
	offset  uint64 // of a publication
	encoded [wireForms]struct {
		msg  []byte
		err  error
		done bool
	}
}

func (b *broadcast) in(form wireForm) ([]byte, error) {
	e := &b.encoded[form]
	if !e.done {
		e.msg, e.err = form.codec().AppendReply(nil, &b.reply)
		e.done = true
	}
	return e.msg, e.err
}
