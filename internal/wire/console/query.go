package console

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

// query takes typed parameters out of a URL's query and remembers the first
// mistake, as httpjson.Reader does for a body.
type query struct {
	values url.Values
	known  []string
	err    error
}

func newQuery(raw string) (*query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &chat.Error{Code: chat.CodeInvalid, Message: "the query can't be read: check its % escapes", Err: err}
	}
	return &query{values: values}, nil
}

// Err is the first mistake: a wrong value, one that came twice, or a parameter
// that nobody asked for.
func (q *query) Err() error {
	if q.err != nil {
		return q.err
	}
	names := make([]string, 0, len(q.values))
	for name := range q.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(q.known, name) {
			return chat.Invalid(strings.ToValidUTF8(name, "?"), "there is no such parameter; the parameters are %s", q.list())
		}
	}
	return nil
}

func (q *query) list() string {
	if len(q.known) == 0 {
		return "none here"
	}
	return strings.Join(q.known, ", ")
}

func (q *query) fail(name, format string, args ...any) {
	if q.err == nil {
		q.err = chat.Invalid(name, format, args...)
	}
}

// text returns a parameter, "" when it is absent.
func (q *query) text(name string) string {
	q.known = append(q.known, name)
	values := q.values[name]
	switch {
	case len(values) == 0:
		return ""
	case len(values) > 1:
		q.fail(name, "must come once")
	case !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0):
		q.fail(name, "must be valid text")
	}
	return values[0]
}

// integer returns a whole number, 0 when it is absent.
func (q *query) integer(name string) int64 {
	text := q.text(name)
	if text == "" {
		return 0
	}
	n, err := httpjson.ParseInteger(text)
	if err != nil {
		q.fail(name, "%s", err)
	}
	return n
}

// manyOf returns a parameter that may be repeated; each value is one of those
// listed.
func (q *query) manyOf(name string, values ...string) []string {
	q.known = append(q.known, name)
	for _, text := range q.values[name] {
		if !slices.Contains(values, text) {
			q.fail(name, "must be one of %s", strings.Join(values, ", "))
		}
	}
	return q.values[name]
}

// ids returns a list of ids with commas between them.
func (q *query) ids(name string) (ids []chat.ID) {
	text := q.text(name)
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		id, err := parseID(part)
		if err != nil {
			q.fail(name, "must be ids with commas between them")
		}
		ids = append(ids, id)
	}
	return ids
}

func parseID(text string) (chat.ID, error) {
	n, err := httpjson.ParseInteger(text)
	return chat.ID(n), err
}

func (q *query) id(name string) chat.ID { return chat.ID(q.integer(name)) }

// limit returns how many items to list: MaxPage unless fewer are asked for.
func (q *query) limit() int {
	if n := q.integer("limit"); n > 0 && n < chat.MaxPage {
		return int(n)
	}
	return chat.MaxPage
}

// oneOf returns a parameter that has one of the values, or is absent.
func (q *query) oneOf(name string, values ...string) string {
	text := q.text(name)
	if text != "" && !slices.Contains(values, text) {
		q.fail(name, "must be one of %s", strings.Join(values, ", "))
	}
	return text
}
