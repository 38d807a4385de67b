package engineio

import "unicode/utf8"

// endOfLength closes the digits of a framed length.
const endOfLength = 0xff

// walkFramed reads the binary framing of Engine.IO 3 ("Payload", XHR2): a byte 0 for text or 1 for binary, the decimal
// digits of the length as bytes 0 to 9, 0xff, the packet. Python clients post everything this way (specs/live.md §2.3).
func walkFramed(body []byte, yield func(packet) error) error {
	for len(body) > 0 {
		binary, raw, rest, ok := cutFramed(body)
		if !ok {
			return errPayload
		}
		p, err := decodeFramed(binary, raw)
		if err != nil {
			return err
		}
		if err := yield(p); err != nil {
			return err
		}
		body = rest
	}
	return nil
}

func decodeFramed(binary bool, raw []byte) (packet, error) {
	if binary {
		return decodeBinary(3, raw)
	}
	if !utf8.Valid(raw) {
		return packet{}, errUTF8
	}
	return decodeText(3, raw)
}

func cutFramed(body []byte) (binary bool, raw, rest []byte, ok bool) {
	if body[0] > 1 {
		return false, nil, nil, false
	}
	binary, body = body[0] == 1, body[1:]
	size, digits := 0, 0
	for digits < len(body) && digits <= maxDigits && body[digits] <= 9 {
		size = size*10 + int(body[digits])
		digits++
	}
	if digits == 0 || digits > maxDigits || digits == len(body) || body[digits] != endOfLength {
		return false, nil, nil, false
	}
	body = body[digits+1:]
	if size > len(body) {
		return false, nil, nil, false
	}
	return binary, body[:size], body[size:], true
}
