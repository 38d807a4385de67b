package engineio

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/engineio/websocket"
)

// Message is something to send. It may be sent to any number of connections at the same time: it is encoded once for each
// kind of wire, whoever asks first. The bytes it was made of must not change afterwards.
type Message struct {
	kind   packetType
	binary bool
	json   bool
	data   []byte
	wires  [wireKinds]atomic.Pointer[[]byte]
}

// Text makes a message of UTF-8 text. A text with the byte 0x1e cannot travel by protocol 4 polling: Send refuses it there.
func Text(data []byte) *Message { return &Message{kind: packetMessage, data: data} }

// JSON makes a text message whose characters beyond ASCII all stand inside JSON strings. Over protocol 3 polling they
// are escaped, so that clients which count differently agree on its length (specs/live.md §2.2).
func JSON(data []byte) *Message { return &Message{kind: packetMessage, data: data, json: true} }

// Binary makes a message of bytes.
func Binary(data []byte) *Message { return &Message{kind: packetMessage, data: data, binary: true} }

func control(kind packetType, data []byte) *Message { return &Message{kind: kind, data: data} }

// Size is what the message counts for in a queue, in bytes.
func (m *Message) Size() int { return len(m.data) + messageOverhead }

// messageOverhead stands for the header and the bookkeeping of a queued message, so that empty ones are not free.
const messageOverhead = 64

// wire is a way of writing packets.
type wire uint8

const (
	wirePolling3 wire = iota
	wirePolling4
	wireSocket3
	wireSocket4
	wireSocket3Base64 // a WebSocket client that asked for b64=1
	wireSocket4Base64
	wireKinds
)

// encoded is the message as that wire carries it: a whole WebSocket frame, or one slot of a payload.
func (m *Message) encoded(w wire) []byte {
	if done := m.wires[w].Load(); done != nil {
		return *done
	}
	raw := m.encode(w)
	m.wires[w].Store(&raw)
	return raw
}

func (m *Message) encode(w wire) []byte {
	switch w {
	case wirePolling3:
		raw := m.text(3)
		if m.json {
			raw = escapeJSON(raw)
		}
		counted := strconv.AppendInt(make([]byte, 0, len(raw)+maxDigits), int64(utf16Len(raw)), 10)
		return append(append(counted, ':'), raw...)
	case wirePolling4:
		return m.text(4)
	case wireSocket3:
		return m.frame(3)
	case wireSocket4:
		return m.frame(4)
	case wireSocket3Base64:
		return websocket.Append(nil, websocket.Text, m.text(3))
	default:
		return websocket.Append(nil, websocket.Text, m.text(4))
	}
}

// text is the packet as text, with binary data in base64.
func (m *Message) text(protocol int) []byte {
	if !m.binary {
		return append([]byte{byte(m.kind)}, m.data...)
	}
	raw := []byte{base64Mark}
	if protocol == 3 {
		raw = append(raw, byte(m.kind))
	}
	return base64.StdEncoding.AppendEncode(raw, m.data)
}

func (m *Message) frame(protocol int) []byte {
	switch {
	case !m.binary:
		return websocket.Append(nil, websocket.Text, []byte{byte(m.kind)}, m.data)
	case protocol == 3:
		return websocket.Append(nil, websocket.Binary, []byte{byte(m.kind - packetOpen)}, m.data)
	default:
		return websocket.Append(nil, websocket.Binary, m.data)
	}
}

// fits says whether the message can travel by that wire at all.
func (m *Message) fits(w wire) bool {
	return w != wirePolling4 || m.binary || bytes.IndexByte(m.data, separator) < 0
}

func utf16Len(text []byte) int {
	n := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		n += utf16Width(r)
		i += size
	}
	return n
}
