package websocket

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// Opcode is the kind of a data frame.
type Opcode byte

// The opcodes of data frames.
const (
	Text   = Opcode(ws.OpText)
	Binary = Opcode(ws.OpBinary)
)

// Append writes one whole unmasked frame, its payload given in parts, to dst. The frame depends on nothing of a
// connection, so that one encoding serves every receiver.
func Append(dst []byte, op Opcode, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if dst == nil {
		dst = make([]byte, 0, size+ws.MaxHeaderSize)
	}
	dst = append(dst, 0x80|byte(op))
	switch {
	case size < 126:
		dst = append(dst, byte(size))
	case size <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(size))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(size))
	}
	for _, part := range parts {
		dst = append(dst, part...)
	}
	return dst
}
