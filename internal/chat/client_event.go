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
	fingerprint := in.fingerprint([]any{"event", in.Name, in.Payload})
	said := in.Question.fingerprint("event", in.Name)
	var out Accepted
	err := s.update(ctx, actor, func(u *unit) error {
		known, err := u.recall(in.Key, fingerprint)
		if err == nil && known == nil {
			known, err = u.recallQuestion(&in.Incoming, said)
		}
		if err != nil || known != nil {
			if known != nil {
				out = *known
			}
			return err
		}
		if err := u.receive(&in.Incoming); err != nil {
			return err
		}
		data, err := u.ask(&in.Incoming, in.Payload)
		if err != nil {
			return err
		}
		data.Name = in.Name
		e := Event{Kind: EventClientEvent, Author: AuthorClient}
		e.BotID, data.Silence = u.asked()
		e.Data = data
		appended, err := u.append(e, nil)
		if err != nil {
			return err
		}
		if out, err = u.accepted(&in.Incoming, said, appended); err != nil {
			return err
		}
		return u.remember(in.Key, fingerprint, 0)
	})
	return out, err
}
