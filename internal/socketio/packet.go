package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// packetType is the first character of a packet. Revision 4 calls connectError "ERROR".
type packetType byte

const (
	packetConnect      packetType = '0'
	packetDisconnect   packetType = '1'
	packetEvent        packetType = '2'
	packetAck          packetType = '3'
	packetConnectError packetType = '4'
	packetBinaryEvent  packetType = '5'
	packetBinaryAck    packetType = '6'
)

const (
	root        = "/"
	maxIDDigits = 15 // what a JavaScript number counts exactly
)

// packet is one decoded packet, its attachments still to come.
type packet struct {
	kind        packetType
	attachments int
	namespace   string
	query       string // revision 4 may put one behind the namespace
	id          uint64
	hasID       bool
	body        []byte // JSON, or empty
}

var (
	errType        = errors.New("socketio: unknown packet type")
	errAttachments = errors.New("socketio: malformed or excessive number of attachments")
	errNamespace   = errors.New("socketio: namespace too long")
	errID          = errors.New("socketio: acknowledgement id too long or missing")
	errBody        = errors.New("socketio: payload does not suit the packet type")
)

// decodePacket reads the text of a packet (Socket.IO 5, "Format") and checks its payload against its type.
func decodePacket(text []byte, limits Config) (packet, error) {
	if len(text) == 0 || text[0] < byte(packetConnect) || text[0] > byte(packetBinaryAck) {
		return packet{}, errType
	}
	p := packet{kind: packetType(text[0]), namespace: root}
	rest, err := p.readAttachments(text[1:], limits.MaxAttachments)
	if err != nil {
		return packet{}, err
	}
	if rest, err = p.readNamespace(rest, limits.MaxNamespaceLength); err != nil {
		return packet{}, err
	}
	if p.body, err = p.readID(rest); err != nil {
		return packet{}, err
	}
	return p, p.check()
}

func (p *packet) binary() bool { return p.kind == packetBinaryEvent || p.kind == packetBinaryAck }

func (p *packet) readAttachments(text []byte, limit int) ([]byte, error) {
	if !p.binary() {
		return text, nil
	}
	digits, rest, found := bytes.Cut(text, []byte{'-'})
	if !found || countDigits(digits) != len(digits) || len(digits) == 0 || len(digits) > maxIDDigits {
		return nil, errAttachments
	}
	n, err := strconv.Atoi(string(digits))
	if err != nil || n > limit {
		return nil, errAttachments
	}
	p.attachments = n
	return rest, nil
}

func (p *packet) readNamespace(text []byte, limit int) ([]byte, error) {
	if len(text) == 0 || text[0] != '/' {
		return text, nil
	}
	name, rest, _ := bytes.Cut(text, []byte{','})
	if len(name) > limit {
		return nil, errNamespace
	}
	p.namespace, p.query, _ = strings.Cut(string(name), "?")
	return rest, nil
}

func (p *packet) readID(text []byte) ([]byte, error) {
	n := countDigits(text)
	if n == 0 {
		return text, nil
	}
	if n > maxIDDigits {
		return nil, errID
	}
	id, err := strconv.ParseUint(string(text[:n]), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errID, err)
	}
	p.id, p.hasID = id, true
	return text[n:], nil
}

func countDigits(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// check holds the payload against the type. Arrays are checked where they are split.
func (p *packet) check() error {
	ok := true
	switch p.kind {
	case packetConnect:
		ok = len(p.body) == 0 || p.body[0] == '{' && json.Valid(p.body)
	case packetDisconnect:
		ok = len(p.body) == 0
	case packetConnectError: // servers alone send it
		ok = false
	case packetAck, packetBinaryAck:
		if !p.hasID {
			return errID
		}
	}
	if !ok {
		return errBody
	}
	return nil
}

// splitArray reads the payload of an event or an acknowledgement.
func splitArray(body []byte) ([]json.RawMessage, error) {
	if len(body) == 0 || body[0] != '[' {
		return nil, errBody
	}
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	return items, nil
}

// splitEvent takes the name off the front of an event's payload: a string, or a number as its text.
func splitEvent(body []byte) (string, []json.RawMessage, error) {
	items, err := splitArray(body)
	if err != nil {
		return "", nil, err
	}
	if len(items) == 0 {
		return "", nil, errBody
	}
	var name string
	if items[0][0] == '"' {
		if err := json.Unmarshal(items[0], &name); err != nil {
			return "", nil, fmt.Errorf("%w: %w", errBody, err)
		}
		return name, items[1:], nil
	}
	var number json.Number
	if err := json.Unmarshal(items[0], &number); err != nil || number == "" {
		return "", nil, errBody
	}
	return number.String(), items[1:], nil
}

// encodePacket writes the text of a packet.
func encodePacket(p packet) []byte {
	out := make([]byte, 0, len(p.body)+len(p.namespace)+24)
	out = append(out, byte(p.kind))
	if p.binary() {
		out = append(strconv.AppendInt(out, int64(p.attachments), 10), '-')
	}
	if p.namespace != root {
		out = append(append(out, p.namespace...), ',')
	}
	if p.hasID {
		out = strconv.AppendUint(out, p.id, 10)
	}
	return append(out, p.body...)
}
