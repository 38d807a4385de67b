package chatapi

import (
	"encoding/json"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// reply is one entry of data.replies (specs/chatapi.md §6). A reply of a type we
// don't know is passed on as the bot wrote it.
type reply struct {
	Type      string        `json:"type"`
	Text      string        `json:"text,omitempty"`
	Markup    string        `json:"markup,omitempty"`
	ImageURL  string        `json:"imageUrl,omitempty"`
	AudioURL  string        `json:"audioUrl,omitempty"`
	AudioName string        `json:"audioName,omitempty"`
	FileURL   string        `json:"fileUrl,omitempty"`
	FileName  string        `json:"fileName,omitempty"`
	MimeType  string        `json:"mimeType,omitempty"`
	Buttons   []replyButton `json:"buttons,omitempty"`
	State     string        `json:"state,omitempty"`
}

type replyButton struct {
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
}

// replies turns one message into the vendor's replies (specs/mapping.md).
func replies(c *chat.Content) []any {
	var list []any
	add := func(r reply) {
		r.State = c.State
		list = append(list, r)
	}
	text, markup := c.Text, ""
	if c.Markdown != "" {
		text, markup = c.Markdown, "markdown"
	}
	if c.List != nil {
		text = join(text, listText(c.List))
	}
	text = join(join(c.Header, text), c.Footer)
	captioned := len(c.Attachments) == 1 && c.Attachments[0].Kind == "image" && markup == ""
	if text != "" && !captioned {
		add(reply{Type: "text", Text: text, Markup: markup})
	}
	for i := range c.Attachments {
		r := attachment(&c.Attachments[i])
		if captioned {
			r.Text = text
		}
		add(r)
	}
	plain, links := buttons(c)
	if len(plain) > 0 {
		add(reply{Type: "buttons", Buttons: plain})
	}
	if len(links) > 0 {
		add(reply{Type: "inlineButtons", Buttons: links})
	}
	if len(c.Native) > 0 {
		list = append(list, c.Native)
	}
	return list
}

func attachment(a *chat.Attachment) reply {
	switch a.Kind {
	case "image":
		return reply{Type: "image", ImageURL: a.URL}
	case "audio":
		return reply{Type: "audio", AudioURL: a.URL, AudioName: a.Name}
	default:
		return reply{Type: "file", FileURL: a.URL, FileName: a.Name, MimeType: a.MimeType}
	}
}

// buttons parts what sends a text from what opens a link. The items of a list
// are buttons here.
func buttons(c *chat.Content) (plain, links []replyButton) {
	for _, b := range c.Buttons {
		if b.URL != "" {
			links = append(links, replyButton{b.Text, b.URL})
			continue
		}
		plain = append(plain, replyButton{Text: b.Text})
	}
	if c.List != nil {
		for _, section := range c.List.Sections {
			for _, item := range section.Items {
				plain = append(plain, replyButton{Text: item.Title})
			}
		}
	}
	return plain, links
}

// listText is what a list says beside the titles of its items.
func listText(l *chat.ListPicker) string {
	lines := []string{l.Header, l.Title}
	for _, section := range l.Sections {
		lines = append(lines, section.Title)
		for _, item := range section.Items {
			if item.SubTitle != "" {
				lines = append(lines, item.Title+": "+item.SubTitle)
			}
		}
	}
	text := ""
	for _, line := range append(lines, l.Footer) {
		text = join(text, line)
	}
	return text
}

// join puts two texts one below the other.
func join(above, below string) string { return strings.Trim(above+"\n"+below, "\n") }

// switchReply shows that people take over: the bot's own reply of that type, or
// one of ours (specs/chatapi.md §8).
func switchReply(meta *chat.AnswerMeta) any {
	said := map[string]json.RawMessage{} // numbers and all as the bot wrote them
	if len(meta.Switch) > 0 && json.Unmarshal(meta.Switch, &said) != nil {
		said = map[string]json.RawMessage{}
	}
	fields := make(map[string]any, len(said)+2)
	for name, value := range said {
		fields[name] = value
	}
	fields["type"] = "switch"
	if _, given := fields["state"]; !given && meta.Class != "" {
		fields["state"] = meta.Class
	}
	return fields
}

// textOf is what a text reply says, ours or the bot's own.
func textOf(r any) (string, bool) {
	switch r := r.(type) {
	case reply:
		return r.Text, r.Type == "text"
	case json.RawMessage:
		var own struct{ Type, Text string }
		err := json.Unmarshal(r, &own)
		return own.Text, err == nil && own.Type == "text" && own.Text != ""
	}
	return "", false
}
