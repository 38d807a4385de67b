package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// A file is either refused with problems that have places, or makes a bot that answers anything without a crash.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example), "привет", "start")
	f.Add(tree, "5", "x")
	f.Add(one("    http: {get: \"http://a/{{ text }}\", headers: {a: b}, into: x}\n    replies: [{text: \"{{ x.status }}\", buttons: [a, {text: b, url: \"{{ text }}\"}]}]"), "..", "")
	f.Add(one("    handover: {skills: [a], customData: {a: [1, null, \"{{ vars.a }}\"]}}\n    set: {a: &x [1], b: *x}"), "", "")
	f.Add("states: &a [*a]\nevents: {a: {next: *a}}\nfallback: *a\n", "a", "a")
	f.Add("language: ru\nfallback: {replies: [{native: {type: x}}, {file: http://a/, after: 1s}], flags: [close]}\n", "a", "b")
	f.Fuzz(func(t *testing.T, src, text, event string) {
		sc, err := Parse("f.yaml", []byte(src))
		if err != nil {
			checkProblems(t, err)
			return
		}
		for _, in := range []Input{{Text: text}, {Event: event, Data: text}, {Event: "start"}} {
			out, err := sc.Turn(context.Background(), in, Effects{HTTP: serve(func(*sent) canned {
				return canned{status: 200, body: text}
			})})
			if err != nil {
				t.Fatalf("the turn failed: %v", err)
			}
			checkOutcome(t, out)
		}
	})
}

func checkProblems(t *testing.T, err error) {
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("%T isn't Problems", err)
	}
	for _, p := range problems {
		if p.Line < 1 || p.Column < 1 || p.What == "" || p.Fix == "" || strings.ContainsAny(p.What, "\n\r") {
			t.Fatalf("not a full problem: %+v", p)
		}
	}
}

func checkOutcome(t *testing.T, out Outcome) {
	if _, err := json.Marshal(out); err != nil {
		t.Fatalf("an outcome that can't be stored: %v", err)
	}
	for _, r := range out.Replies {
		if r.Text == "" && r.Markdown == "" && r.Attachment == nil && r.Native == nil && len(r.Buttons) == 0 {
			t.Fatalf("an empty reply: %+v", r)
		}
		if len(r.Text) > maxText || !utf8.ValidString(r.Text) || strings.Contains(r.Text, "\x00") {
			t.Fatalf("a text that no message may hold: %q", r.Text)
		}
	}
	if out.Handover != nil && out.Close {
		t.Fatal("handed over and closed")
	}
}

// Word patterns find what brute force finds; what stars took is what the client typed.
func FuzzPattern(f *testing.F) {
	for _, c := range [][2]string{
		{"привет *", "Привет, Вася!"}, {"* доставк* *", "а доставку?"}, {"~^echo (.*)$", "echo x"}, {"* * *", "a b"},
		{"a*b*c", "abc"}, {"/start", "start"}, {"İ*ё", "İЁ"}, {"*\xff*", "\xff"}, {"~(a|b)*", "ab"},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		compiled, what, fix := (&parser{}).pattern(source)
		if what != "" {
			if fix == "" {
				t.Fatal("no advice")
			}
			return
		}
		if len(text) > 200 {
			return // the reference below is slow on purpose
		}
		subject := fold(text)
		got := compiled.match(subject)
		for i, took := range got {
			if !strings.Contains(subject.raw, took) || took != strings.TrimSpace(took) && !strings.HasPrefix(source, "~") {
				t.Fatalf("match[%d] is %q, which nobody typed so", i, took)
			}
		}
		if strings.HasPrefix(source, "~") || strings.Count(source, "*") > 6 {
			return
		}
		want, matches := reference(foldedTokens(source), foldedWords(text))
		if matches != (got != nil) {
			t.Fatalf("matched: %v, by brute force: %v", got != nil, matches)
		}
		for i, took := range got[min(1, len(got)):] {
			if strings.Join(foldedWords(took), " ") != want[i] {
				t.Fatalf("match[%d] is %q, by brute force %q", i+1, took, want[i])
			}
		}
	})
}

func foldedWords(text string) []string {
	words := []string{}
	for _, field := range strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), unicode.IsSpace) {
		if folded := foldWord(field); folded != "" {
			words = append(words, folded)
		}
	}
	return words
}

func foldedTokens(pattern string) []string {
	tokens := strings.FieldsFunc(pattern, unicode.IsSpace)
	for i, token := range tokens {
		parts := strings.Split(token, "*")
		for j := range parts {
			parts[j] = foldWord(parts[j])
		}
		tokens[i] = strings.Join(parts, "*")
	}
	return slices.DeleteFunc(tokens, func(token string) bool { return token == "" })
}

// No expression crashes the engine, whatever it meets; texts stay bounded and valid, notes tell no message.
func FuzzTemplate(f *testing.F) {
	for _, source := range []string{
		"{{ client.name ?? 'гость' }}", "{{ int(vars.n ?? 0) + 1 }}", "a {{ match[1] }} b {{ text }}", "{{ '}}' }}", "{{ {a: {b: 1}} }}",
		"{{ map(data, # + text) | join(',') }}", "{{ text matches '^a' }}", "{{ repeat(text, 9) }}", "{{ now.Format('15:04') }}", "{{", "}}", "{{ }}",
		"{{ let x = 1; x }}", "{{ reduce(1..10, #acc + #) }}", "{{ groupBy(data, #) }}", "{{ fromJSON(text).a }}", "{{ sortBy(data, #) }}", "{{ vars.n ? 1 : 2 }}",
	} {
		f.Add(source, "words", `{"n":1}`)
	}
	f.Fuzz(func(t *testing.T, source, text, data string) {
		quoted, err := json.Marshal(strings.ToValidUTF8(source, "?"))
		if err != nil {
			t.Skip()
		}
		sc, err := Parse("f.yaml", []byte(one("    set: {v: "+string(quoted)+"}\n    http: {post: http://a/, json: "+string(quoted)+"}\n    replies: [{text: "+string(quoted)+"}, {when: \"text != ''\", text: x}]")))
		if err != nil {
			checkProblems(t, err)
			return
		}
		secret := "zq7" + text
		in := Input{Text: secret, Vars: map[string]any{"n": 2.5, "s": text}, Now: noon}
		if in.Data, err = decodeJSON([]byte(data)); err != nil {
			in.Data = []any{text, 1, nil}
		}
		out, err := sc.Turn(context.Background(), in, Effects{HTTP: serve(func(*sent) canned { return canned{status: 200} })})
		if err != nil {
			t.Fatal(err)
		}
		checkOutcome(t, out)
		if notes := strings.Join(out.Notes, "\n"); strings.Contains(notes, "zq7") && !strings.Contains(source, "zq7") {
			t.Fatalf("the notes tell the message: %s", notes)
		}
	})
}
