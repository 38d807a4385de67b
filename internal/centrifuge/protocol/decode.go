package protocol

func (c *Command) field(f field) error {
	switch f.num {
	case 1:
		return f.number(func(v uint64) { c.ID = uint32(v) })
	case 4:
		return message(f, &c.Connect, (*ConnectRequest).field)
	case 5:
		return message(f, &c.Subscribe, (*SubscribeRequest).field)
	case 6:
		return message(f, &c.Unsubscribe, (*ChannelRequest).field)
	case 7:
		return message(f, &c.Publish, (*PublishRequest).field)
	case 8:
		return message(f, &c.Presence, (*ChannelRequest).field)
	case 9:
		return message(f, &c.PresenceStats, (*ChannelRequest).field)
	case 10:
		return message(f, &c.History, (*HistoryRequest).field)
	case 11:
		return message(f, &c.Ping, (*Empty).field)
	case 12:
		return message(f, &c.Send, (*SendRequest).field)
	case 13:
		return message(f, &c.RPC, (*RPCRequest).field)
	case 14:
		return message(f, &c.Refresh, (*RefreshRequest).field)
	case 15:
		return message(f, &c.SubRefresh, (*SubRefreshRequest).field)
	}
	return nil
}

func (*Empty) field(field) error { return nil }

func (r *ConnectRequest) field(f field) error {
	switch f.num {
	case 1:
		return f.text(&r.Token)
	case 2:
		return f.raw(&r.Data)
	case 3:
		return r.sub(f)
	case 4:
		return f.text(&r.Name)
	case 5:
		return f.text(&r.Version)
	case 6:
		return r.header(f)
	}
	return nil
}

func (r *ConnectRequest) sub(f field) error {
	sub := new(SubscribeRequest)
	key, ok, err := mapEntry(f, func(value field) error {
		return message(value, &sub, (*SubscribeRequest).field)
	})
	if !ok {
		return err
	}
	if r.Subs == nil {
		r.Subs = make(map[string]SubscribeRequest)
	}
	r.Subs[key] = *sub
	return nil
}

func (r *ConnectRequest) header(f field) error {
	var header string
	key, ok, err := mapEntry(f, func(value field) error { return value.text(&header) })
	if !ok {
		return err
	}
	if r.Headers == nil {
		r.Headers = make(map[string]string)
	}
	r.Headers[key] = header
	return nil
}

func (r *SubscribeRequest) field(f field) error {
	switch f.num {
	case 1:
		return f.text(&r.Channel)
	case 2:
		return f.text(&r.Token)
	case 3:
		return f.flag(&r.Recover)
	case 6:
		return f.text(&r.Epoch)
	case 7:
		return f.number(func(v uint64) { r.Offset = v })
	case 8:
		return f.raw(&r.Data)
	case 9:
		return f.flag(&r.Positioned)
	case 10:
		return f.flag(&r.Recoverable)
	case 11:
		return f.flag(&r.JoinLeave)
	case 14:
		return f.number(func(v uint64) { r.Flag = int64(v) })
	}
	return nil
}

func (r *ChannelRequest) field(f field) error {
	if f.num == 1 {
		return f.text(&r.Channel)
	}
	return nil
}

func (r *PublishRequest) field(f field) error {
	switch f.num {
	case 1:
		return f.text(&r.Channel)
	case 2:
		return f.raw(&r.Data)
	}
	return nil
}

func (p *StreamPosition) field(f field) error {
	switch f.num {
	case 1:
		return f.number(func(v uint64) { p.Offset = v })
	case 2:
		return f.text(&p.Epoch)
	}
	return nil
}

func (r *HistoryRequest) field(f field) error {
	switch f.num {
	case 1:
		return f.text(&r.Channel)
	case 7:
		return f.number(func(v uint64) { r.Limit = int32(v) })
	case 8:
		return message(f, &r.Since, (*StreamPosition).field)
	case 9:
		return f.flag(&r.Reverse)
	}
	return nil
}

func (r *SendRequest) field(f field) error {
	if f.num == 1 {
		return f.raw(&r.Data)
	}
	return nil
}

func (r *RPCRequest) field(f field) error {
	switch f.num {
	case 1:
		return f.raw(&r.Data)
	case 2:
		return f.text(&r.Method)
	}
	return nil
}

func (r *RefreshRequest) field(f field) error {
	if f.num == 1 {
		return f.text(&r.Token)
	}
	return nil
}

func (r *SubRefreshRequest) field(f field) error {
	switch f.num {
	case 1:
		return f.text(&r.Channel)
	case 2:
		return f.text(&r.Token)
	}
	return nil
}
