package scenario

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReplies(t *testing.T) {
	const s = "/One"
	for _, c := range []struct {
		rule, yaml string
		want       []Reply
	}{
		{"a text", `[{text: "hi {{ vars.x }}"}]`, []Reply{{State: s, Text: "hi v"}}},
		{"Markdown by its key", `[{markdown: "**{{ vars.x }}**"}]`, []Reply{{State: s, Markdown: "**v**"}}},
		{"Markdown with a plain text", `[{markdown: "**a**", text: a}]`, []Reply{{State: s, Markdown: "**a**", Text: "a"}}},
		{"Markdown by markup", `[{text: "**a**", markup: markdown}]`, []Reply{{State: s, Markdown: "**a**"}}},
		{"plain by markup", `[{text: "**a**", markup: plain}]`, []Reply{{State: s, Text: "**a**"}}},
		{"several messages", `[{text: a}, {text: b}]`, []Reply{{State: s, Text: "a"}, {State: s, Text: "b"}}},
		{"an image with a caption", `[{image: "https://a/{{ vars.x }}.png", text: "cap {{ vars.x }}"}]`,
			[]Reply{{State: s, Text: "cap v", Attachment: &Attachment{Kind: "image", URL: "https://a/v.png"}}}},
		{"audio and file with a name", `[{audio: "https://a/a.ogg", name: A}, {file: "http://a/b.pdf", name: "{{ vars.x }}.pdf"}]`,
			[]Reply{{State: s, Attachment: &Attachment{"audio", "https://a/a.ogg", "A"}}, {State: s, Attachment: &Attachment{"file", "http://a/b.pdf", "v.pdf"}}}},
		{"an address from a value as a whole", `[{image: "{{ vars.url }}"}]`, []Reply{{State: s, Attachment: &Attachment{Kind: "image", URL: "https://b/c d?e=f"}}}},
		{"a value inside an address", `[{image: "https://a/{{ vars.url }}"}]`,
			[]Reply{{State: s, Attachment: &Attachment{Kind: "image", URL: "https://a/https%3A%2F%2Fb%2Fc%20d%3Fe%3Df"}}}},

		{"buttons join the message before", `[{text: a}, {buttons: [b, c]}]`, []Reply{{State: s, Text: "a", Buttons: []Button{{Text: "b"}, {Text: "c"}}}}},
		{"buttons beside a text", `[{text: a, buttons: [b]}]`, []Reply{{State: s, Text: "a", Buttons: []Button{{Text: "b"}}}}},
		{"buttons alone", `[{buttons: [b]}]`, []Reply{{State: s, Buttons: []Button{{Text: "b"}}}}},
		{"buttons join a picture", `[{image: "https://a/"}, {buttons: [b]}]`,
			[]Reply{{State: s, Attachment: &Attachment{Kind: "image", URL: "https://a/"}, Buttons: []Button{{Text: "b"}}}}},
		{"second buttons stand alone", `[{text: a}, {buttons: [b]}, {buttons: [c]}]`,
			[]Reply{{State: s, Text: "a", Buttons: []Button{{Text: "b"}}}, {State: s, Buttons: []Button{{Text: "c"}}}}},
		{"buttons don't join a foreign reply", `[{native: {type: x}}, {buttons: [b]}]`,
			[]Reply{{State: s, Native: map[string]any{"type": "x"}}, {State: s, Buttons: []Button{{Text: "b"}}}}},
		{"buttons join over a reply that isn't shown", `[{text: a}, {when: "false", text: b}, {buttons: [c]}]`,
			[]Reply{{State: s, Text: "a", Buttons: []Button{{Text: "c"}}}}},
		{"kinds of buttons", `[{text: a, buttons: ["b {{ vars.x }}", {text: c, payload: "p-{{ vars.x }}"}, {text: d, url: "https://a/{{ vars.x }}"}, {text: e, url: "tel:+100"}]}]`,
			[]Reply{{State: s, Text: "a", Buttons: []Button{{Text: "b v"}, {Text: "c", Payload: "p-v"}, {Text: "d", URL: "https://a/v"}, {Text: "e", URL: "tel:+100"}}}}},

		{"a late answer", `[{text: a}, {text: b, after: 1m30s}]`, []Reply{{State: s, Text: "a"}, {State: s, Text: "b", After: 90 * time.Second}}},
		{"buttons join a late message", `[{text: b, after: 1s}, {buttons: [c]}]`, []Reply{{State: s, Text: "b", After: time.Second, Buttons: []Button{{Text: "c"}}}}},
		{"late buttons don't join a message of now", `[{text: b}, {buttons: [c], after: 1s}]`,
			[]Reply{{State: s, Text: "b"}, {State: s, Buttons: []Button{{Text: "c"}}, After: time.Second}}},
		{"a foreign reply passes through", `[{native: {type: carousel, text: "t {{ vars.x }}", content: [{title: a, n: 1}]}}]`,
			[]Reply{{State: s, Native: map[string]any{"type": "carousel", "text": "t v", "content": []any{map[string]any{"title": "a", "n": 1}}}}}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			out := play(t, mustParse(t, one("    replies: "+c.yaml)), Input{Text: "?", Vars: map[string]any{"x": "v", "url": "https://b/c d?e=f"}})
			if !reflect.DeepEqual(out.Replies, c.want) || len(out.Notes) > 0 {
				t.Errorf("got  %+v\nwant %+v\nnotes %q", out.Replies, c.want, out.Notes)
			}
		})
	}
}

// What can't be shown becomes less, never an error, and is noted.
func TestRepliesThatCameOutEmpty(t *testing.T) {
	for _, c := range []struct {
		rule, yaml string
		want       []Reply
	}{
		{"a text of nothing", `[{text: "{{ vars.none }}"}, {text: a}]`, []Reply{{State: "/One", Text: "a"}}},
		{"a picture without an address keeps its caption", `[{image: "{{ vars.none }}", text: a}]`, []Reply{{State: "/One", Text: "a"}}},
		{"an address that isn't one", `[{image: "{{ text }}", text: a}]`, []Reply{{State: "/One", Text: "a"}}},
		{"an address of another scheme", `[{buttons: [{text: a, url: "{{ vars.bad }}"}]}]`, []Reply{{State: "/One", Buttons: []Button{{Text: "a"}}}}},
		{"a button of nothing", `[{text: a, buttons: ["{{ vars.none }}", b]}]`, []Reply{{State: "/One", Text: "a", Buttons: []Button{{Text: "b"}}}}},
		{"no button left", `[{buttons: ["{{ vars.none }}"]}]`, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			out := play(t, mustParse(t, one("    replies: "+c.yaml)), Input{Text: "words", Vars: map[string]any{"bad": "javascript:alert(1)"}})
			if !reflect.DeepEqual(out.Replies, c.want) || len(out.Notes) == 0 {
				t.Errorf("got  %+v\nwant %+v\nnotes %q", out.Replies, c.want, out.Notes)
			}
			if strings.Contains(strings.Join(out.Notes, ""), "words") {
				t.Errorf("the notes tell the message: %q", out.Notes)
			}
		})
	}
}

func TestWhatNoMessageMayHoldIsDropped(t *testing.T) {
	out := play(t, mustParse(t, one("    replies: [{text: \"\\0{{ data }}\"}]")), Input{Text: "x", Data: "a\x00b\xffc"})
	if texts(out) != "ab\uFFFDc" {
		t.Errorf("got %q", texts(out))
	}
}
