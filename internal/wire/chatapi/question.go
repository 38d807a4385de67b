package chatapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

// question is the body of a request (specs/chatapi.md §2.1). What else the
// caller sends is ignored.
type question struct {
	ClientID   string
	Query      string
	Event      string
	CID        string
	Data       json.RawMessage
	ClientInfo json.RawMessage
	QuestionID json.RawMessage
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
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "clientId", Message: "is missing; the body is empty"}
	}
	q, err := decodeQuestion(body)
	if err != nil {
		return nil, err
	}
	return q, q.check()
}

// decodeQuestion takes the fields by their exact names; data stays as it came.
func decodeQuestion(body []byte) (*question, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, badField(err)
	}
	q := &question{Data: fields["data"], ClientInfo: fields["clientInfo"], QuestionID: fields["questionId"]}
	for _, text := range []struct {
		name   string
		number bool // a number is taken too, digit by digit
		into   *string
	}{{"clientId", true, &q.ClientID}, {"query", false, &q.Query}, {"event", false, &q.Event}, {"cid", true, &q.CID}} {
		raw := fields[text.name]
		switch {
		case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		case raw[0] == '"':
			if err := json.Unmarshal(raw, text.into); err != nil {
				return nil, badField(err)
			}
		case text.number && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'):
			*text.into = string(raw)
		case text.number:
			return nil, chat.Invalid(text.name, "is neither a text nor a number")
		default:
			return nil, chat.Invalid(text.name, "is not a text")
		}
	}
	return q, nil
}

// badField names the field that is not of its type.
func badField(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		want := "a text"
		if wrong.Type.Kind() != reflect.String {
			want = "a list of objects"
		}
		return chat.Invalid(wrong.Field, "is of the type %s; it must be %s", wrong.Value, want)
	}
	return &chat.Error{Code: chat.CodeInvalid, Message: "the body is not JSON of the documented form", Err: err}
}

func (q *question) check() error {
	if q.ClientID == "" {
		return &chat.Error{Code: chat.CodeMissing, Field: "clientId", Message: "is missing"}
	}
	if q.Query == "" && q.Event == "" {
		return &chat.Error{Code: chat.CodeMissing, Message: "neither query nor event is given"}
	}
	return nil
}

// event is the event that is asked by; of both, the query wins.
func (q *question) event() string {
	if q.Query != "" {
		return ""
	}
	return q.Event
}

// incoming is where the question goes, in the core's words.
func (q *question) incoming(c *call, headers json.RawMessage) (chat.Incoming, error) {
	in := chat.Incoming{
		TaskID: c.task.ID, ExternalID: q.ClientID, ConversationKey: c.conversationKey(q.Data),
		Question: &chat.Question{ID: q.id(c.Header.Get("Idempotency-Key")), CID: q.CID, Headers: headers},
	}
	var err error
	in.Profile, in.Metadata, err = profile(q.ClientInfo)
	return in, err
}

// id is the caller's own id of the question, or the key it repeats the call
// under: only a text of a sane length is honoured, anything else gets one of ours
// (specs/chatapi.md §13).
func (q *question) id(key string) string {
	for _, id := range []string{asText(q.QuestionID), key} {
		if id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= chat.MaxQuestionID {
			return id
		}
	}
	return ""
}

// asText is a JSON text, "" for anything else.
func asText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
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
	"Transfer-Encoding", "Content-Length", "Idempotency-Key", "X-Api-Key", "X-Auth-Token", "X-Csrf-Token", "X-Xsrf-Token",
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
