package scenario

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
)

// contents turns replies into messages: those of the answer, and late ones.
// A reply of buttons alone joins the message before it (specs/mapping.md).
func contents(out Outcome) (now []chat.Content, late []chat.LateAnswer, err error) {
	for _, r := range out.Replies {
		c, err := content(r)
		if err != nil {
			return nil, nil, err
		}
		if r.After <= 0 {
			now = addContent(now, c)
			continue
		}
		after := chat.Duration(r.After)
		if n := len(late); n > 0 && late[n-1].After == after {
			late[n-1].Messages = addContent(late[n-1].Messages, c)
			continue
		}
		if messages := addContent(nil, c); len(messages) > 0 {
			late = append(late, chat.LateAnswer{After: after, Messages: messages, Class: r.State})
		}
	}
	return now, late, nil
}

// addContent appends a message, or its buttons to the last one.
func addContent(messages []chat.Content, c chat.Content) []chat.Content {
	if c.Empty() {
		return messages
	}
	last := len(messages) - 1
	onlyButtons := c.Text == "" && c.Markdown == "" && len(c.Attachments) == 0 && len(c.Native) == 0
	if onlyButtons && last >= 0 && len(messages[last].Buttons) == 0 && len(messages[last].Native) == 0 {
		messages[last].Buttons = c.Buttons
		return messages
	}
	return append(messages, c)
}

func content(r Reply) (chat.Content, error) {
	c := chat.Content{Text: r.Text, Markdown: r.Markdown, State: r.State}
	if r.Attachment != nil {
		c.Attachments = []chat.Attachment{{Kind: r.Attachment.Kind, URL: r.Attachment.URL, Name: r.Attachment.Name}}
	}
	for _, b := range r.Buttons {
		c.Buttons = append(c.Buttons, chat.Button{Text: b.Text, URL: b.URL, Payload: b.Payload})
	}
	if r.Native == nil {
		return c, nil
	}
	native, err := json.Marshal(r.Native)
	c.Native = native
	return c, err
}
