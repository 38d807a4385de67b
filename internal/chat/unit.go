package chat

import "context"

// unit is the work of one use case inside its transaction: the rows it loaded,
// the entries it appended, and what must be told once the commit is durable.
// It is made anew each time the transaction function runs.
type unit struct {
	Tx
	s     *Service
	cat   *Catalog
	actor Actor
	now   Micros

	task    *BoundTask
	client  *Client
	conv    *Conversation
	session *Session // the open one, or nil
	opened  bool     // the session was opened by this unit
	queued  bool     // the session came into the queue
	trace   string   // what its events keep of the caller's trace

	entries  []Entry
	wake     []ID
	timerSet bool
	loads    map[ID]int // how many sessions more each operator has
}

// update runs one use case: rules and appends in one transaction, then, after
// the commit, the bus and the waker.
func (s *Service) update(ctx context.Context, actor Actor, fn func(u *unit) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var done *unit
	trace, ended := s.tracing.begin(ctx)
	// Once begun, a caller that hangs up no longer stops it: what commits must be told.
	err := s.store.Update(context.WithoutCancel(ctx), PriorityNormal, func(tx Tx) error {
		u := &unit{Tx: tx, s: s, cat: s.Catalog(), actor: actor, now: tx.Now(), trace: trace}
		if err := fn(u); err != nil {
			return err
		}
		if err := u.flush(); err != nil {
			return err
		}
		done = u
		return nil
	})
	if err != nil {
		ended(nil, err)
		return err
	}
	ended(done.entries, nil)
	s.announce(done)
	return nil
}

// announce tells the bus, the delivery engine and the timers what a committed
// unit did.
func (s *Service) announce(u *unit) {
	if len(u.entries) > 0 {
		s.bus.Publish(Notice{
			TenantID: u.conv.TenantID, ConversationID: u.conv.ID, ChannelID: u.conv.ChannelID, ExternalID: u.conv.ExternalID, Entries: u.entries,
		})
	}
	if len(u.wake) > 0 {
		s.waker.Wake(u.wake)
	}
	if u.timerSet {
		select {
		case s.timerSet <- struct{}{}:
		default:
		}
	}
	if u.frees() {
		s.freed.ring(u.conv.TenantID)
	}
}

// load reads the conversation, its client and its open session, in the order
// in which rows are locked.
func (u *unit) load(tenant, conversation ID) error {
	conv, err := u.Conversation(tenant, conversation)
	if err != nil {
		return err
	}
	client, err := u.Client(tenant, conv.ClientID)
	if err != nil {
		return err
	}
	return u.enter(client, conv)
}

// enter makes a loaded conversation the unit's own. For a channel those of other
// channels do not exist.
func (u *unit) enter(client *Client, conv *Conversation) error {
	u.client, u.conv = client, conv
	u.task = u.cat.Task(conv.TenantID, conv.TaskID)
	if u.task == nil {
		return Errorf(CodeNotFound, "the conversation's task is gone from the settings")
	}
	if u.actor.Kind == ActorChannel && u.actor.ID != u.task.Channel.ID {
		return Errorf(CodeNotFound, "there is no such conversation on this channel")
	}
	if conv.SessionID == 0 {
		return nil
	}
	var err error
	u.session, err = u.Session(conv.TenantID, conv.SessionID)
	return err
}

// append numbers an event, adds it to the log and wakes the lanes that want it.
// It belongs to the open session unless it names another one.
func (u *unit) append(e Event, m *Message) (*Event, error) {
	id, err := u.NextID()
	if err != nil {
		return nil, err
	}
	u.conv.Seq++
	at := max(u.now, u.client.LastAt+1)
	u.client.LastAt, u.conv.LastAt = at, at
	e.ID, e.TenantID, e.ConversationID, e.ClientID = id, u.conv.TenantID, u.conv.ID, u.client.ID
	e.Seq, e.At, e.Flags, e.Data.Trace = u.conv.Seq, at, u.conv.Flags, u.trace
	if u.session != nil && (e.SessionID == 0 || e.SessionID == u.session.ID) {
		e.SessionID, e.Version = u.session.ID, u.session.Version
	}
	if m != nil {
		m.Seq, m.At = e.Seq, at
		e.MessageID, e.Author, e.AuthorID = m.ID, m.Author, m.AuthorID
		e.Data.Title, e.Data.Contacts = u.client.Title(), u.client.Contacts()
		if err := u.AddMessage(m); err != nil {
			return nil, err
		}
	}
	if err := u.AppendEvent(&e); err != nil {
		return nil, err
	}
	u.entries = append(u.entries, Entry{Event: e, Message: m})
	return &u.entries[len(u.entries)-1].Event, u.wakeLanes(&e)
}

// wakeLanes makes a lane for every endpoint that must be told of the event.
func (u *unit) wakeLanes(e *Event) error {
	if e.BotID != 0 {
		if err := u.wakeLane(e.BotID, e.Seq); err != nil {
			return err
		}
	}
	for _, i := range u.task.Integrations {
		if !u.s.formats[i.Format] || !i.Wants(e) {
			continue
		}
		if err := u.wakeLane(i.ID, e.Seq); err != nil {
			return err
		}
	}
	if channel := u.task.Channel; u.s.formats[channel.Format()] && channel.Wants(e) {
		return u.wakeLane(channel.ID, e.Seq)
	}
	return nil
}

func (u *unit) wakeLane(endpoint ID, seq int64) error {
	u.wake = append(u.wake, endpoint)
	return u.WakeLane(u.conv.TenantID, endpoint, u.conv.ID, seq)
}

// flush finds somebody for what came into the queue, and writes the client and
// the conversation, once, if the log grew. Sessions are written where they
// change.
func (u *unit) flush() error {
	if len(u.entries) == 0 {
		return nil
	}
	if u.queued {
		if err := u.distribute(); err != nil {
			return err
		}
	}
	if err := u.SaveClient(u.client); err != nil {
		return err
	}
	if err := u.SaveConversation(u.conv); err != nil {
		return err
	}
	return u.saveLoads()
}

// setTimer sets a timer of the conversation's open session.
func (u *unit) setTimer(kind TimerKind, key string, due Micros, data []byte) error {
	u.timerSet = true
	return u.SetTimer(&Timer{
		TenantID: u.conv.TenantID, ConversationID: u.conv.ID, Kind: kind, Key: key, DueAt: due,
		SessionID: u.session.ID, Version: u.session.Version, Data: data,
	})
}
