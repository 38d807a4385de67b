package httpjson_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

func TestNested(t *testing.T) {
	r := httpjson.NewReader(httpjson.Fields{
		"files": []any{map[string]any{"url": "a"}, map[string]any{"url": "b", "size": json.Number("3")}},
		"open":  []any{json.Number("3"), json.Number("1")},
		"names": map[string]any{"first": "Anna", "last": nil},
	})
	var urls []string
	n := r.Objects("files", func(item *httpjson.Reader) { urls = append(urls, item.Text("url")); item.Integer("size") })
	if n != 2 || !slices.Equal(urls, []string{"a", "b"}) {
		t.Errorf("files: %d, %v", n, urls)
	}
	if got := r.Integers("open"); !slices.Equal(got, []int64{3, 1}) {
		t.Errorf("open: %v", got)
	}
	if got := r.Texts("names"); !maps.Equal(got, map[string]string{"first": "Anna", "last": ""}) {
		t.Errorf("names: %v", got)
	}
	if r.Objects("a", nil) != 0 || r.Integers("b") != nil || r.Texts("c") != nil {
		t.Error("what is absent must be nothing")
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestNestedRefuses(t *testing.T) {
	objects := func(r *httpjson.Reader) { r.Objects("f", func(item *httpjson.Reader) { item.Text("url") }) }
	integers := func(r *httpjson.Reader) { r.Integers("f") }
	texts := func(r *httpjson.Reader) { r.Texts("f") }
	for name, tt := range map[string]struct {
		value any
		read  func(r *httpjson.Reader)
	}{
		"an object for a list":     {map[string]any{}, objects},
		"texts for objects":        {[]any{"x"}, objects},
		"a wrong type in one":      {[]any{map[string]any{"url": true}}, objects},
		"an unknown field in one":  {[]any{map[string]any{"url": "x", "uri": "x"}}, objects},
		"a number for numbers":     {json.Number("1"), integers},
		"texts for numbers":        {[]any{"1"}, integers},
		"null among numbers":       {[]any{nil}, integers},
		"a negative number":        {[]any{json.Number("-1")}, integers},
		"a list for an object":     {[]any{}, texts},
		"a number among the texts": {map[string]any{"a": json.Number("1")}, texts},
	} {
		r := httpjson.NewReader(httpjson.Fields{"f": tt.value})
		tt.read(r)
		if err := r.Err(); chat.ErrorCode(err) != chat.CodeInvalid || chat.ErrorField(err) != "f" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
