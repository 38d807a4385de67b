package engineio

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// separator stands between the packets of a protocol 4 payload.
const separator = 0x1e

var (
	errUTF8    = errors.New("engineio: payload is not UTF-8")
	errPayload = errors.New("engineio: payload is malformed")
)

// walkPayload decodes the body of a polling request and hands its packets over one by one, so that a body of a million
// empty packets costs no memory. It stops at the first error, its own or one of yield.
func walkPayload(protocol int, body []byte, yield func(packet) error) error {
	if len(body) == 0 {
		return errEmptyPacket
	}
	switch {
	case protocol == 4:
		return walkSeparated(body, yield)
	case body[0] <= 1:
		return walkFramed(body, yield)
	default:
		return walkCounted(body, yield)
	}
}

// walkSeparated reads packets joined by the record separator (Engine.IO 4, "Packet encoding").
func walkSeparated(body []byte, yield func(packet) error) error {
	if !utf8.Valid(body) {
		return errUTF8
	}
	for more := true; more; {
		var raw []byte
		raw, body, more = bytes.Cut(body, []byte{separator})
		p, err := decodeText(4, raw)
		if err != nil {
			return err
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}
