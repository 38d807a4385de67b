package selarti

import (
	"strings"
	"testing"
	"time"
)

func TestStripMarkdown(t *testing.T) {
	for source, want := range map[string]string{
		"plain":                                  "plain",
		"**a** **b** *c* *d*":                    "a b c d",
		"__a__ _b_ ~~c~~ ***d***":                "a b c d",
		"2*3*4 snake_case_name 5 * 6 * 7":        "2*3*4 snake_case_name 5 * 6 * 7",
		"an [open link](https://x.y/_a_b_) here": "an open link: https://x.y/_a_b_ here",
		"[https://x.y](https://x.y)":             "https://x.y",
		`[t](https://x.y "a title")`:             "t: https://x.y",
		"![map](https://x.y/m.png)":              "map: https://x.y/m.png",
		"**[t](https://x.y)**":                   "t: https://x.y",
		"# Head #\n## Sub\ntext #1":              "Head\nSub\ntext #1",
		"- one\n* two\n  + three\n1. four":       "• one\n• two\n  • three\n1. four",
		"> said\n> so":                           "said\nso",
		"a\n---\nb":                              "a\n\nb",
		"use `x * y` now":                        "use x * y now",
		"```go\nx := a*b*c\n```\nthen **go**":    "x := a*b*c\nthen go",
		"``` one line ```":                       "one line",
		"**unclosed and *open":                   "**unclosed and *open",
		"Привет, **Анна**! _Да_.":                "Привет, Анна! Да.",
		"a\r\nb":                                 "a\nb",
		"":                                       "",
	} {
		if got := stripMarkdown(source); got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
}

// A hostile text must not take long.
func TestStripMarkdownIsLinear(t *testing.T) {
	for _, piece := range []string{"*", "_", "**a", "[", "[a](", "`", "> ", "# ", "~~ "} {
		start := time.Now()
		stripMarkdown(strings.Repeat(piece, (16<<10)/len(piece)))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("16 KiB of %q took %v", piece, took)
		}
	}
}

func TestContactField(t *testing.T) {
	for text, want := range map[string]string{
		"@anna":                 "username",
		"@anna_p.1":             "username",
		"anna@example.com":      "email",
		"a.b+c@mail.example.uz": "email",
		"+998901234567":         "phone",
		"+998 (90) 123-45-67":   "phone",
		"8 800 555 35 35":       "phone",
		"1234567":               "phone",
		"123456":                "contact",
		"1234567890123456":      "contact",
		"@":                     "contact",
		"a@b":                   "contact",
		"anna":                  "contact",
		"room 1234567":          "contact",
		"+7 999, a@b.c":         "contact",
		"":                      "contact",
	} {
		if got := contactField(text); got != want {
			t.Errorf("%q is a %s, want %s", text, got, want)
		}
	}
}
