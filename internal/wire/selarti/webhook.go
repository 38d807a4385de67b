package selarti

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
)

// Format encodes events as the vendor's flat object of 20 fields
// (specs/selarti.md §4.2). It is safe for concurrent use.
type Format struct {
	publicURL string
}

// NewFormat makes the format. Links to the panel and to shared conversations
// begin with publicURL.
func NewFormat(publicURL string) *Format {
	return &Format{publicURL: strings.TrimSuffix(publicURL, "/")}
}

// webhook is the body. The first 20 fields are always there; the last two are
// ours and only there when they hold something.
type webhook struct {
	WhType         string `json:"wh_type"`
	CompanyID      string `json:"company_id"`
	ChannelID      string `json:"channel_id"`
	TaskID         string `json:"task_id"`
	ManagerID      string `json:"manager_id"`
	ThreadID       string `json:"thread_id"`
	ExternalChatID string `json:"external_chat_id"`
	MessageID      string `json:"message_id"`
	MessageText    string `json:"message_text"`
	MessageType    string `json:"message_type"`
	Title          string `json:"title"`
	Contacts       string `json:"contacts"`
	Success        any    `json:"success"` // the six as bool_format says
	GetContact     any    `json:"get_contact"`
	Interest       any    `json:"interest"`
	Close          any    `json:"close"`
	Operator       any    `json:"operator"`
	IsBot          any    `json:"is_bot"`
	PanelURL       string `json:"panel_url"`
	ShareURL       string `json:"share_url"`

	Attachments []chat.Attachment `json:"attachments,omitempty"`
	Buttons     []webhookButton   `json:"buttons,omitempty"`
}

type webhookButton struct {
	Text    string `json:"text"`
	URL     string `json:"url,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// Encode writes the body of one event: the same bytes for the same work. What
// a receiver must not see change, the flags, the name and the contacts, comes
// from the event itself. Errors: CodeNotFound when the conversation's task or
// tenant is gone from the settings, so that its ids are not known any more.
func (f *Format) Encode(w *chat.Work) ([]byte, error) {
	if w.Task == nil || w.Tenant == nil {
		return nil, chat.Errorf(chat.CodeNotFound, "the task of this conversation is gone from the settings; restore it and replay the event")
	}
	body := webhook{
		CompanyID: BubbleID(w.Tenant.CreatedAt, w.Tenant.ID),
		ChannelID: BubbleID(w.Task.Channel.CreatedAt, w.Task.Channel.ID),
		TaskID:    TaskID(w.Task.Task),
		ThreadID:  threadID(w.Conversation),

		ExternalChatID: w.Conversation.ExternalID,
		PanelURL:       f.publicURL + "/panel?menu=chats&thread=" + threadID(w.Conversation),
		ShareURL:       f.publicURL + "/share/" + url.PathEscape(w.Conversation.ShareToken),
	}
	if m := w.Task.Manager; m != nil {
		body.ManagerID = BubbleID(m.CreatedAt, m.ID)
	}
	body.setEvent(w)
	body.setClient(w)
	body.setFlags(w.Entry.Flags, settingsOf(w).BoolFormat)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// settingsOf returns the integration's settings; an endpoint that is none has
// the defaults.
func settingsOf(w *chat.Work) *chat.Integration {
	if w.Endpoint.Integration != nil {
		return w.Endpoint.Integration
	}
	return &chat.Integration{}
}

// setEvent says what happened: a message, a tag, or another event of the log.
func (b *webhook) setEvent(w *chat.Work) {
	e := &w.Entry
	b.WhType, b.MessageType = string(e.Kind), "bot"
	b.MessageID = BubbleID(e.At, e.ID)
	switch {
	case e.Kind == chat.EventFlagSet:
		b.WhType = e.Data.Flag
		if w.Cause != nil {
			b.MessageID = messageID(w.Cause)
		}
	case e.Message != nil:
		b.MessageID, b.MessageType = messageID(e.Message), messageType(e.Message.Author)
		if e.Kind == chat.EventMessageCreated {
			b.WhType = chat.AllMessages
			b.MessageText = plainText(&e.Message.Content)
			b.Attachments = e.Message.Content.Attachments
			b.Buttons = webhookButtons(&e.Message.Content)
		}
	}
	if named := settingsOf(w).WhTypes[b.WhType]; named != "" {
		b.WhType = named
	}
}

// setClient takes the name and contacts of the event's snapshot; events that
// carry none (neither messages nor tags) tell the ones of now.
func (b *webhook) setClient(w *chat.Work) {
	switch w.Entry.Kind {
	case chat.EventMessageCreated, chat.EventFlagSet, chat.EventFlagCleared, chat.EventClientChanged:
		b.Title, b.Contacts = w.Entry.Data.Title, w.Entry.Data.Contacts
	default:
		b.Title, b.Contacts = w.Client.Title(), w.Client.Contacts()
	}
}

func (b *webhook) setFlags(flags chat.Flags, format string) {
	write := func(f chat.Flags) any { return writeBool(flags.Has(f), format) }
	b.Success, b.GetContact = write(chat.FlagSuccess), write(chat.FlagGetContact)
	b.Interest, b.Close = write(chat.FlagInterest), write(chat.FlagClose)
	b.Operator, b.IsBot = write(chat.FlagOperator), write(chat.FlagIsBot)
}

// writeBool renders a flag as the integration's bool_format says: a JSON
// boolean, or the texts that the vendor's platform makes of one.
func writeBool(set bool, format string) any {
	switch {
	case format == "yes_no" && set:
		return "yes"
	case format == "yes_no":
		return "no"
	case format == "string" && set:
		return "true"
	case format == "string":
		return "false"
	}
	return set
}

// messageType names the author. The server's own messages are a bot's to
// whoever is on the other side.
func messageType(a chat.Author) string {
	switch a {
	case chat.AuthorClient:
		return "user"
	case chat.AuthorOperator:
		return "operator"
	default:
		return "bot"
	}
}

func webhookButtons(c *chat.Content) []webhookButton {
	var buttons []webhookButton
	for _, b := range c.Buttons {
		buttons = append(buttons, webhookButton{Text: b.Text, URL: b.URL, Payload: b.Payload})
	}
	return buttons
}

func threadID(c *chat.Conversation) string { return BubbleID(c.CreatedAt, c.ID) }

func messageID(m *chat.Message) string { return BubbleID(m.At, m.ID) }
