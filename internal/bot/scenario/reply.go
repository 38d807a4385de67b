package scenario

import (
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"
)

// Reply is one message of an answer (specs/mapping.md).
type Reply struct {
	State      string         // path of the state that made it
	After      time.Duration  // above zero: a late answer of its own, this long after the commit
	Text       string         // plain text; the caption when there is an attachment
	Markdown   string         // the same as Markdown; the core makes plain text of it when Text is empty
	Attachment *Attachment    // nil when there is none
	Buttons    []Button       // in order
	Native     map[string]any // a foreign reply that passes through untouched; then nothing else is set
}

// Attachment is a file that a reply links to.
type Attachment struct {
	Kind string // image, audio or file
	URL  string // http or https
	Name string // may be empty
}

// Button is a plain button, or a link when it has a URL.
type Button struct {
	Text    string
	URL     string // http, https, mailto or tel
	Payload string // comes back to the bot when the button is pressed
}

// reply is one item of `replies`.
type reply struct {
	at         position
	when       *expression
	after      time.Duration
	ownAfter   bool
	text       *template
	markdown   *template
	attachment *attachment
	buttons    []button
	native     *value
}

type attachment struct {
	kind string
	url  *template
	name *template
}

type button struct{ text, url, payload *template }

// attachmentKinds are the keys of a reply that link to a file.
var attachmentKinds = []string{"image", "audio", "file"}

func (p *parser) replies(n *yaml.Node, into string) []reply {
	items := p.list(n, "`replies`", 0, maxItems) // none is a deliberate silence
	replies := make([]reply, 0, len(items))
	for _, item := range items {
		replies = append(replies, p.reply(item, into))
	}
	return replies
}

func (p *parser) reply(n *yaml.Node, into string) reply {
	fields := p.record(n, "a reply", "when", "after", "text", "markup", "markdown", "buttons", "image", "audio", "file", "name", "native")
	r := reply{at: place(n)}
	if when := fields["when"]; when != nil {
		r.when = p.condition(when, into)
	}
	if after := fields["after"]; after != nil {
		r.after, r.ownAfter = p.duration(after, "`after`", maxAfter), true
	}
	if native := fields["native"]; native != nil {
		r.native = p.native(native, into)
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if !slices.Contains([]string{"when", "after", "native"}, key) {
				p.refuse(place(fields[key]), "`"+key+"` stands beside `native`", "write it as a reply of its own")
			}
		}
		return r
	}
	p.words(&r, fields, into)
	p.attach(&r, fields, into)
	if buttons := fields["buttons"]; buttons != nil {
		r.buttons = p.buttons(buttons, into)
	}
	if len(fields) == 0 || !slices.ContainsFunc(append([]string{"text", "markdown", "buttons"}, attachmentKinds...), func(key string) bool {
		return fields[key] != nil
	}) {
		p.refuse(r.at, "the reply has nothing to show", "write `text:`, `buttons:`, `image:`, `audio:`, `file:` or `native:`")
	}
	return r
}

// words reads the text of a reply, plain, as Markdown or both.
func (p *parser) words(r *reply, fields map[string]*yaml.Node, into string) {
	if n := fields["text"]; n != nil {
		r.text = p.template(n, "`text`", into)
	}
	if n := fields["markdown"]; n != nil {
		r.markdown = p.template(n, "`markdown`", into)
	}
	for _, t := range []*template{r.text, r.markdown} {
		if t != nil && t.blank() {
			p.refuse(t.at, "the text of the reply is empty", "write a text or remove the key")
		}
	}
	n := fields["markup"]
	if n == nil {
		return
	}
	markup, ok := p.scalar(n, "`markup`")
	switch {
	case !ok:
	case fields["text"] == nil || fields["markdown"] != nil:
		p.refuse(place(n), "`markup` says what `text` is, and goes with `text` alone", "write `text:` and `markup:`, or `markdown:`")
	case markup == "markdown":
		r.text, r.markdown = nil, r.text
	case markup != "plain":
		p.refuse(place(n), "unknown markup "+quote(markup), "write markdown or plain")
	}
}

func (p *parser) attach(r *reply, fields map[string]*yaml.Node, into string) {
	for _, kind := range attachmentKinds {
		n := fields[kind]
		if n == nil {
			continue
		}
		if r.attachment != nil {
			p.refuse(place(n), "a reply links to one file, here are `"+r.attachment.kind+"` and `"+kind+"`", "write two replies")
			continue
		}
		r.attachment = &attachment{kind: kind, url: p.address(n, "`"+kind+"`", into, webSchemes, true)}
	}
	n := fields["name"]
	switch {
	case n == nil:
	case r.attachment == nil:
		p.refuse(place(n), "`name` names a file, and the reply has none", "write `image:`, `audio:` or `file:` beside it")
	default:
		r.attachment.name = p.template(n, "`name`", into)
	}
}

func (p *parser) buttons(n *yaml.Node, into string) []button {
	items := p.list(n, "`buttons`", 1, maxItems)
	buttons := make([]button, 0, len(items))
	for _, item := range items {
		buttons = append(buttons, p.button(item, into))
	}
	return buttons
}

// button reads a button: a text alone, or a mapping.
func (p *parser) button(n *yaml.Node, into string) button {
	if target := p.visit(n); target == nil || target.Kind == yaml.ScalarNode {
		return button{text: p.label(n, into)}
	}
	fields := p.record(n, "a button", "text", "url", "payload")
	var b button
	if text := fields["text"]; text != nil {
		b.text = p.label(text, into)
	} else {
		p.refuse(place(n), "the button has no text", "write `text:`")
	}
	if url := fields["url"]; url != nil {
		b.url = p.address(url, "the `url` of a button", into, pressSchemes, true)
	}
	if payload := fields["payload"]; payload != nil {
		b.payload = p.template(payload, "`payload`", into)
	}
	return b
}

func (p *parser) label(n *yaml.Node, into string) *template {
	t := p.template(n, "the text of a button", into)
	if t != nil && t.blank() {
		p.refuse(place(n), "the button has no text", "write the text that people press")
	}
	return t
}

// native reads a reply of a foreign type, such as a carousel.
func (p *parser) native(n *yaml.Node, into string) *value {
	v := p.value(n, "`native`", into, 1)
	if v == nil {
		return nil
	}
	if i := slices.Index(v.keys, "type"); i < 0 || v.fields[i] == nil || v.fields[i].template == nil {
		p.refuse(place(n), "`native` must be an object with a `type`", "write it like {type: carousel, text: …, content: […]}")
	}
	return v
}
