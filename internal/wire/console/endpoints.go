package console

import (
	"slices"

	"github.com/tolmach/tolmach/internal/chat"
)

// endpoint is whoever events are pushed to, with its health and backlog.
type endpoint struct {
	ID           chat.ID           `json:"id"`
	Kind         chat.EndpointKind `json:"kind"`
	Name         string            `json:"name"`
	Paused       bool              `json:"paused"`
	Reason       string            `json:"reason"`
	FailingSince moment            `json:"failing_since"` // null while it is well
	LastOK       moment            `json:"last_ok"`
	OldestDue    moment            `json:"oldest_due"` // null while nothing waits
	Waiting      int               `json:"waiting"`    // conversations it is behind in
}

func (a *API) endpoints(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	states, err := a.Service.Endpoints(c.Context(), c.actor)
	if err != nil {
		return nil, err
	}
	items := make([]endpoint, 0, len(states))
	for _, s := range states {
		items = append(items, endpoint{
			ID: s.ID, Kind: s.Kind, Name: s.Name, Paused: s.Health.Paused, Reason: s.Health.Reason,
			FailingSince: moment(s.Health.FailingSince), LastOK: moment(s.Health.LastOK),
			OldestDue: moment(s.Oldest), Waiting: s.Waiting,
		})
	}
	slices.SortFunc(items, func(x, y endpoint) int { return int(x.ID - y.ID) })
	return page[endpoint]{Items: items}, nil
}

type pauseAnswer struct {
	ID     chat.ID `json:"id"`
	Paused bool    `json:"paused"`
	Reason string  `json:"reason"`
}

// maxReason is the longest reason of a pause, in bytes.
const maxReason = 1000

func (a *API) pause(c *call) (any, error) {
	reason := c.body.Text("reason")
	if len(reason) > maxReason {
		return nil, &chat.Error{Code: chat.CodeTooLarge, Field: "reason", Message: "the reason is over 1000 bytes"}
	}
	return a.setPaused(c, true, reason)
}

func (a *API) resume(c *call) (any, error) { return a.setPaused(c, false, "") }

func (a *API) setPaused(c *call, paused bool, reason string) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	if err := a.Service.PauseEndpoint(c.Context(), c.actor, id, paused, reason); err != nil {
		return nil, err
	}
	return pauseAnswer{ID: id, Paused: paused, Reason: reason}, nil
}
