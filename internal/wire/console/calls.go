package console

import (
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// Failures remembers why recent calls failed: *inbound.Log.
type Failures interface {
	// Failures returns the remembered failures that match, the newest first.
	Failures(match func(inbound.Call) bool) []inbound.Call
}

// failedCall is a call that came in and was refused.
type failedCall struct {
	At        moment    `json:"at"`
	RequestID string    `json:"request_id"`
	Route     string    `json:"route"`
	Status    int       `json:"status"`
	Remote    string    `json:"remote"`
	Actor     string    `json:"actor"` // "" when the caller was not recognised
	Code      chat.Code `json:"code"`
	Field     string    `json:"field"`
	Reason    string    `json:"reason"`
}

// calls lists what the server remembers of the company's failed calls. Calls of
// nobody known belong to no company: they are listed where there is only one.
func (a *API) calls(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	if err := c.actor.Require(chat.ScopeConversationsRead); err != nil {
		return nil, err
	}
	alone := a.Service.Catalog().TenantCount() == 1
	items := []failedCall{}
	for _, f := range a.Failures.Failures(func(f inbound.Call) bool {
		return f.TenantID == c.actor.TenantID || f.TenantID == 0 && alone
	}) {
		items = append(items, failedCall{
			At: moment(chat.MicrosOf(f.At)), RequestID: f.RequestID, Route: f.Route, Status: f.Status, Remote: f.Remote,
			Actor: f.Actor, Code: f.Code, Field: f.Field, Reason: f.Reason,
		})
	}
	return page[failedCall]{Items: items}, nil
}
