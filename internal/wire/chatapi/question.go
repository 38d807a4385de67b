package chatapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

// question is the body of a request (specs/chatapi.md §2.1). What else the
// caller sends is ignored.
type question struct {
	ClientID   flexible        `json:"clientId"`
	Query      *string         `json:"query"`
	Event      *string         `json:"event"`
	Data       json.RawMessage `json:"data"`
	CID        *string         `json:"cid"`
	ClientInfo json.RawMessage `json:"clientInfo"`
	QuestionID json.RawMessage `json:"questionId"`
}

// flexible is a text that some callers send as a number.
type flexible string

// UnmarshalJSON takes a string, or a number digit by digit.
func (f *flexible) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(f))
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil || data[0] == '{' || data[0] == '[' {
		return chat.Invalid("clientId", "is neither a text nor a number")
	}
	*f = flexible(n)
	return nil
}

// readQuestion decodes and checks the body.
func (d *Dialect) readQuestion(c *call) (*question, error) {
	body, err := httpjson.Body(c.w, c.Request, d.MaxBody)
	if err != nil {
		return nil, err
	}
	if _, err := httpjson.Parse(body); err != nil { // depth, twins and NULs
		return nil, err
	}
	q := &question{}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "clientId", Message: "is missing; the body is empty"}
	}
	if err := json.Unmarshal(body, q); err != nil {
		return nil, badField(err)
	}
	return q, q.check()
}

// badField names the field that is not of its type.
func badField(err error) error {
	if chat.ErrorCode(err) != chat.CodeInternal {
		return err
	}
	if wrong, ok := err.(*json.UnmarshalTypeError); ok && wrong.Field != "" { //nolint:errorlint // json returns it bare
		return chat.Invalid(wrong.Field, "is a %s; it must be a text", wrong.Value)
	}
	return &chat.Error{Code: chat.CodeInvalid, Message: "the body is not JSON of the documented form", Err: err}
}

func (q *question) check() error {
	if q.ClientID == "" {
		return &chat.Error{Code: chat.CodeMissing, Field: "clientId", Message: "is missing"}
	}
	if q.text() == "" && q.event() == "" {
		return &chat.Error{Code: chat.CodeMissing, Message: "neither query nor event is given"}
	}
	return nil
}

// text is the query; of both, it wins. An empty one is none.
func (q *question) text() string { return deref(q.Query) }

func (q *question) event() string {
	if q.text() != "" {
		return ""
	}
	return deref(q.Event)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// incoming is where the question goes, in the core's words.
func (q *question) incoming(c *call, headers json.RawMessage) (chat.Incoming, error) {
	in := chat.Incoming{
		TaskID: c.task.ID, ExternalID: string(q.ClientID), Key: c.Header.Get("Idempotency-Key"),
		ConversationKey: c.conversationKey(q.Data),
		Question:        &chat.Question{ID: q.id(), CID: deref(q.CID), Headers: headers},
	}
	var err error
	in.Profile, in.Metadata, err = profile(q.ClientInfo)
	return in, err
}

// id is the caller's own id of the question: only a text of a sane length is
// honoured, anything else gets one of ours (specs/chatapi.md §13).
func (q *question) id() string {
	var id string
	if json.Unmarshal(q.QuestionID, &id) != nil || utf8.RuneCountInString(id) > chat.MaxQuestionID {
		return ""
	}
	return id
}

// data is what the script sees as $request.data: as it was sent.
func (q *question) data() json.RawMessage {
	if len(q.Data) == 0 || bytes.Equal(q.Data, []byte("null")) {
		return nil
	}
	return q.Data
}

// profile takes the client's name from clientInfo; the rest is kept with the
// client as it is.
func profile(clientInfo json.RawMessage) (known map[string]string, rest map[string]any, err error) {
	if len(clientInfo) == 0 || bytes.Equal(clientInfo, []byte("null")) {
		return nil, nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(clientInfo))
	dec.UseNumber()
	if err := dec.Decode(&rest); err != nil {
		return nil, nil, chat.Invalid("clientInfo", "is not an object")
	}
	known = map[string]string{}
	name := strings.TrimSpace(take(rest, "firstName") + " " + take(rest, "lastName"))
	if name != "" {
		known["name"] = name
	}
	for _, field := range []string{"name", "phone", "email", "username"} {
		if value := take(rest, field); value != "" {
			known[field] = value
		}
	}
	return known, rest, nil
}

// take removes a text from the fields.
func take(fields map[string]any, name string) string {
	text, ok := fields[name].(string)
	if ok {
		delete(fields, name)
	}
	return text
}

// conversationKey parts the conversations of a mail channel by subject.
func (c *call) conversationKey(data json.RawMessage) string {
	if !strings.EqualFold(c.channel.ChannelType, "EMAIL") {
		return ""
	}
	var mail struct {
		Subject string `json:"subject"`
	}
	if len(data) == 0 || json.Unmarshal(data, &mail) != nil {
		return ""
	}
	return chat.MailKey(mail.Subject)
}

// maxHeaders bounds what is kept of a request's headers, in bytes.
const maxHeaders = 4 << 10

// withheld are headers that say nothing of the request, or hold what is no
// script's business.
var withheld = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Connection", "Keep-Alive", "Upgrade", "Te", "Trailer",
	"Transfer-Encoding", "Content-Length", "Idempotency-Key",
}

// requestHeaders are handed to the script as $request.data.requestHeaders
// (specs/chatapi.md §2.1): lower-case names, credentials left out.
func requestHeaders(h http.Header) json.RawMessage {
	kept, size := map[string]string{}, 0
	for name, values := range h {
		value := strings.Join(values, ", ")
		if slices.Contains(withheld, name) || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			continue
		}
		if size += len(name) + len(value); size > maxHeaders {
			return nil
		}
		kept[strings.ToLower(name)] = value
	}
	text, err := json.Marshal(kept)
	if err != nil { // a map of texts always encodes
		return nil
	}
	return text
}
