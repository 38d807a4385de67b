package chat

import (
	"context"
	"encoding/json"
)

// MaxClientState is the longest state an application may keep, in bytes.
const MaxClientState = 256 << 10

// ClientState is what a client's application keeps with us: any JSON, as it was
// sent (specs/chatapi.md §9).
type ClientState struct {
	TenantID  ID
	ChannelID ID
	ClientID  ID
	State     json.RawMessage
	UpdatedAt Micros
}

// SaveClientState replaces the state of a client's application and tells its
// other connections by an event. in names the client; its Question may name the
// connection. Errors: CodeMissing, CodeInvalid, CodeTooLarge, CodeNotFound for
// the task.
func (s *Service) SaveClientState(ctx context.Context, actor Actor, in Incoming, state json.RawMessage) error {
	if err := in.check(actor); err != nil {
		return err
	}
	switch {
	case len(state) > MaxClientState:
		return &Error{Code: CodeTooLarge, Field: "state", Message: "the state is over 256 KiB"}
	case !json.Valid(state):
		return Invalid("state", "is not JSON")
	}
	cid := ""
	if in.Question != nil {
		cid = in.Question.CID
	}
	return s.update(ctx, actor, func(u *unit) error {
		if err := u.find(&in); err != nil {
			return err
		}
		e, err := u.append(Event{Kind: EventClientState, Author: AuthorClient, Data: EventData{CID: cid}}, nil)
		if err != nil {
			return err
		}
		saved := &ClientState{TenantID: u.conv.TenantID, ChannelID: u.conv.ChannelID, ClientID: u.client.ID, State: state, UpdatedAt: e.At}
		if err := u.Tx.SaveClientState(saved); err != nil {
			return err
		}
		return u.noteContact(cid, e.At)
	})
}

// ClientState returns the last state that was saved. Errors: CodeNotFound when
// none was, CodeMissing and CodeInvalid for the client's id.
func (s *Service) ClientState(ctx context.Context, actor Actor, externalID string) (json.RawMessage, error) {
	channel, err := s.ownChannel(actor, externalID)
	if err != nil {
		return nil, err
	}
	var state json.RawMessage
	err = s.store.View(ctx, func(r Reader) error {
		client, err := r.ClientByExternalID(actor.TenantID, channel.ExternalScope(), externalID)
		if err != nil {
			return err
		}
		saved, err := r.ClientState(actor.TenantID, channel.ID, client.ID)
		if err == nil {
			state = saved.State
		}
		return err
	})
	return state, err
}

// noteContact notes the first moment a connection was seen: it is shown nothing
// older (specs/chatapi.md §5).
func (u *unit) noteContact(cid string, at Micros) error {
	if cid == "" {
		return nil
	}
	_, err := u.PollCursor(u.conv.TenantID, u.conv.ChannelID, u.client.ID, cid)
	if ErrorCode(err) != CodeNotFound {
		return err
	}
	return u.SavePollCursor(&PollCursor{
		TenantID: u.conv.TenantID, ChannelID: u.conv.ChannelID, ClientID: u.client.ID, CID: cid, Since: at - 1, At: at - 1, UpdatedAt: u.now,
	})
}
