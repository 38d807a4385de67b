package chat

import "context"

// OperatorMessage is what a person writes to a client. Take says whether
// writing takes the session over; nil is the default of the channel: yes,
// except on page messenger tasks (specs/selarti.md §2.4).
type OperatorMessage struct {
	ConversationID ID
	Content        Content
	Key            string
	Take           *bool
}

// OperatorMessage appends an operator's message. With no session open it opens
// one: his own if he takes over, else as the route says.
//
// Errors: CodeMissing for an empty message, CodeConflict when another operator
// owns the session (the message names him) or the key made something else.
func (s *Service) OperatorMessage(ctx context.Context, actor Actor, in OperatorMessage) (Accepted, error) {
	if actor.Kind != ActorOperator {
		return Accepted{}, Errorf(CodeForbidden, "only an operator may write as one")
	}
	switch {
	case in.Content.Empty():
		return Accepted{}, &Error{Code: CodeMissing, Field: "text", Message: "the message is empty; write a text or attach a file"}
	case len(in.Content.Text) > MaxText:
		return Accepted{}, &Error{Code: CodeTooLarge, Field: "text", Message: "the text is over 64 KiB; send it in parts"}
	case len(in.Key) > MaxKey:
		return Accepted{}, &Error{Code: CodeTooLarge, Field: "key", Message: "the key is over 256 bytes"}
	}
	if err := checkAttachments(in.Content.Attachments); err != nil {
		return Accepted{}, err
	}
	fingerprint := (&Incoming{Key: in.Key, TaskID: in.ConversationID}).fingerprint(in.Content)
	var out Accepted
	err := s.update(ctx, actor, func(u *unit) error {
		known, err := u.recall(in.Key, fingerprint)
		if err != nil || known != nil {
			if known != nil {
				out = *known
			}
			return err
		}
		if err := u.load(actor.TenantID, in.ConversationID); err != nil {
			return err
		}
		e, err := u.addOperatorMessage(in)
		if err != nil {
			return err
		}
		out = Accepted{ConversationID: u.conv.ID, CreatedAt: u.conv.CreatedAt, MessageID: e.MessageID, Seq: e.Seq, At: e.At}
		return u.remember(in.Key, fingerprint, e.MessageID)
	})
	return out, err
}

func (u *unit) addOperatorMessage(in OperatorMessage) (*Event, error) {
	take := u.task.Channel.Kind != ChannelPageMessenger
	if in.Take != nil {
		take = *in.Take
	}
	if take {
		if err := u.take(); err != nil {
			return nil, err
		}
	} else if err := u.ensureSession(); err != nil {
		return nil, err
	}
	u.addCloseButton(&in.Content)
	m, err := u.newMessage(AuthorOperator, in.Content)
	if err != nil {
		return nil, err
	}
	m.AuthorID = u.actor.ID
	u.conv.Unread = 0
	head, err := u.answers(nil)
	if err != nil {
		return nil, err
	}
	return u.append(Event{Kind: EventMessageCreated, Data: EventData{QuestionID: head.questionID}}, m)
}
