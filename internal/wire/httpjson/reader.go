package httpjson

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// Reader takes typed fields out of an object. It remembers the first mistake,
// so that a handler reads all its fields and asks Err once. null counts as
// absent.
type Reader struct {
	fields Fields
	known  map[string]bool
	err    error
}

// NewReader reads the fields.
func NewReader(fields Fields) *Reader { return &Reader{fields: fields, known: map[string]bool{}} }

// Err is the first mistake: a wrong type, or a field that nobody asked for.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	unknown := ""
	for name := range r.fields {
		if !r.known[name] && (unknown == "" || name < unknown) {
			unknown = name
		}
	}
	if unknown == "" {
		return nil
	}
	return chat.Invalid(unknown, "there is no such field here; check its spelling")
}

func (r *Reader) fail(name, want string) {
	if r.err == nil {
		r.err = chat.Invalid(name, "%s", want)
	}
}

func (r *Reader) take(name string) any {
	r.known[name] = true
	return r.fields[name]
}

// Text returns a string, "" when it is absent.
func (r *Reader) Text(name string) string {
	switch v := r.take(name).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		r.fail(name, "must be a string")
		return ""
	}
}

// Bool returns a boolean, nil when it is absent.
func (r *Reader) Bool(name string) *bool {
	switch v := r.take(name).(type) {
	case nil:
		return nil
	case bool:
		return &v
	default:
		r.fail(name, "must be true or false")
		return nil
	}
}

// Integer returns a whole number from 0 to 2^53-1, 0 when it is absent.
func (r *Reader) Integer(name string) int64 {
	v := r.take(name)
	if v == nil {
		return 0
	}
	number, ok := v.(json.Number)
	if !ok {
		r.fail(name, "must be a number")
		return 0
	}
	n, err := ParseInteger(number.String())
	if err != nil {
		r.fail(name, err.Error())
	}
	return n
}

// Moment returns a time written as RFC 3339, 0 when it is absent.
func (r *Reader) Moment(name string) chat.Micros {
	text := r.Text(name)
	if text == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 {
		r.fail(name, "must be a time such as 2026-01-31T12:00:00Z")
		return 0
	}
	return chat.MicrosOf(t)
}

// Flags returns all fields as booleans by name, and makes each a known one.
func (r *Reader) Flags() map[string]bool {
	flags := map[string]bool{}
	for name := range r.fields {
		if v := r.Bool(name); v != nil {
			flags[name] = *v
		} else {
			r.fail(name, "must be true or false")
		}
	}
	return flags
}

// ParseInteger reads a whole number from 0 to 2^53-1, the range of ids and
// positions. The error's text says what is wanted.
func ParseInteger(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, chat.Errorf(chat.CodeInvalid, "must be a whole number from 0 to 9007199254740991")
	}
	return int64(n), nil
}
