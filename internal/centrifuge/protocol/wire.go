package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

var errWire = errors.New("protocol: malformed Protobuf")

// field is one field of a message as it stands on the wire. Its readers store
// the value and treat a wire type the schema does not have as an unknown field.
type field struct {
	num    int
	typ    protowire.Type
	varint uint64
	bytes  []byte
}

// eachField calls visit for every field of a message, the unknown ones too.
func eachField(msg []byte, visit func(field) error) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return fmt.Errorf("%w: %w", errWire, protowire.ParseError(n))
		}
		msg = msg[n:]
		f := field{num: int(num), typ: typ}
		switch typ {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(msg)
		default:
			n = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", errWire, protowire.ParseError(n))
		}
		msg = msg[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

func (f field) text(dst *string) error {
	if f.typ != protowire.BytesType {
		return nil
	}
	if !utf8.Valid(f.bytes) {
		return fmt.Errorf("%w: field %d is not UTF-8", errWire, f.num)
	}
	*dst = string(f.bytes)
	return nil
}

func (f field) raw(dst *Raw) error {
	if f.typ == protowire.BytesType {
		*dst = bytes.Clone(f.bytes)
	}
	return nil
}

func (f field) number(store func(uint64)) error {
	if f.typ == protowire.VarintType {
		store(f.varint)
	}
	return nil
}

func (f field) flag(dst *bool) error {
	return f.number(func(v uint64) { *dst = v != 0 })
}

// message decodes an embedded message into *dst; a field met twice is merged,
// as Protobuf wants it.
func message[T any](f field, dst **T, decode func(*T, field) error) error {
	if f.typ != protowire.BytesType {
		return nil
	}
	if *dst == nil {
		*dst = new(T)
	}
	return eachField(f.bytes, func(inner field) error { return decode(*dst, inner) })
}

// mapEntry decodes an entry of a map field: its key is field 1, its value is
// whatever decode makes of field 2.
func mapEntry(f field, decode func(field) error) (key string, ok bool, err error) {
	if f.typ != protowire.BytesType {
		return "", false, nil
	}
	err = eachField(f.bytes, func(inner field) error {
		switch inner.num {
		case 1:
			return inner.text(&key)
		case 2:
			return decode(inner)
		}
		return nil
	})
	return key, err == nil, err
}

func appendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func appendRaw(b []byte, num protowire.Number, r Raw) []byte {
	if len(r) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), r)
}

func appendNumber(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func appendFlag(b []byte, num protowire.Number, v bool) []byte {
	return appendNumber(b, num, protowire.EncodeBool(v))
}

// appendMessage appends *m as an embedded message, nothing for nil.
func appendMessage[T any](b []byte, num protowire.Number, m *T, body func([]byte, *T) []byte) []byte {
	if m == nil {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return appendSized(b, func(b []byte) []byte { return body(b, m) })
}

// appendMap appends a map of messages, sorted by key so that equal maps have
// equal bytes.
func appendMap[T any](b []byte, num protowire.Number, m map[string]*T, body func([]byte, *T) []byte) []byte {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = protowire.AppendTag(b, num, protowire.BytesType)
		b = appendSized(b, func(b []byte) []byte {
			return appendMessage(appendText(b, 1, key), 2, m[key], body)
		})
	}
	return b
}

// appendSized appends what body appends, with its length in front. The length
// is put in afterwards, which moves the body by a byte or two and spares a
// buffer of its own.
func appendSized(b []byte, body func([]byte) []byte) []byte {
	start := len(b)
	b = body(b)
	var size [10]byte
	return slices.Insert(b, start, protowire.AppendVarint(size[:0], uint64(len(b)-start))...)
}
