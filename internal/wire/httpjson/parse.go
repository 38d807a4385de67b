package httpjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// MaxDepth is how deep objects and arrays may nest, the outermost included.
const MaxDepth = 32

// Fields is one JSON object. Its values are string, json.Number (as written,
// never rounded), bool, nil, []any and map[string]any.
type Fields map[string]any

// Parse decodes a body that must be exactly one JSON object; an empty body is
// an object without fields. Errors: CodeInvalid, naming the top-level field
// where there is one, for anything else, a key that comes twice, nesting over
// MaxDepth, and NUL characters, which no store can keep.
func Parse(body []byte) (Fields, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return Fields{}, nil
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(body))}
	p.dec.UseNumber()
	value, err := p.value(1)
	if err == nil {
		_, err = p.dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			err = nil
		case err == nil:
			err = p.invalid("there is more after the end of the JSON object")
		}
	}
	if err != nil {
		return nil, p.explain(err)
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, p.invalid("the body is not a JSON object")
	}
	return fields, nil
}

// parser walks the tokens of one body; field is the top-level key it is in.
type parser struct {
	dec   *json.Decoder
	field string
}

func (p *parser) invalid(format string, args ...any) error {
	return chat.Invalid(p.field, format, args...)
}

// explain gives an error of the decoder a place in the body.
func (p *parser) explain(err error) error {
	var known *chat.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return p.invalid("the JSON ends too early, after %d bytes", p.dec.InputOffset())
	}
	return &chat.Error{
		Code: chat.CodeInvalid, Field: p.field, Err: err,
		Message: "the body is not JSON: it can't be read near byte " + chat.ID(p.dec.InputOffset()).String(),
	}
}

func (p *parser) value(depth int) (any, error) {
	token, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth > MaxDepth {
			return nil, p.invalid("the JSON is nested deeper than %d levels", MaxDepth)
		}
		if t == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case string:
		return t, p.checkText(t)
	default:
		return token, nil
	}
}

func (p *parser) object(depth int) (map[string]any, error) {
	object := map[string]any{}
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, p.invalid("a key of the JSON is not a string")
		}
		if err := p.checkText(key); err != nil {
			return nil, err
		}
		if depth == 1 {
			p.field = key
		}
		if _, twice := object[key]; twice {
			return nil, p.invalid("a key comes twice in one object; send it once")
		}
		if object[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	if depth == 1 {
		p.field = ""
	}
	_, err := p.dec.Token() // the closing brace
	return object, err
}

func (p *parser) array(depth int) ([]any, error) {
	list := []any{}
	for p.dec.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := p.dec.Token() // the closing bracket
	return list, err
}

func (p *parser) checkText(text string) error {
	if strings.ContainsRune(text, 0) {
		return p.invalid("a text has a NUL character; leave it out")
	}
	return nil
}
