package selarti

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

// readParams reads the body: JSON, or form-encoded. A body that begins as a
// JSON object is one, whatever its type says: many a client sends JSON under
// the type its library adds by itself.
func (d *Dialect) readParams(w http.ResponseWriter, r *http.Request) (httpjson.Fields, error) {
	body, err := httpjson.Body(w, r, d.MaxBody)
	if err != nil {
		return nil, err
	}
	media := httpjson.MediaType(r)
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")), media == "application/json", strings.HasSuffix(media, "+json"):
		return httpjson.Parse(body)
	case media == "application/x-www-form-urlencoded", media == "text/plain", r.Header.Get("Content-Type") == "":
		return httpjson.ParseForm(body)
	}
	return nil, chat.Errorf(chat.CodeInvalid, "the content type is neither application/json nor application/x-www-form-urlencoded")
}

// idempotencyKey reads the header of that name. Its length is the core's rule.
func idempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if !utf8.ValidString(key) {
		return "", chat.Invalid("Idempotency-Key", "the key is not valid UTF-8")
	}
	return key, nil
}

// one takes a parameter that is known by several names. Under two names it
// must say the same. null and "" count as not sent.
func (c *call) one(names ...string) (value string, err error) {
	by := ""
	for _, n := range names {
		v, err := c.text(n)
		switch {
		case err != nil:
			return "", err
		case v == "":
		case value != "" && v != value:
			return "", chat.Invalid(n, "says something else than %s; send one of them", by)
		default:
			by, value = n, v
		}
		delete(c.params, n)
	}
	return value, nil
}

// first takes the first parameter of several that say the same thing in
// different words; the others stay, and end up in the client's metadata.
func (c *call) first(names ...string) (string, error) {
	found := ""
	for _, n := range names {
		v, err := c.text(n)
		if err != nil {
			return "", err
		}
		if found == "" || v == found || v == "" {
			delete(c.params, n)
		}
		if found == "" {
			found = v
		}
	}
	return found, nil
}

// text returns a parameter as text; a number is its digits as they were sent.
func (c *call) text(name string) (string, error) {
	switch v := c.params[name].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return "", chat.Invalid(name, "must be text, not true or false")
	case []any:
		return "", chat.Invalid(name, "must be text, not a list")
	default:
		return "", chat.Invalid(name, "must be text, not an object")
	}
}

// taskID takes the task's id, which the vendor's methods call by two names.
func (c *call) taskID(names ...string) (string, error) {
	for _, n := range names {
		if _, number := c.params[n].(json.Number); number {
			return "", chat.Invalid(n, "must be text such as 1721129985149x478019552540622850, not a number")
		}
	}
	return c.one(names...)
}

// chatID takes the id of the client in the caller's system. A number is the
// decimal text it was written as (specs/selarti.md §3.3).
func (c *call) chatID() (string, error) {
	if n, number := c.params["chat_id"].(json.Number); number && strings.ContainsAny(n.String(), ".eE") {
		return "", chat.Invalid("chat_id", "a number must be whole and written in digits; send any other id as text")
	}
	return c.one("chat_id")
}
