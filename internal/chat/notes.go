package chat

import (
	"context"
	"strings"
)

// AddNote puts a note for colleagues into the log. The client and the bot never
// see it; an integration does if it asks for note.added. It opens no session and
// wakes no bot. Errors: CodeMissing, CodeTooLarge, CodeNotFound, CodeForbidden.
func (s *Service) AddNote(ctx context.Context, actor Actor, conversation ID, text string) (*Event, error) {
	if err := actor.Require(ScopeConversations); err != nil {
		return nil, err
	}
	switch {
	case strings.TrimSpace(text) == "":
		return nil, &Error{Code: CodeMissing, Field: "text", Message: "the note is empty; write a text"}
	case len(text) > MaxNote:
		return nil, &Error{Code: CodeTooLarge, Field: "text", Message: "the note is over 4000 bytes"}
	}
	var added *Event
	err := s.update(ctx, actor, func(u *unit) error {
		if err := u.load(actor.TenantID, conversation); err != nil {
			return err
		}
		var err error
		added, err = u.append(Event{Kind: EventNoteAdded, Author: u.author(), AuthorID: actor.ID, Data: EventData{Note: text}}, nil)
		return err
	})
	return added, err
}
