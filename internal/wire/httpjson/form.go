package httpjson

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
)

// maxFormFields bounds the fields of a form.
const maxFormFields = 1000

// ParseForm decodes an application/x-www-form-urlencoded body; every value is
// a string. Errors: CodeInvalid, naming the field, for a field that comes
// twice, wrong escapes, bytes that are not UTF-8 and NUL characters.
func ParseForm(body []byte) (Fields, error) {
	if strings.Count(string(body), "&") >= maxFormFields {
		return nil, chat.Errorf(chat.CodeInvalid, "the form has over %d fields", maxFormFields)
	}
	values, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil {
		return nil, &chat.Error{Code: chat.CodeInvalid, Message: "the form can't be read: check its % escapes", Err: err}
	}
	fields := make(Fields, len(values))
	for key, list := range values {
		switch {
		case !utf8.ValidString(key):
			return nil, chat.Errorf(chat.CodeInvalid, "the name of a field is not valid UTF-8")
		case len(list) > 1:
			return nil, chat.Invalid(key, "the field comes twice; send it once")
		case !utf8.ValidString(list[0]):
			return nil, chat.Invalid(key, "the value is not valid UTF-8")
		case strings.ContainsRune(key+list[0], 0):
			return nil, chat.Invalid(strings.ReplaceAll(key, "\x00", ""), "the field has a NUL character; leave it out")
		}
		fields[key] = list[0]
	}
	return fields, nil
}
