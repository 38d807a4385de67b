package httpjson

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
)

// Body reads the request's body, at most limit bytes of it, as UTF-8 text
// without a byte order mark. Errors: CodeTooLarge over the limit; CodeInvalid
// for a compressed body, another charset, bytes that are not UTF-8, and a body
// that breaks off.
func Body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, chat.Errorf(chat.CodeInvalid, "the body is compressed; send it without Content-Encoding")
	}
	if _, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && !isUTF8(params["charset"]) {
		return nil, chat.Errorf(chat.CodeInvalid, "the charset of the body is not UTF-8; send it in UTF-8")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var over *http.MaxBytesError
		if errors.As(err, &over) {
			return nil, chat.Errorf(chat.CodeTooLarge, "the body is over %d bytes", limit)
		}
		return nil, &chat.Error{Code: chat.CodeInvalid, Message: "the body broke off before its end", Err: err}
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return nil, chat.Errorf(chat.CodeInvalid, "the body is not valid UTF-8")
	}
	return body, nil
}

func isUTF8(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}

// MediaType is the request's content type in lower case without parameters, ""
// when there is none or it can't be read.
func MediaType(r *http.Request) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return ""
	}
	return media
}
