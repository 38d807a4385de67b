package selarti

import (
	"encoding/json"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// plainText shows a message in a messenger that knows text only
// (specs/mapping.md): header, text, list, buttons, attachments and footer, each
// on lines of its own. Nothing that was said is left out.
func plainText(c *chat.Content) string {
	var lines []string
	add := func(line string) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	add(c.Header)
	switch {
	case c.Text != "":
		add(c.Text)
	case c.Markdown != "":
		add(stripMarkdown(c.Markdown))
	}
	lines = append(lines, listLines(c.List)...)
	for _, b := range c.Buttons {
		if b.URL != "" {
			add(b.Text + ": " + b.URL)
		} else {
			add("• " + b.Text)
		}
	}
	for _, a := range c.Attachments {
		add(a.URL)
	}
	add(c.Footer)
	if len(lines) == 0 && len(c.Native) > 0 {
		add(nativeLine(c.Native))
	}
	return strings.Join(lines, "\n")
}

func listLines(l *chat.ListPicker) []string {
	if l == nil {
		return nil
	}
	var lines []string
	add := func(line string) {
		if line != "" {
			lines = append(lines, line)
		}
	}
	add(l.Header)
	add(l.Title)
	for _, s := range l.Sections {
		add(s.Title)
		for _, item := range s.Items {
			line := "• " + item.Title
			if item.SubTitle != "" {
				line += " (" + item.SubTitle + ")"
			}
			add(line)
		}
	}
	add(l.Footer)
	return lines
}

// nativeLine stands for a foreign reply that only its own dialect can show.
func nativeLine(native json.RawMessage) string {
	var reply struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(native, &reply) != nil || reply.Type == "" {
		return "[message]"
	}
	return "[" + reply.Type + "]"
}
