package chat

// The look-ups below answer nil for what does not exist, and what belongs to
// another tenant does not exist.

// Tenant returns a tenant by id.
func (c *Catalog) Tenant(id ID) *Tenant { return c.tenants[id] }

// TenantByName returns a tenant by name.
func (c *Catalog) TenantByName(name string) *Tenant { return c.byName[name] }

// TenantCount is how many companies there are.
func (c *Catalog) TenantCount() int { return len(c.tenants) }

// Task returns a task by id.
func (c *Catalog) Task(tenant, id ID) *BoundTask {
	if t := c.tasks[id]; t != nil && t.TenantID == tenant {
		return t
	}
	return nil
}

// TaskBySelartiID returns the task that was given this Selarti id in the setup
// file; ids that are computed are the business of the dialect.
func (c *Catalog) TaskBySelartiID(tenant ID, id string) *BoundTask {
	if t := c.taskBySelarti[id]; t != nil && t.TenantID == tenant {
		return t
	}
	return nil
}

// TaskByUUID returns a task by the id TWIN calls a chat. The tenant is not
// known to such a caller: the UUID names it.
func (c *Catalog) TaskByUUID(uuid string) *BoundTask { return c.taskByUUID[uuid] }

// Channel returns a channel by id.
func (c *Catalog) Channel(tenant, id ID) *Channel {
	if v := c.channels[id]; v != nil && v.TenantID == tenant {
		return v
	}
	return nil
}

// ChannelByToken returns the channel whose token is the caller's whole right.
func (c *Catalog) ChannelByToken(token string) *Channel { return c.channelByToken[token] }

// TaskOfChannel returns the task that clients of a channel talk to when they
// name none: the oldest one of the channel, or nil.
func (c *Catalog) TaskOfChannel(channel *Channel) *BoundTask {
	var first *BoundTask
	for _, t := range c.tasks {
		if t.Channel == channel && (first == nil || t.ID < first.ID) {
			first = t
		}
	}
	return first
}

// Bot returns a bot by id.
func (c *Catalog) Bot(tenant, id ID) *Bot {
	if v := c.bots[id]; v != nil && v.TenantID == tenant {
		return v
	}
	return nil
}

// Manager returns a manager by id.
func (c *Catalog) Manager(tenant, id ID) *Manager {
	if v := c.managers[id]; v != nil && v.TenantID == tenant {
		return v
	}
	return nil
}

// Operator returns an operator by id.
func (c *Catalog) Operator(tenant, id ID) *Operator {
	return c.operators[takenID{tenant, KindOperator, id}]
}

// OperatorByLogin returns an operator by login or e-mail, which are unique per
// installation.
func (c *Catalog) OperatorByLogin(login string) *Operator { return c.operatorByName[login] }

// APIKeyByHash returns the key with this hash.
func (c *Catalog) APIKeyByHash(hash string) *APIKey { return c.keyByHash[hash] }

// APIKey returns a key by id.
func (c *Catalog) APIKey(id ID) *APIKey { return c.keys[id] }

// Endpoint returns an endpoint by id.
func (c *Catalog) Endpoint(tenant, id ID) (Endpoint, bool) {
	e, ok := c.endpointByID[id]
	return e, ok && e.TenantID == tenant
}

// Endpoints lists every endpoint of every tenant.
func (c *Catalog) Endpoints() []Endpoint { return c.endpoints }

// Tasks lists every task of a tenant, in no order.
func (c *Catalog) Tasks(tenant ID) []*BoundTask {
	var tasks []*BoundTask
	for _, t := range c.tasks {
		if t.TenantID == tenant {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// Bots lists every bot of every tenant, in no order.
func (c *Catalog) Bots() []*Bot {
	bots := make([]*Bot, 0, len(c.bots))
	for _, b := range c.bots {
		bots = append(bots, b)
	}
	return bots
}

// Operators lists every operator of every tenant, in no order.
func (c *Catalog) Operators() []*Operator {
	list := make([]*Operator, 0, len(c.operators))
	for _, o := range c.operators {
		list = append(list, o)
	}
	return list
}
