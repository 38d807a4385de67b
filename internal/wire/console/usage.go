package console

// usage is what went through one task, of all times.
type usage struct {
	Task          named `json:"task"`
	Conversations int64 `json:"conversations"`
	Messages      int64 `json:"messages"` // of all authors
}

func (a *API) usage(c *call) (any, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	list, err := a.Service.Usage(c.Context(), c.actor)
	if err != nil {
		return nil, err
	}
	s := a.shaper(c)
	items := make([]usage, 0, len(list))
	for _, u := range list {
		items = append(items, usage{Task: s.task(u.TaskID), Conversations: u.Conversations, Messages: u.Messages})
	}
	return page[usage]{Items: items}, nil
}
