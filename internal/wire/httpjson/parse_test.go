package httpjson_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

func nest(depth int) string {
	return `{"deep":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + "}"
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		body  string
		want  httpjson.Fields
		field string // of the refusal; "-": refused without a field
	}{
		"empty":                     {body: " \r\n", want: httpjson.Fields{}},
		"an empty object":           {body: "{}", want: httpjson.Fields{}},
		"a number stays as written": {body: `{"n":123456789012345678901.50e+3}`, want: httpjson.Fields{"n": json.Number("123456789012345678901.50e+3")}},
		"every type": {
			body: `{"s":"a\u00e9\n","t":true,"z":null,"l":[1,"x"],"o":{"k":{}}}`,
			want: httpjson.Fields{"s": "aé\n", "t": true, "z": nil, "l": []any{json.Number("1"), "x"}, "o": map[string]any{"k": map[string]any{}}},
		},
		"one key in two objects":  {body: `{"a":{"k":1},"b":{"k":1}}`, want: httpjson.Fields{"a": map[string]any{"k": json.Number("1")}, "b": map[string]any{"k": json.Number("1")}}},
		"too deep":                {body: nest(httpjson.MaxDepth + 1), field: "deep"},
		"a million deep":          {body: `{"deep":` + strings.Repeat("[", 1<<20), field: "deep"},
		"a key twice":             {body: `{"a":1,"b":2,"a":3}`, field: "a"},
		"a key twice, escaped":    {body: `{"a":1,"\u0061":3}`, field: "a"},
		"a key twice, inside":     {body: `{"a":[{"k":1,"k":2}]}`, field: "a"},
		"NUL in a value":          {body: `{"a":"x\u0000y"}`, field: "a"},
		"NUL inside":              {body: `{"a":[["\u0000"]]}`, field: "a"},
		"NUL in a key":            {body: `{"\u0000":1}`, field: "-"},
		"a list":                  {body: `[1]`, field: "-"},
		"a text":                  {body: `"x"`, field: "-"},
		"null":                    {body: `null`, field: "-"},
		"more after it":           {body: `{} {}`, field: "-"},
		"garbage after it":        {body: `{}x`, field: "-"},
		"cut off":                 {body: `{"a":"x`, field: "a"},
		"cut off after the colon": {body: `{"a":`, field: "a"},
		"a trailing comma":        {body: `{"a":1,}`, field: "a"},
		"single quotes":           {body: `{'a':1}`, field: "-"},
		"a bare word":             {body: `hello`, field: "-"},
		"a raw control character": {body: "{\"a\":\"\x01\"}", field: "a"},
		"a wrong escape":          {body: `{"a":"\x"}`, field: "a"},
		"NaN":                     {body: `{"a":NaN}`, field: "a"},
		"a leading zero":          {body: `{"a":01}`, field: "a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := httpjson.Parse([]byte(tt.body))
			if tt.field == "" {
				if err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Fatalf("got %#v, %v; want %#v", got, err, tt.want)
				}
				return
			}
			want := strings.TrimPrefix(tt.field, "-")
			if chat.ErrorCode(err) != chat.CodeInvalid || chat.ErrorField(err) != want {
				t.Fatalf("got %#v and the error %v (field %q); want a refusal of %q", got, err, chat.ErrorField(err), want)
			}
		})
	}
}

func TestParseTakesTheDeepestAllowed(t *testing.T) {
	if _, err := httpjson.Parse([]byte(nest(httpjson.MaxDepth))); err != nil {
		t.Fatal(err)
	}
}

func TestParseForm(t *testing.T) {
	tests := map[string]struct {
		body  string
		want  httpjson.Fields
		field string
	}{
		"empty":            {body: "", want: httpjson.Fields{}},
		"values":           {body: "a=1+2&b=%D0%9F&c=&d", want: httpjson.Fields{"a": "1 2", "b": "П", "c": "", "d": ""}},
		"a line break":     {body: "a=1\n", want: httpjson.Fields{"a": "1"}},
		"a field twice":    {body: "a=1&a=2", field: "a"},
		"a wrong escape":   {body: "a=%zz", field: "-"},
		"a semicolon":      {body: "a=1;b=2", field: "-"},
		"not UTF-8":        {body: "a=%ff", field: "a"},
		"a name not UTF-8": {body: "%ff=1", field: "-"},
		"NUL":              {body: "a=x%00", field: "a"},
		"too many":         {body: strings.Repeat("a&", 1000), field: "-"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := httpjson.ParseForm([]byte(tt.body))
			if tt.field == "" {
				if err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Fatalf("got %#v, %v; want %#v", got, err, tt.want)
				}
				return
			}
			if chat.ErrorCode(err) != chat.CodeInvalid || chat.ErrorField(err) != strings.TrimPrefix(tt.field, "-") {
				t.Fatalf("got %#v and the error %v (field %q); want a refusal of %q", got, err, chat.ErrorField(err), tt.field)
			}
		})
	}
}

func TestBody(t *testing.T) {
	tests := map[string]struct {
		body   string
		header map[string]string
		want   string
		code   chat.Code
	}{
		"plain":                 {body: `{"a":1}`, want: `{"a":1}`},
		"exactly the limit":     {body: strings.Repeat("x", 100), want: strings.Repeat("x", 100)},
		"one over the limit":    {body: strings.Repeat("x", 101), code: chat.CodeTooLarge},
		"a byte order mark":     {body: "\xef\xbb\xbf{}", want: "{}"},
		"not UTF-8":             {body: "\xff", code: chat.CodeInvalid},
		"UTF-8 by name":         {body: "{}", header: map[string]string{"Content-Type": "application/json; charset=UTF-8"}, want: "{}"},
		"another charset":       {body: "{}", header: map[string]string{"Content-Type": "application/json; charset=windows-1251"}, code: chat.CodeInvalid},
		"compressed":            {body: "{}", header: map[string]string{"Content-Encoding": "gzip"}, code: chat.CodeInvalid},
		"compressed by nothing": {body: "{}", header: map[string]string{"Content-Encoding": "identity"}, want: "{}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			got, err := httpjson.Body(httptest.NewRecorder(), r, 100)
			if string(got) != tt.want || chat.ErrorCode(err) != tt.code {
				t.Fatalf("got %q, %v; want %q, %s", got, err, tt.want, tt.code)
			}
		})
	}
}

func TestReader(t *testing.T) {
	fields := httpjson.Fields{
		"text": "hi", "yes": true, "n": json.Number("9007199254740991"), "at": "2026-02-03T04:05:06.789+03:00", "null": nil,
	}
	r := httpjson.NewReader(fields)
	if got := r.Text("text"); got != "hi" {
		t.Errorf("text: %q", got)
	}
	if got := r.Bool("yes"); got == nil || !*got {
		t.Errorf("yes: %v", got)
	}
	if got := r.Integer("n"); got != 1<<53-1 {
		t.Errorf("n: %d", got)
	}
	if got := r.Moment("at"); got.Time().Format("2006-01-02T15:04:05.000Z") != "2026-02-03T01:05:06.789Z" {
		t.Errorf("at: %v", got.Time())
	}
	if r.Text("null") != "" || r.Bool("absent") != nil || r.Integer("absent") != 0 || r.Moment("absent") != 0 {
		t.Error("what is absent or null must be nothing")
	}
	if err := r.Err(); err != nil {
		t.Errorf("all is well: %v", err)
	}
}

func TestReaderRefuses(t *testing.T) {
	tests := map[string]struct {
		value any
		read  func(r *httpjson.Reader)
	}{
		"a number for a text":    {json.Number("1"), func(r *httpjson.Reader) { r.Text("f") }},
		"a list for a text":      {[]any{}, func(r *httpjson.Reader) { r.Text("f") }},
		"an object for a text":   {map[string]any{}, func(r *httpjson.Reader) { r.Text("f") }},
		"a text for a boolean":   {"true", func(r *httpjson.Reader) { r.Bool("f") }},
		"a number for a boolean": {json.Number("1"), func(r *httpjson.Reader) { r.Bool("f") }},
		"a text for a number":    {"1", func(r *httpjson.Reader) { r.Integer("f") }},
		"a fraction":             {json.Number("1.0"), func(r *httpjson.Reader) { r.Integer("f") }},
		"a negative number":      {json.Number("-1"), func(r *httpjson.Reader) { r.Integer("f") }},
		"beyond JavaScript":      {json.Number("9007199254740992"), func(r *httpjson.Reader) { r.Integer("f") }},
		"no time":                {"yesterday", func(r *httpjson.Reader) { r.Moment("f") }},
		"a time before 1970":     {"1969-12-31T00:00:00Z", func(r *httpjson.Reader) { r.Moment("f") }},
		"null for a flag":        {nil, func(r *httpjson.Reader) { r.Flags() }},
		"a text for a flag":      {"yes", func(r *httpjson.Reader) { r.Flags() }},
		"a field nobody reads":   {"x", func(*httpjson.Reader) {}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httpjson.NewReader(httpjson.Fields{"f": tt.value})
			tt.read(r)
			if err := r.Err(); chat.ErrorCode(err) != chat.CodeInvalid || chat.ErrorField(err) != "f" {
				t.Fatalf("got %v (field %q); want a refusal of f", err, chat.ErrorField(err))
			}
		})
	}
}

func TestWriteKeepsTextAsItIs(t *testing.T) {
	rec := httptest.NewRecorder()
	if err := httpjson.Write(rec, http.StatusTeapot, map[string]string{"url": "a?b&c=<>"}); err != nil {
		t.Fatal(err)
	}
	if got := rec.Body.String(); got != `{"url":"a?b&c=<>"}`+"\n" {
		t.Errorf("body %q", got)
	}
	if rec.Code != http.StatusTeapot || rec.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("status %d, headers %v", rec.Code, rec.Header())
	}
}

// FuzzParse: what is accepted is what the standard library reads, and holds
// the promises of Parse.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":{"b":[null,true,"x"]}}`, `{"a":1,"a":2}`, `{"a":"\u0000"}`, nest(40), "", "[", `{"a":1e999}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := httpjson.Parse(body)
		if err != nil {
			if chat.ErrorCode(err) != chat.CodeInvalid {
				t.Fatalf("refused as %s: %v", chat.ErrorCode(err), err)
			}
			return
		}
		if len(strings.TrimSpace(string(body))) > 0 && !json.Valid(body) && utf8.Valid(body) {
			t.Fatalf("accepted what is not JSON: %q", body)
		}
		if holdsNUL(map[string]any(fields)) {
			t.Fatalf("a NUL came through: %q", body)
		}
		if _, err := json.Marshal(fields); err != nil {
			t.Fatal(err)
		}
	})
}

func holdsNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		return slices.ContainsFunc(v, holdsNUL)
	case map[string]any:
		for key, value := range v {
			if strings.ContainsRune(key, 0) || holdsNUL(value) {
				return true
			}
		}
	}
	return false
}

func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "a=%00", "%", "a=1&a=2", ";", "a=%ff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := httpjson.ParseForm(body)
		if err != nil {
			return
		}
		for name, v := range fields {
			text, ok := v.(string)
			if !ok || !utf8.ValidString(name+text) || strings.ContainsRune(name+text, 0) {
				t.Fatalf("accepted %q=%q", name, v)
			}
		}
	})
}
