package chat

import "context"

// MarkRead notes that people have read a conversation up to an event: Unread
// falls to the number of the client's messages after it, and never rises. The
// log tells it by a message.status event with Through, unless nothing changes.
// A seq beyond the end means all of it. It returns the conversation as it is
// afterwards. Errors: CodeNotFound, CodeForbidden.
func (s *Service) MarkRead(ctx context.Context, actor Actor, conversation ID, seq int64) (*Conversation, error) {
	return s.change(ctx, actor, conversation, func(u *unit) error {
		through := min(seq, u.conv.Seq)
		left, err := u.ClientMessagesAfter(actor.TenantID, conversation, through, u.conv.Unread)
		if err != nil || left >= u.conv.Unread {
			return err
		}
		u.conv.Unread = left
		_, err = u.append(Event{
			Kind: EventMessageStatus, Author: u.author(), AuthorID: actor.ID,
			Data: EventData{Status: StatusRead, Through: through},
		}, nil)
		return err
	})
}
