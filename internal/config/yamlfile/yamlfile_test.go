package yamlfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSyntax(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"tab", "a:\n\tb: 1", "2:1: a tab can't indent YAML; use spaces"},
		{"tab in a list", "- a\n\t- b: 1", "a tab can't indent YAML; use spaces"},
		{"reserved sign", "a: @b", "1:4: a value can't start with this character; put the value in quotes"},
		{"two colons", "a: b: c", "1:5: a \": \" is not allowed here"},
		{"open list", "a: [1\nb: 2", "2:2: did not find expected ',' or ']' (while parsing a flow sequence that starts at 1:4)"},
		{"alias of nothing", "a: *secret", "1:4: an alias points to an anchor that does not exist"},
		{"control character", "a: b\nc: é\x01", "2:5: the control character U+0001 is not allowed; remove it"},
		{"not UTF-8", "a: é\xff", "1:5: this is not UTF-8 text; save the file as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "1:1: this is not UTF-8 text"},
		{"too deep", strings.Repeat("- ", 65) + "a", "nested more than 64 levels deep; make it flatter"},
		{"another YAML", "%YAML 9.0\n---\na: b", "1:1: found incompatible YAML document"},
		{"too large", strings.Repeat("#", 2049), "1:1: the file is larger than 2 KiB; split it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problem := Load([]byte(tt.src), 2048)
			if problem == nil {
				t.Fatal("accepted")
			}
			if got := NewError("f", []Problem{*problem}).Error(); !strings.HasPrefix(got, "f:") || !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDocumentsBeforeASyntaxErrorAreKept(t *testing.T) {
	docs, problem := Load([]byte("a: 1\n---\nb: [\n"), 100)
	if len(docs) != 1 || problem == nil {
		t.Errorf("got %d documents and %v", len(docs), problem)
	}
	docs, problem = Load([]byte(strings.Repeat("- ", 64)+"a"), 200)
	if len(docs) != 1 || problem != nil {
		t.Errorf("the deepest document: %d, %v", len(docs), problem)
	}
}

func TestErrorSortsAndCounts(t *testing.T) {
	if err := NewError("f", nil); err != nil {
		t.Errorf("no problem is an error: %v", err)
	}
	err := NewError("f", []Problem{{Position{2, 1}, "b", "x"}, {Position{1, 9}, "a", "y"}, {Position{1, 2}, "", "z"}, {Position{}, "c", "w"}})
	if want := "f: c: w\nf:1:2: z\nf:1:9: a: y\nf:2:1: b: x"; err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"name", "kind", "token", "block_input", "hours"}
	for word, want := range map[string]string{
		"nmae": "name", "Kind": "kind", "tokn": "token", "block-input": "block_input", "blockinput": "block_input",
		"token_hash": "token", "hour": "hours", "colour": "", "x": "", "": "", strings.Repeat("n", 100): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

type level int

func (l *level) UnmarshalText(text []byte) error {
	if string(text) != "high" {
		return errors.New(string(text) + " is no level; write high")
	}
	*l = 3
	return nil
}

type sample struct {
	Wait   time.Duration `json:"wait"`
	Level  *level        `json:"level"`
	Secret level         `json:"secret"`
	Small  int8          `json:"small"`
	Chan   chan int      `json:"chan"`
	Nested struct {
		Names []string `json:"names"`
	} `json:"nested"`
	Skipped string `json:"-"`
	Untold  string
}

func decode(t *testing.T, src string, schema Schema) (sample, error) {
	t.Helper()
	docs, problem := Load([]byte(src), 1<<20)
	if problem != nil {
		t.Fatal(problem)
	}
	var s sample
	d := NewDecoder(schema)
	d.Document(docs[0], &s)
	return s, NewError("f", d.Problems())
}

func TestDecode(t *testing.T) {
	three := level(3)
	got, err := decode(t, "wait: 2m\nlevel: high\nsmall: -128\nnested: {names: [a, b]}", Schema{})
	want := sample{Wait: 2 * time.Minute, Level: &three, Small: -128}
	want.Nested.Names = []string{"a", "b"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	schema := Schema{Secret: func(key string) bool { return key == "secret" }}
	for src, message := range map[string]string{
		"level: low":                        "f:1:8: level: low is no level; write high",
		"secret: low":                       "f:1:9: secret: the value is malformed",
		"small: 128":                        `f:1:8: small: "128" is out of range; write a smaller number`,
		"chan: 1":                           "f:1:7: chan: a value of the type chan int can't be written in a file",
		"Skipped: x":                        "f:1:1: Skipped: unknown key",
		"Untold: x":                         "f:1:1: Untold: unknown key",
		"\"\": x":                           `f:1:1: [""]: unknown key`,
		"nested: {\"\": x}":                 `f:1:10: nested[""]: unknown key`,
		"wait: " + strings.Repeat("я", 100): `wait: "` + strings.Repeat("я", 60) + `…" is not a duration`,
	} {
		if _, err := decode(t, src, schema); err == nil || !strings.HasPrefix(err.Error(), message) && !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v, want %s", src, err, message)
		}
	}
}

func TestReferenceErrorsDoNotQuoteValues(t *testing.T) {
	schema := Schema{Expand: func(string) (string, error) { return "hunter2", nil }}
	for _, src := range []string{"level: $x", "wait: $x", "small: $x"} {
		if _, err := decode(t, src, schema); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestPositions(t *testing.T) {
	docs, _ := Load([]byte("wait: 2m\nnested:\n  names: [я, b]\n"), 1000)
	var s sample
	positions := NewDecoder(Schema{}).Document(docs[0], &s)
	for path, want := range map[string]Position{
		"": {1, 1}, "wait": {1, 7}, "nested": {3, 3}, "nested.names": {3, 10}, "nested.names[0]": {3, 11}, "nested.names[1]": {3, 14},
	} {
		if got := positions[path]; got != want {
			t.Errorf("%q is at %v, want %v", path, got, want)
		}
	}
}

func TestTooManyValues(t *testing.T) {
	list := "[" + strings.Repeat("a,", 500) + "]"
	lists := "[&a " + list + ", " + strings.Repeat("*a, ", 600) + "]"
	var s struct {
		Lists [][]string `json:"lists"`
	}
	docs, problem := Load([]byte("lists: "+lists), 1<<20)
	if problem != nil {
		t.Fatal(problem)
	}
	d := NewDecoder(Schema{})
	d.Document(docs[0], &s)
	if got := d.Problems(); len(got) != 1 || got[0].Message != "the file holds more than 250000 values, with aliases written out; split it" {
		t.Errorf("got %d problems: %.300v", len(got), got)
	}
}
