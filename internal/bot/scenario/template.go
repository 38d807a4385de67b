package scenario

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// template is a text with expressions in it: "Hello, {{ client.name }}!".
type template struct {
	at    position
	parts []part
}

// part is a literal text, or an expression when it has one.
type part struct {
	text string
	expr *expression
}

// template reads a text and compiles the expressions in it; nil means that a problem was noted.
func (p *parser) template(n *yaml.Node, what, into string) *template {
	source, ok := p.scalar(n, what)
	if !ok {
		return nil
	}
	t := &template{at: place(n)}
	for {
		before, rest, opened := strings.Cut(source, "{{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !opened {
			return t
		}
		inside, after, closed := cutExpression(rest)
		if !closed {
			p.refuse(t.at, "{{ has no }} in "+what, "close the expression with }}")
			return nil
		}
		e := p.expression(inside, t.at, into, false)
		if e == nil {
			return nil
		}
		t.parts = append(t.parts, part{expr: e})
		source = after
	}
}

// cutExpression cuts what follows {{ at its }}, respecting braces and quotes inside the expression.
func cutExpression(source string) (inside, after string, closed bool) {
	depth, quoted := 0, byte(0)
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case quoted != 0:
			if c == '\\' && quoted != '`' {
				i++
			} else if c == quoted {
				quoted = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quoted = c
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case strings.HasPrefix(source[i:], "}}"):
			return source[:i], source[i+2:], true
		}
	}
	return "", "", false
}

// whole is the expression when the text is exactly one {{ }}, else nil.
func (t *template) whole() *expression {
	if len(t.parts) == 1 {
		return t.parts[0].expr
	}
	return nil
}

// blank tells whether the template can only render spaces.
func (t *template) blank() bool {
	return len(t.parts) == 0 || len(t.parts) == 1 && t.parts[0].expr == nil && strings.TrimSpace(t.parts[0].text) == ""
}

// text renders a template.
func (t *turn) text(tm *template) string {
	return t.pay(t.short(clean(t.render(tm, maxText, textOf)), tm.at), tm.at)
}

// render writes the parts one after the other, and stops soon after the limit.
func (t *turn) render(tm *template, limit int, write func(any) string) string {
	var b strings.Builder
	for _, part := range tm.parts {
		if b.Len() > limit {
			break
		}
		if part.expr == nil {
			b.WriteString(part.text)
		} else if v := t.eval(part.expr); v != nil {
			b.WriteString(write(v))
		}
	}
	return b.String()
}

// typed renders a template that keeps the type of its value when it is exactly one {{ }}.
func (t *turn) typed(tm *template) any {
	e := tm.whole()
	if e == nil {
		return t.text(tm)
	}
	switch v := plain(t.eval(e)).(type) {
	case nil:
		return ""
	case string:
		return t.pay(t.short(v, tm.at), tm.at)
	case []any, map[string]any:
		if weigh(v, maxText) > maxText || t.meter.spend(weigh(v, maxText)) != nil {
			t.note(tm.at, "the value is longer than 64 KiB and was left out")
			return ""
		}
		return v
	default:
		return v
	}
}

// pay charges a text to the turn: many templates of one long message must not add up to all memory.
func (t *turn) pay(s string, at position) string {
	if t.meter.spend(len(s)) != nil {
		t.note(at, "this turn makes too much text; this one was left out")
		return ""
	}
	return s
}

// url renders a template whose values are percent-encoded, so that a client's words can change neither the host
// nor the path nor the parameters.
func (t *turn) url(tm *template) string {
	return t.render(tm, maxAddress, func(v any) string { return percentEncode(textOf(v)) })
}

// percentEncode keeps the unreserved characters of RFC 3986 and encodes every other byte.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString(string([]byte{'%', hex[c>>4], hex[c&15]}))
		}
	}
	return b.String()
}

// short cuts a text at 64 KiB, between two characters, and says so.
func (t *turn) short(s string, at position) string {
	if len(s) <= maxText {
		return s
	}
	t.note(at, "the text is longer than 64 KiB and was cut")
	cut := maxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
