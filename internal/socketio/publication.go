package socketio

import (
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/engineio"
)

// publication is one event on its way to any number of sockets: its JSON is written once, its packet once for each
// spelling of the namespace, its frames once for each kind of wire. One goroutine uses it.
type publication struct {
	kind        packetType
	id          uint64
	hasID       bool
	body        []byte
	attachments int
	binary      []*engineio.Message
	spelled     []spelling
}

type spelling struct {
	namespace string
	offset    string
	messages  []*engineio.Message
}

func newEvent(name string, args []any) (*publication, error) {
	return newPublication(packetEvent, name, args)
}

func newPublication(kind packetType, name string, args []any) (*publication, error) {
	body, attachments, err := encodeArgs(name, args)
	if err != nil {
		return nil, err
	}
	p := &publication{kind: kind, body: body, attachments: len(attachments)}
	for _, data := range attachments {
		p.binary = append(p.binary, engineio.Binary(data))
	}
	if len(attachments) > 0 {
		p.kind += packetBinaryEvent - packetEvent
	}
	return p, nil
}

// messages are the packets for a socket that calls the namespace so. An offset, if any, joins the arguments.
func (p *publication) messages(namespace, offset string) []*engineio.Message {
	for _, s := range p.spelled {
		if s.namespace == namespace && s.offset == offset {
			return s.messages
		}
	}
	body := p.body
	if offset != "" { // offsets are plain ASCII without anything to escape
		body = append(body[:len(body)-1:len(body)-1], `,"`+offset+`"]`...)
	}
	text := encodePacket(packet{
		kind: p.kind, attachments: p.attachments, namespace: namespace, id: p.id, hasID: p.hasID, body: body,
	})
	messages := append([]*engineio.Message{textMessage(namespace, text)}, p.binary...)
	p.spelled = append(p.spelled, spelling{namespace, offset, messages})
	return messages
}

// textMessage makes the message of a packet. Only inside JSON may a polling transport escape what is not ASCII.
func textMessage(namespace string, text []byte) *engineio.Message {
	for i := range len(namespace) {
		if namespace[i] >= utf8.RuneSelf {
			return engineio.Text(text)
		}
	}
	return engineio.JSON(text)
}
