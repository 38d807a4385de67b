package chatapi

import (
	"bytes"
	"encoding/json"

	"github.com/tolmach/tolmach/internal/chat"
)

// Format encodes answers as the body of a channel's webhook: always an array,
// of one envelope (specs/chatapi.md §3). It is safe for concurrent use.
type Format struct {
	Catalog func() *chat.Catalog
}

// Encode writes the body: the same bytes for the same work. An integration that
// asks for this format is sent the client's messages too, as requests; of other
// events it gets the question's name only. Errors: CodeNotFound when the
// conversation's task is gone from the settings.
func (f *Format) Encode(w *chat.Work) ([]byte, error) {
	if w.Task == nil {
		return nil, chat.Errorf(chat.CodeNotFound, "the task of this conversation is gone from the settings; restore it and replay the event")
	}
	e := encoder{catalog: f.Catalog(), channel: w.Task.Channel, client: w.Conversation.ExternalID}
	var body any
	switch {
	case w.Entry.Author == chat.AuthorClient:
		body = e.request(&w.Entry)
	case len(w.Answer) > 0:
		body = e.answer(w.Answer)
	default:
		body = e.answer([]chat.Entry{w.Entry})
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode([]any{body}); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
