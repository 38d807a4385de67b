package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// presence is whether an operator takes conversations, and how many he has.
type presence struct {
	Status   chat.PresenceStatus `json:"status"`
	Reason   string              `json:"reason"`
	Since    moment              `json:"since"` // null when it was never set
	Load     int                 `json:"load"`
	Capacity *int                `json:"capacity"` // null: no bound
}

func newPresence(o *chat.Operator, p chat.Presence) *presence {
	return &presence{Status: p.Status, Reason: p.Reason, Since: moment(p.Since), Load: p.Load, Capacity: o.Capacity}
}

// caller is who calls: an operator with his presence, or an API key.
type caller struct {
	Operator *operator `json:"operator,omitempty"`
	Presence *presence `json:"presence,omitempty"`
	APIKey   *apiKey   `json:"api_key,omitempty"`
}

type apiKey struct {
	ID     chat.ID  `json:"id"`
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
}

func (a *API) me(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	if c.actor.Kind == chat.ActorAPIKey {
		return caller{APIKey: &apiKey{ID: c.actor.ID, Name: c.actor.Name, Scopes: c.actor.Scopes}}, nil
	}
	o := a.Service.Catalog().Operator(c.actor.TenantID, c.actor.ID)
	if o == nil {
		return nil, chat.Errorf(chat.CodeUnauthorized, "this operator may not sign in any more")
	}
	p, err := a.Service.Presence(c.Context(), c.actor)
	if err != nil {
		return nil, err
	}
	return caller{Operator: newOperator(o), Presence: newPresence(o, p)}, nil
}

// setStatus says whether the operator takes conversations.
func (a *API) setStatus(c *call) (any, error) {
	status, reason := c.body.Text("status"), c.body.Text("reason")
	if err := c.complete(); err != nil {
		return nil, err
	}
	if status == "" {
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "status", Message: "say READY, OUTGOING, INACTIVE or OFFLINE"}
	}
	p, err := a.Service.SetPresence(c.Context(), c.actor, chat.PresenceStatus(status), reason)
	if err != nil {
		return nil, err
	}
	o := a.Service.Catalog().Operator(c.actor.TenantID, c.actor.ID)
	if o == nil {
		return nil, chat.Errorf(chat.CodeUnauthorized, "this operator may not sign in any more")
	}
	return newPresence(o, p), nil
}

// colleague is an operator as his colleagues see him.
type colleague struct {
	operator
	presence
}

// operators lists who may be given a conversation, by rising id.
func (a *API) operators(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	list, err := a.Service.Presences(c.Context(), c.actor)
	if err != nil {
		return nil, err
	}
	items := make([]colleague, 0, len(list))
	for _, p := range list {
		if o := a.Service.Catalog().Operator(p.TenantID, p.OperatorID); o != nil {
			items = append(items, colleague{*newOperator(o), *newPresence(o, p)})
		}
	}
	return page[colleague]{Items: items}, nil
}
