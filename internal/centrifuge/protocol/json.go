package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"
)

// ErrEmptyFrame says that a frame holds no command.
var ErrEmptyFrame = errors.New("protocol: the frame holds no command")

// ErrNotJSON says that a payload is not JSON in UTF-8 and so can't be sent to a
// client that speaks JSON.
var ErrNotJSON = errors.New("protocol: the payload is not JSON")

// JSON is the text form: messages are JSON objects joined by line breaks.
type JSON struct{}

// Name is "json".
func (JSON) Name() string { return "json" }

// Separator is a line break.
func (JSON) Separator() string { return "\n" }

// Commands decodes one command a line; blank lines are skipped.
func (JSON) Commands(frame []byte) iter.Seq2[*Command, error] {
	return func(yield func(*Command, error) bool) {
		if len(bytes.TrimSpace(frame)) == 0 {
			yield(nil, ErrEmptyFrame)
			return
		}
		for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
			line = bytes.TrimSpace(line)
			if len(line) == 0 {
				continue
			}
			cmd, err := jsonCommand(line)
			if !yield(cmd, err) || err != nil {
				return
			}
		}
	}
}

func jsonCommand(line []byte) (*Command, error) {
	cmd := new(Command)
	if string(line) == "{}" { // a pong, by far the most frequent
		return cmd, nil
	}
	if line[0] != '{' {
		return nil, errors.New("protocol: a command must be a JSON object")
	}
	if !utf8.Valid(line) {
		return nil, errors.New("protocol: a command must be UTF-8")
	}
	if err := json.Unmarshal(line, cmd); err != nil {
		return nil, fmt.Errorf("protocol: decode command: %w", err)
	}
	return cmd, nil
}

// AppendReply appends the reply as one line without its line break.
func (JSON) AppendReply(dst []byte, r *Reply) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	out := buf.Bytes()
	out = out[:len(out)-1] // Encode ends with a line break
	if !utf8.Valid(out[len(dst):]) {
		return dst, fmt.Errorf("%w: it is not UTF-8", ErrNotJSON)
	}
	return out, nil
}

// Emulation decodes a JSON object whose data is a string with a frame in it.
func (JSON) Emulation(body []byte) (EmulationRequest, error) {
	var req struct {
		Node    string `json:"node"`
		Session string `json:"session"`
		Data    string `json:"data"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return EmulationRequest{}, fmt.Errorf("protocol: decode emulation request: %w", err)
	}
	return EmulationRequest{Node: req.Node, Session: req.Session, Data: []byte(req.Data)}, nil
}
