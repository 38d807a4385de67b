package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// card is all that colleagues know of a client.
type card struct {
	client
	CreatedAt     moment         `json:"created_at"`
	ExternalIDs   []externalID   `json:"external_ids"`
	Conversations []conversation `json:"conversations"` // the newest first, up to 50
}

// externalID is a client's id in a caller's system. Channel is who knows it,
// null for the ids that the company's channels share.
type externalID struct {
	Channel    *named `json:"channel"`
	ExternalID string `json:"external_id"`
}

func (a *API) client(c *call) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	found, err := a.Service.ClientCard(c.Context(), c.actor, id)
	if err != nil {
		return nil, err
	}
	s := a.shaper(c)
	out := card{
		client: newClient(found.Client), CreatedAt: moment(found.Client.CreatedAt),
		ExternalIDs:   make([]externalID, 0, len(found.ExternalIDs)),
		Conversations: make([]conversation, 0, len(found.Conversations)),
	}
	for _, e := range found.ExternalIDs {
		known := externalID{ExternalID: e.ExternalID}
		if e.Scope != 0 {
			channel := s.channel(e.Scope)
			known.Channel = &channel
		}
		out.ExternalIDs = append(out.ExternalIDs, known)
	}
	for _, l := range found.Conversations {
		listed := s.listed(l)
		listed.Client = nil // he is the card
		out.Conversations = append(out.Conversations, listed)
	}
	return out, nil
}

// editClient sets fields of a client's profile; an empty text or null removes
// one. The change is told in the log of the conversation that is named.
func (a *API) editClient(c *call) (any, error) {
	profile, conversation := c.body.Texts("profile"), chat.ID(c.body.Integer("conversation"))
	id, err := c.target()
	switch {
	case err != nil:
		return nil, err
	case profile == nil:
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "profile", Message: "say which fields of the profile to set"}
	case conversation == 0:
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "conversation", Message: "name the conversation whose log tells of the change"}
	}
	edited, err := a.Service.EditClient(c.Context(), c.actor, id, conversation, profile)
	if err != nil {
		return nil, err
	}
	return newClient(edited), nil
}
