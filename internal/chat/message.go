package chat

import "encoding/json"

// Author is who wrote a message.
type Author string

// The authors.
const (
	AuthorClient   Author = "CLIENT"
	AuthorBot      Author = "BOT"
	AuthorOperator Author = "OPERATOR"
	AuthorSystem   Author = "SYSTEM"
)

// Status is how far a message came. It only moves forward.
type Status string

// The statuses, in order (specs/chatapi.md §9).
const (
	StatusNotSent   Status = "NOT_SENT"
	StatusSent      Status = "SENT"
	StatusDelivered Status = "DELIVERED"
	StatusRead      Status = "READ"
)

// Rank orders the statuses; an unknown one ranks -1.
func (s Status) Rank() int {
	for i, known := range []Status{StatusNotSent, StatusSent, StatusDelivered, StatusRead} {
		if s == known {
			return i
		}
	}
	return -1
}

// Message is one bubble (specs/mapping.md). Seq and At are those of the event
// that created it.
type Message struct {
	ID             ID
	TenantID       ID
	ConversationID ID
	SessionID      ID
	Seq            int64
	At             Micros
	Author         Author
	AuthorID       ID // of the bot or operator; 0 for clients and the system
	AnswerID       ID // messages appended together share it; 0 for a client's
	ReplyTo        ID
	Status         Status
	Content        Content
}

// Content is what a message says. At most one of Buttons and List is set.
type Content struct {
	Text        string          `json:"text,omitempty"`
	Markdown    string          `json:"markdown,omitempty"`
	Attachments []Attachment    `json:"attachments,omitempty"`
	Buttons     []Button        `json:"buttons,omitempty"`
	List        *ListPicker     `json:"list,omitempty"`
	Header      string          `json:"header,omitempty"`
	Footer      string          `json:"footer,omitempty"`
	BlockInput  *bool           `json:"block_input,omitempty"`
	Payload     string          `json:"payload,omitempty"`    // of the button a client pressed
	ShownText   string          `json:"shown_text,omitempty"` // what people see instead of Text
	State       string          `json:"state,omitempty"`      // the bot's state that said it
	Native      json.RawMessage `json:"native,omitempty"`     // a foreign reply of a type we don't know, untouched
}

// Empty says whether there is nothing to show.
func (c *Content) Empty() bool {
	return c.Text == "" && c.Markdown == "" && len(c.Attachments) == 0 && len(c.Buttons) == 0 &&
		c.List == nil && len(c.Native) == 0
}

// Attachment is a file by link. Kind is image, audio, video or file.
type Attachment struct {
	Kind     string `json:"kind"`
	URL      string `json:"url"`
	Name     string `json:"name,omitempty"`
	MimeType string `json:"mime_type,omitempty"`
	Size     int64  `json:"size,omitempty"`
}

// Button is a quick reply, a link (URL) or a request for the client's contact.
type Button struct {
	Text      string `json:"text"`
	URL       string `json:"url,omitempty"`
	Payload   string `json:"payload,omitempty"`
	ShownText string `json:"shown_text,omitempty"`
	Contact   bool   `json:"contact,omitempty"`
	ImageURL  string `json:"image_url,omitempty"`
	Callback  string `json:"callback,omitempty"`
}

// ListPicker is a list to choose from (specs/threads.md §3.4).
type ListPicker struct {
	Header   string        `json:"header,omitempty"`
	Footer   string        `json:"footer,omitempty"`
	Title    string        `json:"title"`
	Sections []ListSection `json:"sections"`
}

// ListSection is a titled part of a list.
type ListSection struct {
	Title string     `json:"title,omitempty"`
	Items []ListItem `json:"items"`
}

// ListItem is one choice; Identifier comes back as the client's payload.
type ListItem struct {
	Title      string `json:"title"`
	SubTitle   string `json:"sub_title,omitempty"`
	Identifier string `json:"identifier,omitempty"`
}
