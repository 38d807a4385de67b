package engineio

import "unicode/utf8"

// maxDigits bounds a length prefix: eight digits hold more than any payload may have.
const maxDigits = 8

// walkCounted reads "length:packet" pairs (Engine.IO 3, "Payload"). JavaScript counts UTF-16 units, other languages count
// runes; both are tried, and the first under which the whole body parses is right (specs/live.md §2.2).
func walkCounted(body []byte, yield func(packet) error) error {
	if !utf8.Valid(body) {
		return errUTF8
	}
	width := utf16Width
	if !countsFit(body, utf16Width) {
		width = runeWidth
	}
	for len(body) > 0 {
		raw, rest, ok := cutCounted(body, width)
		if !ok {
			return errPayload
		}
		p, err := decodeText(3, raw)
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

func countsFit(body []byte, width func(rune) int) bool {
	for len(body) > 0 {
		_, rest, ok := cutCounted(body, width)
		if !ok {
			return false
		}
		body = rest
	}
	return true
}

func runeWidth(rune) int { return 1 }

func utf16Width(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// cutCounted splits the first packet off. A rune that straddles the counted end is an error.
func cutCounted(body []byte, width func(rune) int) (raw, rest []byte, ok bool) {
	units, digits := 0, 0
	for digits < len(body) && digits <= maxDigits && body[digits] >= '0' && body[digits] <= '9' {
		units = units*10 + int(body[digits]-'0')
		digits++
	}
	if digits == 0 || digits > maxDigits || digits == len(body) || body[digits] != ':' {
		return nil, nil, false
	}
	body = body[digits+1:]
	end := 0
	for units > 0 && end < len(body) {
		r, size := utf8.DecodeRune(body[end:])
		units -= width(r)
		end += size
	}
	if units != 0 {
		return nil, nil, false
	}
	return body[:end], body[end:], true
}
