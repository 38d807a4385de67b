package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Args are the arguments of a received event or acknowledgement. They may be kept. Given to Emit or Ack they are passed on
// as they came, attachments and all.
type Args struct {
	values      []json.RawMessage
	attachments [][]byte
}

// Len is how many arguments came.
func (a Args) Len() int { return len(a.values) }

// Raw is the JSON of argument i, with placeholders where it had binary data.
func (a Args) Raw(i int) json.RawMessage { return a.values[i] }

// Attachments are the binary parts in the order of their numbers.
func (a Args) Attachments() [][]byte { return a.attachments }

// Decode fills the targets, pointers, with the first arguments. Binary data fits []byte, and any, where it becomes a
// []byte as well; numbers in an any are json.Number if the arguments have binary data and float64 otherwise. It is an
// error if there are fewer arguments than targets.
func (a Args) Decode(targets ...any) error {
	if len(targets) > len(a.values) {
		return fmt.Errorf("socketio: %d arguments came, %d are needed", len(a.values), len(targets))
	}
	for i, target := range targets {
		if err := a.decode(a.values[i], target); err != nil {
			return fmt.Errorf("socketio: argument %d: %w", i, err)
		}
	}
	return nil
}

func (a Args) decode(raw json.RawMessage, target any) error {
	if len(a.attachments) == 0 {
		return json.Unmarshal(raw, target)
	}
	tree, err := fill(raw, a.attachments)
	if err != nil {
		return err
	}
	if slot, ok := target.(*any); ok {
		*slot = tree
		return nil
	}
	filled, err := json.Marshal(tree) // []byte becomes base64, which is what []byte is read from
	if err != nil {
		return err
	}
	return json.Unmarshal(filled, target)
}

// check makes sure that every placeholder names an attachment, so that what is passed on breaks nobody's decoder.
func (a Args) check() error {
	if len(a.attachments) == 0 {
		return nil
	}
	for _, raw := range a.values {
		if _, err := fill(raw, a.attachments); err != nil {
			return err
		}
	}
	return nil
}

var errMixedArgs = errors.New("socketio: received arguments with attachments must come before other binary arguments")

// encodeArgs writes the payload of an event, or of an acknowledgement if name is empty.
func encodeArgs(name string, args []any) (body []byte, attachments [][]byte, err error) {
	var items []json.RawMessage
	if name != "" {
		if items, err = appendJSON(items, name); err != nil {
			return nil, nil, err
		}
	}
	for _, arg := range args {
		received, ok := arg.(Args)
		switch {
		case !ok:
			items, err = appendJSON(items, extract(arg, &attachments))
		case len(received.attachments) > 0 && len(attachments) > 0:
			err = errMixedArgs
		default:
			items = append(items, received.values...)
			attachments = append(attachments, received.attachments...)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	body = append([]byte{'['}, bytes.Join(rawBytes(items), []byte{','})...)
	body = append(body, ']')
	if len(attachments) > 0 {
		// JSON given raw may hold placeholders of its own: they must not point anywhere else.
		if _, err := fill(body, attachments); err != nil {
			return nil, nil, err
		}
	}
	return body, attachments, nil
}

func rawBytes(items []json.RawMessage) [][]byte {
	out := make([][]byte, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}

func appendJSON(items []json.RawMessage, value any) ([]json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("socketio: encode an argument: %w", err)
	}
	return append(items, bytes.TrimSuffix(out.Bytes(), []byte{'\n'})), nil
}
