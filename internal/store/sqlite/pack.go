package sqlite

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// packer turns a row's structure into a text and back: smaller than the
// structure, one thing for the garbage collector to look at, and nothing that
// who unpacked it shares with anybody. What comes back is what the database
// would have given: maps and lists have been through JSON, an empty map is
// there, an empty list is nil.
type packer[T any] struct {
	fields  [][]int // the path to every field that is no structure
	fixed   int     // so many of them, the first, never change
	scratch []byte
}

func newPacker[T any](fixed int) *packer[T] {
	return &packer[T]{fields: leaves(reflect.TypeFor[T](), nil), fixed: fixed}
}

// leaves lists the paths to the fields of a structure and of those in it.
func leaves(t reflect.Type, path []int) [][]int {
	var all [][]int
	for i := range t.NumField() {
		to := append(append([]int(nil), path...), i)
		if t.Field(i).Type.Kind() == reflect.Struct {
			all = append(all, leaves(t.Field(i).Type, to)...)
		} else {
			all = append(all, to)
		}
	}
	return all
}

// at follows a path, which is one step long mostly.
func at(v reflect.Value, path []int) reflect.Value {
	for _, i := range path {
		v = v.Field(i)
	}
	return v
}

// pack returns the text and the length of its part that never changes.
func (p *packer[T]) pack(from *T) (packed string, fixed int, err error) {
	p.scratch = p.scratch[:0]
	v := reflect.ValueOf(from).Elem()
	for i, path := range p.fields {
		if i == p.fixed {
			fixed = len(p.scratch)
		}
		switch f := at(v, path); {
		case f.CanInt():
			p.scratch = binary.AppendVarint(p.scratch, f.Int())
		case f.CanUint():
			p.scratch = binary.AppendUvarint(p.scratch, f.Uint())
		case f.Kind() == reflect.String:
			p.scratch = appendText(p.scratch, f.String())
		default:
			text, err := textOf(f)
			if err != nil {
				return "", 0, err
			}
			p.scratch = appendText(p.scratch, text)
		}
	}
	return string(p.scratch), fixed, nil
}

func appendText[S string | []byte](to []byte, text S) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// textOf is a map or a list as a column holds it, nothing when it is empty.
func textOf(f reflect.Value) ([]byte, error) {
	switch f.Kind() {
	case reflect.Map, reflect.Slice:
	default:
		return nil, fmt.Errorf("a %s can't be packed", f.Type())
	}
	if f.Len() == 0 {
		return nil, nil
	}
	if f.Type().Elem().Kind() == reflect.Uint8 {
		return f.Bytes(), nil
	}
	return json.Marshal(f.Interface())
}

var errPacked = errors.New("a packed row is cut short")

func (p *packer[T]) unpack(packed string) (*T, error) {
	into := new(T)
	v := reflect.ValueOf(into).Elem()
	rest := []byte(packed)
	for _, path := range p.fields {
		f := at(v, path)
		n, used := binary.Uvarint(rest)
		if used <= 0 {
			return nil, errPacked
		}
		rest = rest[used:]
		switch {
		case f.CanInt():
			f.SetInt(int64(n>>1) ^ -int64(n&1)) // what AppendVarint did to it
			continue
		case f.CanUint():
			f.SetUint(n)
			continue
		}
		if n > uint64(len(rest)) {
			return nil, errPacked
		}
		if err := setText(f, rest[:n]); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return into, nil
}

func setText(f reflect.Value, text []byte) error {
	switch kind := f.Kind(); {
	case kind == reflect.String:
		f.SetString(string(text))
	case kind == reflect.Map && len(text) == 0:
		f.Set(reflect.MakeMap(f.Type()))
	case len(text) == 0:
	case kind == reflect.Slice && f.Type().Elem().Kind() == reflect.Uint8:
		f.SetBytes(append([]byte(nil), text...))
	default:
		return json.Unmarshal(text, f.Addr().Interface())
	}
	return nil
}
