package scenario

import "strings"

// replies renders the messages of the answer.
func (t *turn) replies(list []reply) {
	for i := range list {
		r := &list[i]
		if !t.holds(r.when) {
			continue
		}
		out, ok := t.reply(r)
		if !ok {
			t.note(r.at, "the reply came out empty or too large and was left out")
			continue
		}
		if last := len(t.out.Replies) - 1; last >= 0 && r.joins(&out, &t.out.Replies[last]) {
			t.out.Replies[last].Buttons = out.Buttons
			continue
		}
		t.out.Replies = append(t.out.Replies, out)
	}
}

// joins tells whether a reply of buttons alone belongs to the message before it (specs/mapping.md): that message has
// none yet, and the buttons don't ask for a time of their own.
func (r *reply) joins(out, before *Reply) bool {
	alone := out.Text == "" && out.Markdown == "" && out.Attachment == nil && out.Native == nil
	return alone && before.Native == nil && len(before.Buttons) == 0 && (!r.ownAfter || out.After == before.After)
}

// reply renders one message; ok is false when nothing is left to show.
func (t *turn) reply(r *reply) (out Reply, ok bool) {
	out = Reply{State: t.out.Class, After: r.after}
	if r.native != nil {
		out.Native, ok = t.value(r.native).(map[string]any)
		return out, ok && weigh(out.Native, maxStored) <= maxStored
	}
	if r.text != nil {
		out.Text = t.text(r.text)
	}
	if r.markdown != nil {
		out.Markdown = t.text(r.markdown)
	}
	if r.attachment != nil {
		out.Attachment = t.attachment(r.attachment)
	}
	for _, b := range r.buttons {
		if button, shown := t.button(b); shown {
			out.Buttons = append(out.Buttons, button)
		}
	}
	return out, strings.TrimSpace(out.Text+out.Markdown) != "" || out.Attachment != nil || len(out.Buttons) > 0
}

// attachment renders a link to a file, nil when no usable address came out: the caption is shown alone then.
func (t *turn) attachment(a *attachment) *Attachment {
	address, ok := t.address(a.url, webSchemes)
	if !ok {
		return nil
	}
	out := &Attachment{Kind: a.kind, URL: address}
	if a.name != nil {
		out.Name = t.text(a.name)
	}
	return out
}

// button renders a button; one without a text isn't shown, one without a usable address stays a plain button.
func (t *turn) button(b button) (out Button, shown bool) {
	out.Text = strings.TrimSpace(t.text(b.text))
	if out.Text == "" {
		t.note(b.text.at, "the button came out without a text and was left out")
		return out, false
	}
	if b.url != nil {
		out.URL, _ = t.address(b.url, pressSchemes) // noted there
	}
	if b.payload != nil {
		out.Payload = t.text(b.payload)
	}
	return out, true
}
