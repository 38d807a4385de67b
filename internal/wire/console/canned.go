package console

import (
	"github.com/tolmach/tolmach/internal/chat"
)

// canned is an answer that operators keep at hand.
type canned struct {
	ID        chat.ID `json:"id"`
	Shortcut  string  `json:"shortcut"`
	Text      string  `json:"text"`
	Shared    bool    `json:"shared"` // everybody's; else the caller's own
	CreatedAt moment  `json:"created_at"`
	UpdatedAt moment  `json:"updated_at"`
}

func newCanned(c *chat.CannedReply) canned {
	return canned{
		ID: c.ID, Shortcut: c.Shortcut, Text: c.Text, Shared: c.OperatorID == 0,
		CreatedAt: moment(c.CreatedAt), UpdatedAt: moment(c.UpdatedAt),
	}
}

func (a *API) cannedReplies(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	list, err := a.Service.CannedReplies(c.Context(), c.actor)
	if err != nil {
		return nil, err
	}
	items := make([]canned, 0, len(list))
	for i := range list {
		items = append(items, newCanned(&list[i]))
	}
	return page[canned]{Items: items}, nil
}

func (c *call) cannedEdit() chat.CannedEdit {
	e := chat.CannedEdit{Shortcut: c.body.Text("shortcut"), Text: c.body.Text("text")}
	if shared := c.body.Bool("shared"); shared != nil {
		e.Shared = *shared
	}
	return e
}

func (a *API) addCanned(c *call) (any, error) {
	edit := c.cannedEdit()
	if err := c.complete(); err != nil {
		return nil, err
	}
	added, err := a.Service.AddCannedReply(c.Context(), c.actor, edit)
	if err != nil {
		return nil, err
	}
	return newCanned(added), nil
}

func (a *API) changeCanned(c *call) (any, error) {
	edit := c.cannedEdit()
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	changed, err := a.Service.ChangeCannedReply(c.Context(), c.actor, id, edit)
	if err != nil {
		return nil, err
	}
	return newCanned(changed), nil
}

func (a *API) deleteCanned(c *call) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	if err := a.Service.DeleteCannedReply(c.Context(), c.actor, id); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}
