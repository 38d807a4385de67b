package engineio

import (
	"encoding/base64"
	"errors"
)

// packetType is the first character of a packet on the wire.
type packetType byte

const (
	packetOpen    packetType = '0'
	packetClose   packetType = '1'
	packetPing    packetType = '2'
	packetPong    packetType = '3'
	packetMessage packetType = '4'
	packetUpgrade packetType = '5'
	packetNoop    packetType = '6'
)

// base64Mark opens a binary packet that had to travel as text.
const base64Mark = 'b'

// packet is one decoded unit of the protocol. Binary packets are messages in protocol 4 and may be anything in protocol 3.
type packet struct {
	kind   packetType
	binary bool
	data   []byte
}

var (
	errEmptyPacket = errors.New("engineio: empty packet")
	errPacketType  = errors.New("engineio: unknown packet type")
	errBase64      = errors.New("engineio: binary packet is not base64")
)

// decodeText reads a packet from a text frame, or from one slot of a text payload.
func decodeText(protocol int, raw []byte) (packet, error) {
	if len(raw) == 0 {
		return packet{}, errEmptyPacket
	}
	if raw[0] == base64Mark {
		return decodeBase64(protocol, raw[1:])
	}
	kind := packetType(raw[0])
	if kind < packetOpen || kind > packetNoop {
		return packet{}, errPacketType
	}
	return packet{kind: kind, data: raw[1:]}, nil
}

func decodeBase64(protocol int, raw []byte) (packet, error) {
	p := packet{kind: packetMessage, binary: true}
	if protocol == 3 {
		if len(raw) == 0 {
			return packet{}, errEmptyPacket
		}
		p.kind = packetType(raw[0])
		if p.kind < packetOpen || p.kind > packetNoop {
			return packet{}, errPacketType
		}
		raw = raw[1:]
	}
	p.data = make([]byte, base64.StdEncoding.DecodedLen(len(raw)))
	n, err := base64.StdEncoding.Decode(p.data, raw)
	if err != nil {
		return packet{}, errBase64
	}
	p.data = p.data[:n]
	return p, nil
}

// decodeBinary reads a packet from a binary frame: protocol 4 sends the bytes alone, protocol 3 puts the number of the type before them.
func decodeBinary(protocol int, raw []byte) (packet, error) {
	if protocol == 4 {
		return packet{kind: packetMessage, binary: true, data: raw}, nil
	}
	if len(raw) == 0 {
		return packet{}, errEmptyPacket
	}
	if raw[0] > byte(packetNoop-packetOpen) {
		return packet{}, errPacketType
	}
	return packet{kind: packetOpen + packetType(raw[0]), binary: true, data: raw[1:]}, nil
}
