package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// Indenting multiplies a body by its depth, so both are bounded; others are shown as they came.
	indentSizeLimit  = 64 << 10
	indentDepthLimit = 32
)

// record is one call as the Receiver shows it. The JSON form has the body in one of three keys:
// body for JSON, text for other UTF-8, base64 for the rest; none when it is empty.
type record struct {
	N           int             `json:"n"`
	At          time.Time       `json:"at"`
	Method      string          `json:"method"`
	Path        string          `json:"path"`
	ID          string          `json:"webhookId,omitempty"`
	Try         int             `json:"try"`
	Signature   string          `json:"signature"`
	Why         string          `json:"why,omitempty"`
	Status      int             `json:"status"`
	Problem     string          `json:"problem,omitempty"`
	ContentType string          `json:"contentType,omitempty"`
	Body        json.RawMessage `json:"body,omitempty"`
	Text        string          `json:"text,omitempty"`
	Base64      []byte          `json:"base64,omitempty"`

	body []byte
}

// write makes one Write of the whole record, as a line of JSON or as text for people.
func (r *record) write(out io.Writer, asJSON bool) error {
	text := r.text()
	if asJSON {
		var err error
		if text, err = r.line(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, text)
	return err
}

func (r *record) line() (string, error) {
	switch {
	case len(r.body) == 0 || r.Problem != "":
	case json.Valid(r.body) && utf8.Valid(r.body):
		r.Body = r.body
	case utf8.Valid(r.body):
		r.Text = string(r.body)
	default:
		r.Base64 = r.body
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(r)
	return printable(line.Bytes()), err
}

func (r *record) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#%d  %s  %s %s\n", r.N, r.At.Format("15:04:05.000"), printable([]byte(r.Method)), printable([]byte(r.Path)))
	if r.ID != "" {
		fmt.Fprintf(&b, "    webhook-id %s, try %d\n", printable([]byte(r.ID)), r.Try)
	}
	fmt.Fprintf(&b, "    signature %s", r.Signature)
	if r.Why != "" {
		fmt.Fprintf(&b, ": %s", r.Why)
	}
	fmt.Fprintf(&b, "\n    answered %d\n", r.Status)
	fmt.Fprintf(&b, "%s\n\n", r.shownBody())
	return b.String()
}

func (r *record) shownBody() string {
	switch {
	case r.Problem != "":
		return "(" + r.Problem + ")"
	case len(r.body) == 0:
		return "(no body)"
	case !utf8.Valid(r.body):
		return fmt.Sprintf("(%d bytes of %s)", len(r.body), printable([]byte(or(r.ContentType, "no known type"))))
	}
	var pretty bytes.Buffer
	if canIndent(r.body) && json.Indent(&pretty, bytes.TrimSpace(r.body), "", "  ") == nil {
		return printable(pretty.Bytes())
	}
	return printable(r.body)
}

func canIndent(body []byte) bool {
	if len(body) > indentSizeLimit {
		return false
	}
	depth, inString, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		}
		if depth > indentDepthLimit {
			return false
		}
	}
	return true
}
