package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// matchOf compiles one pattern and matches it against a text.
func matchOf(t testing.TB, pattern, text string) []string {
	t.Helper()
	p := &parser{}
	compiled, what, _ := p.pattern(pattern)
	if what != "" {
		t.Fatalf("pattern %q: %s", pattern, what)
	}
	return compiled.match(fold(text))
}

func TestPatterns(t *testing.T) {
	no := []string(nil)
	for _, c := range []struct {
		rule, pattern, text string
		want                []string
	}{
		{"the whole text must match", "привет", "привет всем", no},
		{"the whole text must match", "привет", "ну привет", no},
		{"case is folded", "Привет", "пРИВЕТ", []string{"пРИВЕТ"}},
		{"ё is е", "ещё", "Еще", []string{"Еще"}},
		{"ё is е, the other way", "еще", "ЕЩЁ", []string{"ЕЩЁ"}},
		{"punctuation is dropped from the text", "hello world", "Hello, world!!", []string{"Hello, world!!"}},
		{"punctuation is dropped from the pattern", "hello, world!", "hello world", []string{"hello world"}},
		{"the slash is punctuation", "/start", "start", []string{"start"}},
		{"the slash is punctuation", "start", "/start", []string{"/start"}},
		{"punctuation joins what it stood between", "email", "e-mail", []string{"e-mail"}},
		{"punctuation alone is no word", "да нет", "да - нет", []string{"да - нет"}},
		{"ASCII signs are punctuation", "a b", "a + b $ = ^ ` | ~ < >", []string{"a + b $ = ^ ` | ~ < >"}},
		{"emoji are letters", "ok", "ok 👍", no},
		{"emoji are letters", "👍", "👍", []string{"👍"}},
		{"spaces are collapsed", "a b", "  a \t\n\u00a0 b ", []string{"a \t\n\u00a0 b"}},

		{"a lone star is zero words", "привет *", "привет", []string{"привет", ""}},
		{"a lone star is one word", "привет *", "привет Вася", []string{"привет Вася", "Вася"}},
		{"a lone star is many words", "привет *", "Привет, дорогой Вася!", []string{"Привет, дорогой Вася!", "дорогой Вася!"}},
		{"a lone star alone matches all", "*", "что угодно", []string{"что угодно", "что угодно"}},
		{"a lone star alone matches nothing typed", "*", "", []string{"", ""}},
		{"a lone star in the middle", "из * в *", "из Москвы в Тулу", []string{"из Москвы в Тулу", "Москвы", "Тулу"}},
		{"a word still needs its place", "* в *", "из Москвы", no},
		{"words aren't split by a lone star", "привет *", "приветики", no},
		{"the i-th star is match[i], the first as short as it can be", "* а *", "x а y а z", []string{"x а y а z", "x", "y а z"}},
		{"the last words are anchored to the end", "* а", "а б а", []string{"а б а", "а б"}},
		{"two lone stars", "* *", "a b", []string{"a b", "", "a b"}},

		{"an attached star is zero letters", "доставк*", "Доставк", []string{"Доставк", ""}},
		{"an attached star is letters of that word", "доставк*", "доставкой", []string{"доставкой", "ой"}},
		{"an attached star ends with its word", "доставк*", "доставка завтра", no},
		{"an attached star at the front", "*ход", "Выход!", []string{"Выход!", "Вы"}},
		{"an attached star in the middle", "к*т", "КоТ", []string{"КоТ", "о"}},
		{"both ends can't use one letter", "аб*ба", "аба", no},
		{"several stars in a word", "a*b*c", "a1b2b3c", []string{"a1b2b3c", "1", "2b3"}},
		{"kinds of stars together", "* доставк* *", "а можно с Доставкой, на дом?", []string{"а можно с Доставкой, на дом?", "а можно с", "ой", "на дом?"}},
		{"captures are as typed, case and ё kept", "зови меня *", "Зови меня ЁЖ", []string{"Зови меня ЁЖ", "ЁЖ"}},
		{"punctuation beside captured letters stays out", "доставк*", "«Доставку!»", []string{"«Доставку!»", "у"}},

		{"an expression isn't anchored", `~(\d+)`, "номер 42 тут", []string{"42", "42"}},
		{"an expression ignores case", `~привет`, "ПРИВЕТ", []string{"ПРИВЕТ"}},
		{"match[0] is the whole match, groups follow", `~(\w+)@(\w+)`, "to a@b now", []string{"a@b", "a", "b"}},
		{"an expression sees the raw text", `~^/start$`, "/start", []string{"/start"}},
		{"an expression sees the raw text", `~^start$`, "/start", no},
		{"an expression sees the trimmed text", `~^a  b$`, "  a  b  ", []string{"a  b"}},
		{"a group that took no part is empty", `~^(a)|(b)$`, "b", []string{"b", "", "b"}},
	} {
		t.Run(c.rule+"/"+c.pattern+"/"+c.text, func(t *testing.T) {
			if got := matchOf(t, c.pattern, c.text); !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBadPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, wants string }{
		{"", "no words"},
		{"  /// !! ", "no words"},
		{"a ** b", "attached to no letter"},
		{"/* b", "attached to no letter"},
		{"a**b", "two stars"},
		{"a*-*b", "two stars"},
		{"~", "empty"},
		{"~(", "missing closing )"},
		{"~a{2000}", "invalid repeat count"},
		{"~(?:a{900}){1}b{900}c{900}", "too large"},
		{"~" + strings.Repeat("a", 1001), "longer than 1,000 bytes"},
		{strings.Repeat("a ", 501), "longer than 1,000 bytes"},
	} {
		if _, what, fix := (&parser{}).pattern(c.pattern); !strings.Contains(what, c.wants) || fix == "" {
			t.Errorf("pattern %.40q: got %q; %q, want %q", c.pattern, what, fix, c.wants)
		}
	}
}

// reference matches by trying everything, shortest star first, on words that are folded and split already.
// It gives what each star took, in folded words and letters.
func reference(pattern, words []string) ([]string, bool) {
	if len(pattern) == 0 {
		return nil, len(words) == 0
	}
	if pattern[0] == "*" {
		for n := 0; n <= len(words); n++ {
			if rest, ok := reference(pattern[1:], words[n:]); ok {
				return append([]string{strings.Join(words[:n], " ")}, rest...), true
			}
		}
		return nil, false
	}
	if len(words) == 0 {
		return nil, false
	}
	letters, ok := referenceWord(pattern[0], words[0])
	if !ok {
		return nil, false
	}
	rest, ok := reference(pattern[1:], words[1:])
	return append(letters, rest...), ok
}

func referenceWord(token, word string) ([]string, bool) {
	if token == "" {
		return nil, word == ""
	}
	if token[0] == '*' {
		for n := 0; n <= len(word); n++ {
			if rest, ok := referenceWord(token[1:], word[n:]); ok {
				return append([]string{word[:n]}, rest...), true
			}
		}
		return nil, false
	}
	if word == "" || word[0] != token[0] {
		return nil, false
	}
	return referenceWord(token[1:], word[1:])
}

func TestWordPatternsEqualBruteForce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		token := rapid.OneOf(rapid.Just("*"), rapid.StringMatching(`[ab]{1,2}`), rapid.StringMatching(`\*?[ab](\*[ab]){0,2}\*?`))
		pattern := rapid.SliceOfN(token, 1, 6).Draw(r, "pattern")
		words := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,5}`), 0, 8).Draw(r, "words")
		want, matches := reference(pattern, words)
		got := matchOf(t, strings.Join(pattern, " "), strings.Join(words, " "))
		switch {
		case !matches && got != nil:
			r.Fatalf("matched with %q", got)
		case matches && got == nil:
			r.Fatalf("did not match, should have with %q", want)
		case matches && !slices.Equal(got[1:], want):
			r.Fatalf("stars took %q, want %q", got[1:], want)
		}
	})
}

// A matcher that backtracks would need centuries here.
func TestManyStarsStayCheap(t *testing.T) {
	text := strings.Repeat("a ", maxText/2)
	word := strings.Repeat("a", maxText)
	started := time.Now()
	for _, c := range []struct{ pattern, text string }{
		{strings.Repeat("* a ", 100) + "b", text},
		{strings.Repeat("* ", 300) + "b", text},
		{strings.Repeat("a*", 300) + "b", word},
		{"*" + strings.Repeat("a*", 300) + "b", word},
		{"~(a*)*(a*)*(a*)*b$", word},
	} {
		if got := matchOf(t, c.pattern, c.text); got != nil {
			t.Errorf("%.20q should not match", c.pattern)
		}
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("five hard patterns took %s", took)
	}
}
