package chat

import (
	"context"
	"encoding/json"
)

// EventStart is what a bot is told when a session opens without a text.
const EventStart = "start"

// MaxEventName is the longest name of a client's event.
const MaxEventName = 256

// ClientEvent is something a client did that is no text: a file was chosen, a
// page opened, any name the bot understands (specs/chatapi.md §7).
type ClientEvent struct {
	Incoming
	Name    string
	Payload json.RawMessage // any JSON, handed to the bot as it is
}

// ClientEvent appends a client's event and asks the bot about it, as
// ClientMessage does with a text. MessageID of what it returns is 0.
func (s *Service) ClientEvent(ctx context.Context, actor Actor, in ClientEvent) (Accepted, error) {
	if err := in.check(actor); err != nil {
		return Accepted{}, err
	}
	switch {
	case in.Name == "":
		return Accepted{}, &Error{Code: CodeMissing, Field: "event", Message: "the event has no name"}
	case len(in.Name) > MaxEventName:
		return Accepted{}, &Error{Code: CodeTooLarge, Field: "event", Message: "the name of the event is over 256 bytes"}
	}
	if err := checkPayload(in.Payload); err != nil {
		return Accepted{}, err
	}
	var out Accepted
	err := s.update(ctx, actor, func(u *unit) error {
		if err := u.receive(&in.Incoming); err != nil {
			return err
		}
		bot, silence := u.asked()
		e, err := u.append(Event{
			Kind: EventClientEvent, Author: AuthorClient, BotID: bot,
			Data: EventData{Name: in.Name, Payload: in.Payload, Silence: silence, NewSession: u.opened},
		}, nil)
		if err != nil {
			return err
		}
		out = Accepted{ConversationID: u.conv.ID, CreatedAt: u.conv.CreatedAt, Seq: e.Seq, At: e.At}
		return nil
	})
	return out, err
}
