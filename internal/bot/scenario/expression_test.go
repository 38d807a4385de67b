package scenario

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// evaluated runs `set: {v: <yaml>}` and gives what v became and the notes.
func evaluated(t testing.TB, yaml string, in Input) (any, []string) {
	t.Helper()
	out := play(t, mustParse(t, one("    set: {v: "+yaml+"}")), in)
	return out.Vars["v"], out.Notes
}

// full is an input with something under every name.
var full = Input{
	Text: " Hi there ", Data: map[string]any{"a": []any{map[string]any{"b": "deep"}}, "big": json.Number("9007199254740993")},
	Vars:   map[string]any{"n": 3.0, "half": 0.5, "yes": true, "list": []any{1.0, "b"}, "city": "Омск", "huge": 1e20},
	Client: map[string]any{"name": "Ann", "phone": "", "age": int64(30), "tags": []string{"x"}}, Session: map[string]any{"id": "s1"},
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct {
		rule, yaml string
		want       any
	}{
		{"no expression", `plain`, "plain"},
		{"in the middle", `"a {{ text }} b"`, "a Hi there b"},
		{"several", `"{{ vars.n }}{{vars.n}}"`, "33"},
		{"text is trimmed", `"{{ text }}"`, "Hi there"},
		{"match[0] is the text", `"{{ match[0] }}"`, "Hi there"},
		{"match[1] is the star", `"{{ match[1] }}"`, "Hi there"},
		{"event is empty for a text", `"<{{ event }}>"`, "<>"},
		{"data", `"{{ data.a[0].b }}"`, "deep"},
		{"session", `"{{ session.id }}"`, "s1"},
		{"now", `"{{ now.Format('15:04') }}"`, "12:00"},
		{"client", `"{{ client.name }}"`, "Ann"},

		{"exactly one keeps a number", `"{{ vars.n }}"`, 3},
		{"exactly one keeps a fraction", `"{{ vars.half }}"`, 0.5},
		{"exactly one keeps a bool", `"{{ vars.yes }}"`, true},
		{"exactly one keeps a list", `"{{ vars.list }}"`, []any{1, "b"}},
		{"exactly one keeps an object", `"{{ {a: {b: vars.n}} }}"`, map[string]any{"a": map[string]any{"b": 3}}},
		{"exactly one, nested", `[{x: "{{ vars.n }}"}]`, []any{map[string]any{"x": 3}}},
		{"a space makes it a text", `"{{ vars.n }} "`, "3 "},
		{"a whole number has no point", `"n={{ vars.n }}"`, "n=3"},
		{"a whole number from JSON is whole", `"{{ vars.n % 2 }}"`, 1},
		{"large ids stay exact", `"{{ data.big }}"`, 9007199254740993},
		{"large numbers have no surprises", `"{{ string(vars.huge) }}"`, "100000000000000000000"},
		{"a bool in a text", `"{{ vars.yes }}!"`, "true!"},
		{"a list in a text is JSON", `"{{ vars.list }}!"`, `[1,"b"]!`},
		{"a time", `"{{ now }}"`, "2025-03-04T12:00:00Z"},
		{"YAML types stay", `[1, true, null, 2.5, "3"]`, []any{1, true, nil, 2.5, "3"}},

		{"unknown profile fields are nil", `"{{ client.city ?? 'nowhere' }}"`, "nowhere"},
		{"empty profile fields are unknown", `"{{ client.phone ?? 'none' }}"`, "none"},
		{"unknown variables are nil", `"{{ int(vars.count ?? 0) + 1 }}"`, 1},
		{"optional fields", `"{{ client.address?.city ?? '-' }}"`, "-"},
		{"braces in a quoted text", `"{{ '}}' + \"{{\" }}"`, "}}{{"},
		{"escaped quotes", `"{{ 'it\\'s }}' }}"`, "it's }}"},
		{"two braces end late", `"{{ {a: 1}}}"`, map[string]any{"a": 1}},
		{"closing braces alone are text", `"a }} b"`, "a }} b"},
		{"functions", `"{{ upper(text) + string(len(vars.list)) }}"`, "HI THERE2"},
		{"loops", `"{{ map(vars.list, string(#)) | join('-') }}"`, "1-b"},
		{"replace", `"{{ replace(text, 'Hi', 'Ho') }}"`, "Ho there"},
		{"replace, once", `"{{ replace('aaa', 'a', 'b', 1) }}"`, "baa"},
		{"repeat", `"{{ repeat('ab', 2) }}"`, "abab"},
		{"toJSON", `"{{ toJSON({a: vars.list}) }}"`, `{"a":[1,"b"]}`},
		{"fromJSON", `"{{ fromJSON('{\"a\": [1]}').a[0] }}"`, 1},
		{"matches", `"{{ text matches '^H.*e$' }}"`, true},
		{"matches a computed expression", `"{{ text matches '^' + vars.city }}"`, false},
		{"not matches", `"{{ not (text matches '^x') }}"`, true},
		{"matches nothing", `"{{ vars.none matches 'x' }}"`, false},
		{"dates", `"{{ date('2025-03-05').Sub(date('2025-03-04')).Hours() }}"`, 24},
		{"lists from Go", `"{{ 'x' in client.tags }}"`, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			got, notes := evaluated(t, c.yaml, full)
			if !reflect.DeepEqual(got, c.want) || len(notes) > 0 {
				t.Errorf("got %#v, want %#v; notes %q", got, c.want, notes)
			}
		})
	}
}

func TestPlainValues(t *testing.T) {
	type label string
	deep := any("end")
	for range maxValueDepth + 2 {
		deep = []any{deep}
	}
	for _, c := range []struct{ v, want any }{
		{nil, nil},
		{label("a\x00"), "a"},
		{[]byte{1}, []any{1}},
		{map[int]bool{3: true}, map[string]any{"3": true}},
		{int8(-3), -3},
		{uint16(3), 3},
		{uint64(math.MaxUint64), float64(math.MaxUint64)},
		{float32(2), 2},
		{2.5, 2.5},
		{math.NaN(), nil},
		{math.Inf(1), nil},
		{json.Number("12345678901234567"), 12345678901234567},
		{json.Number("1.5e3"), 1500},
		{json.Number("x"), nil},
		{time.Minute, "1m0s"},
		{noon, noon},
		{struct{ A int }{1}, nil},
		{func() {}, nil},
		{[]any{map[string]any{"a": json.Number("1")}}, []any{map[string]any{"a": 1}}},
	} {
		if got := plain(c.v); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%T %v became %#v, want %#v", c.v, c.v, got, c.want)
		}
	}
	if got, err := jsonOf(deep); err != nil || strings.Contains(got, "end") {
		t.Errorf("a value of any depth: %s, %v", got, err)
	}
}

// A missing value or an error gives an empty string and one line, which holds no word of the message.
func TestMishapsInExpressions(t *testing.T) {
	in := Input{Text: "secret", Vars: map[string]any{"s": "secret", "o": map[string]any{}}}
	for _, c := range []struct{ yaml, want, says string }{
		{`"{{ vars.none }}"`, "", "no such value"},
		{`"[{{ vars.none }}]"`, "[]", "no such value"},
		{`"{{ data.a.b }}"`, "", "asks a missing value for a field"},
		{`"{{ match[7] }}"`, "", "no item with this number"},
		{`"{{ int(text) }}"`, "", "can't be calculated"},
		{`"{{ vars[text] }}"`, "", "no such value"},
		{`"{{ vars.o[text].x }}"`, "", "asks a missing value for a field"},
		{`"{{ vars.none + 1 }}"`, "", "calculates with a missing value"},
		{`"{{ 1 % 0 }}"`, "", "can't be calculated"},
		{`"{{ fromJSON(text) }}"`, "", "can't be calculated"},
		{`"{{ date(text) }}"`, "", "can't be calculated"},
		{`"{{ text matches text + '(' }}"`, "", "can't be calculated"},
		{`"{{ join(vars.s) }}"`, "", "can't be calculated"},
		{`"{{ repeat(vars.s, -1) }}"`, "", "can't be calculated"},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			got, notes := evaluated(t, c.yaml, in)
			if got != c.want {
				t.Errorf("got %#v, want %q", got, c.want)
			}
			if len(notes) != 1 || !strings.HasPrefix(notes[0], "bot.yaml:4:14: {{ ") || !strings.Contains(notes[0], c.says) {
				t.Errorf("notes %q, want one that says %q", notes, c.says)
			}
			if strings.Contains(strings.Join(notes, ""), "secret") {
				t.Errorf("the notes tell the message: %q", notes)
			}
		})
	}
}

func TestNotesAreBounded(t *testing.T) {
	sc := mustParse(t, one("    replies: [{text: \"x"+strings.Repeat("{{ vars.none }}", 200)+"\"}]"))
	out := play(t, sc, Input{Text: "x"})
	if len(out.Notes) != maxNotes+1 || !strings.Contains(out.Notes[maxNotes], "more mishaps") {
		t.Errorf("got %d notes", len(out.Notes))
	}
}

func TestOutputIsBounded(t *testing.T) {
	in := Input{Text: strings.Repeat("ж", 20_000)} // 40,000 bytes
	got, notes := evaluated(t, `"{{ text }}{{ text }}"`, in)
	if s, _ := got.(string); len(s) != maxText || !strings.HasSuffix(s, "ж") || len(notes) != 1 {
		t.Errorf("got %d bytes, notes %q", len(s), notes)
	}
	got, notes = evaluated(t, `"{{ text + text }}"`, in)
	if s, _ := got.(string); len(s) != maxText || len(notes) != 1 {
		t.Errorf("got %d bytes, notes %q", len(s), notes)
	}
	got, notes = evaluated(t, `"{{ [text, text] }}"`, in)
	if got != "" || len(notes) != 1 {
		t.Errorf("got a %T, notes %q", got, notes)
	}
	list := "[" + strings.TrimSuffix(strings.Repeat(`"{{ text }}",`, 4), ",") + "]"
	got, notes = evaluated(t, list, in)
	if got != nil || len(notes) != 1 || !strings.Contains(notes[0], "too large to be kept") {
		t.Errorf("got a %T, notes %q", got, notes)
	}
}

// One long message in ten thousand places would be 640 MB.
func TestAllTextsOfATurnAreBounded(t *testing.T) {
	in := Input{Text: strings.Repeat("a", maxText)}
	many := func(item string, n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	out := play(t, mustParse(t, one("    replies: "+many("{buttons: "+many(`"x{{ text }}"`, 100)+"}", 100))), in)
	sum := 0
	for _, r := range out.Replies {
		for _, b := range r.Buttons {
			sum += len(b.Text)
		}
	}
	if sum == 0 || sum > turnBudget || len(out.Notes) == 0 {
		t.Errorf("%d bytes of labels, %d notes", sum, len(out.Notes))
	}
	for _, body := range []string{
		"replies: [{native: {type: x, list: " + many(`"{{ text }}"`, 100) + "}}]",
		"handover: {customData: " + many(`"{{ text }}"`, 100) + "}",
		"set: {a: " + many(`"{{ text }}"`, 100) + "}",
		"replies: [{text: \"" + strings.Repeat("{{ text }}", 10_000) + "\"}]",
	} {
		out := play(t, mustParse(t, one("    "+body)), in)
		text, err := jsonOf(map[string]any{"vars": out.Vars, "text": texts(out)})
		if err != nil || len(text) > 2*maxText || len(out.Notes) != 1 {
			t.Errorf("%.30s…: %d bytes, notes %q", body, len(text), out.Notes)
		}
		if out.Handover != nil && out.Handover.Switch != nil || len(out.Replies) > 0 && out.Replies[0].Native != nil {
			t.Errorf("%.30s…: a large object came out", body)
		}
	}
}

// Each of these would take all memory or years without the guards.
func TestHostileExpressions(t *testing.T) {
	big := map[string]any{}
	var list []any
	for range 2000 {
		list = append(list, strings.Repeat("a", 30))
	}
	big["list"] = list
	doubling := "let a0 = text + 'x'; "
	sharing := "let a0 = [text]; "
	for i := range 60 {
		n, m := string(rune('a'+i%26))+strings.Repeat("z", i/26+1), "a0"
		if i > 0 {
			m = string(rune('a'+(i-1)%26)) + strings.Repeat("z", (i-1)/26+1)
		}
		doubling += "let " + n + " = " + m + " + " + m + "; "
		sharing += "let " + n + " = [" + m + ", " + m + "]; "
	}
	last := string(rune('a'+59%26)) + strings.Repeat("z", 59/26+1)
	for name, source := range map[string]string{
		"repeat":               "repeat(text, 1000000)",
		"repeat of repeat":     "repeat(repeat(text, 1000), 1000)",
		"replace":              "replace(repeat('a', 60000), 'a', repeat('b', 60000))",
		"replace of nothing":   "replace(repeat('a', 60000), '', repeat('b', 60000))",
		"join":                 "join(map(1..60000, 'a'), repeat('b', 60000))",
		"range":                "1..2000000",
		"endless range":        "len(1..9000000000)",
		"ranges in ranges":     "map(1..1000, map(1..1000, map(1..1000, #)))",
		"loops in loops":       "count(vars.list, count(vars.list, count(vars.list, # != '') > 0) > 0)",
		"doubling by let":      doubling + "len(" + last + ")",
		"doubling by reduce":   "len(reduce(1..60, #acc + #acc, text))",
		"sharing by let":       sharing + last + " == " + last,
		"sharing written":      sharing + "toJSON(" + last + ")",
		"sharing by reduce":    "len(flatten(reduce(1..60, [#acc, #acc], [1])))",
		"deep by reduce":       "reduce(1..900000, [#acc], [1])",
		"concat by reduce":     "reduce(1..60, concat(#acc, #acc), [1])",
		"a copy each round":    "len(map(vars.list, map(vars.list, # + text)))",
		"a copy each group":    "groupBy(vars.list, join(map(vars.list, # + text)))",
		"expressions in loops": "map(vars.list, text matches (text + '[a-z]{900}'))",
		"dates in loops":       "map(1..900000, date('2024-01-01'))",
	} {
		t.Run(name, func(t *testing.T) {
			sc := mustParse(t, one("    set:\n      v: '{{ "+strings.ReplaceAll(source, "'", "''")+" }}'"))
			began := time.Now()
			out := play(t, sc, Input{Text: "some words", Vars: big})
			if out.Vars["v"] != "" || len(out.Notes) != 1 || !strings.Contains(out.Notes[0], "too much time or memory") {
				t.Errorf("got %.100v, notes %q", out.Vars["v"], out.Notes)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestExpressionsEndWithTheTurn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	sc := mustParse(t, one("    delay: 1s\n    replies: [{text: \"{{ map(1..100, #) }}\"}]"))
	_, err := sc.Turn(ctx, Input{Text: "x"}, Effects{Sleep: func(context.Context, time.Duration) error { cancel(); return nil }})
	if err == nil {
		t.Error("a turn whose time is over gives an error, not an empty answer")
	}
}
