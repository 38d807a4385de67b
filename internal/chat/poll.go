package chat

import (
	"context"
	"time"
)

// Bounds of what one call of Poll or History returns (specs/chatapi.md §4, §9).
const (
	MaxPoll    = 250
	MaxHistory = 1000
)

// maxConnections is how many other connections of a client are asked for what
// they have read.
const maxConnections = 100

// PollCursor is what a connection of a client has read of its events: those
// after Since, up to At.
type PollCursor struct {
	TenantID  ID
	ChannelID ID
	ClientID  ID
	CID       string // "" is the connection that has no id
	Since     Micros // it is shown nothing so old
	At        Micros // of the last event read; Since when it has read none
	UpdatedAt Micros
}

// Poll asks for what is new for one client of a channel.
type Poll struct {
	ExternalID string
	CID        string
	From       Micros        // inclusive; ignored unless Since
	Since      bool          // From was given; else the cursor of the connection is read and moved
	All        bool          // everything; else what the channel shows by default
	Wait       time.Duration // how long to wait while there is nothing; 0 answers at once
}

// Polled is the answer to a Poll, oldest first, at most MaxPoll. More says that
// there is more to read.
type Polled struct {
	Envelopes []Envelope
	More      bool
}

// Poll returns what is new for a client of the channel that acts, waiting for it
// when there is nothing: any number of callers may wait for one client
// (specs/chatapi.md §4). A client that is not known yet has nothing, and is
// waited for all the same. Errors: CodeMissing, CodeInvalid; that of ctx when the
// caller hangs up.
func (s *Service) Poll(ctx context.Context, actor Actor, p Poll) (Polled, error) {
	channel, err := s.ownChannel(actor, p.ExternalID)
	if err == nil {
		err = (&Question{CID: p.CID}).check()
	}
	if err != nil {
		return Polled{}, err
	}
	w := poller{s: s, channel: channel, p: p}
	sub := s.bus.Subscribe(Topic{TenantID: actor.TenantID, ChannelID: channel.ID, ExternalID: p.ExternalID})
	defer sub.Close()
	ceiling := time.NewTimer(p.Wait)
	defer ceiling.Stop()
	for read := w.read; ; read = w.readAgain {
		found, err := read(ctx)
		if err != nil || len(found.Envelopes) > 0 {
			return found, err
		}
		select {
		case <-ctx.Done():
			return Polled{}, ctx.Err()
		case <-ceiling.C:
			return Polled{}, nil
		case <-sub.C():
			drain(sub)
		}
	}
}

// drain forgets the notices that are there: the log is read anyway.
func drain(sub Subscription) {
	for len(sub.C()) > 0 {
		<-sub.C()
	}
}

func checkCaller(externalID string) error {
	switch {
	case externalID == "":
		return &Error{Code: CodeMissing, Field: "clientId", Message: "is missing"}
	case len(externalID) > MaxExternalID:
		return &Error{Code: CodeTooLarge, Field: "clientId", Message: "is over 512 bytes"}
	}
	return nil
}

// poller is one Poll: from is where it goes on reading while it waits.
type poller struct {
	s       *Service
	channel *Channel
	p       Poll
	placed  bool // from is known
	contact bool // it is the connection's first: that is to be written down
	since   Micros
	from    Micros
	client  ID           // 0 while there is none
	others  []PollCursor // what other connections have read need not be shown
}

// read returns what there is now, and moves the cursor past what it returns.
func (w *poller) read(ctx context.Context) (Polled, error) {
	var found Polled
	var next Micros
	err := w.s.store.View(ctx, func(r Reader) error {
		found = Polled{}
		client, err := r.ClientByExternalID(w.channel.TenantID, w.channel.ExternalScope(), w.p.ExternalID)
		if ErrorCode(err) == CodeNotFound {
			w.begin(0)
			next = w.from
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.place(r, client); err != nil {
			return err
		}
		w.client = client.ID
		found, next, err = w.collect(r, w.from, w.shows)
		return err
	})
	if err != nil {
		return found, err
	}
	return w.found(ctx, found, next)
}

// saveLimit is how long a cursor may take to move once there is something to
// show.
const saveLimit = 5 * time.Second

// found moves on to where the next reading begins, and the connection's cursor
// with it. A wait that ends meanwhile does not undo what was found: the cursor
// may have moved past it, and nobody would be shown it again.
func (w *poller) found(ctx context.Context, found Polled, next Micros) (Polled, error) {
	w.from = next
	if w.client == 0 || !w.contact && (w.p.Since || len(found.Envelopes) == 0) {
		return found, nil
	}
	w.contact = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	return found, w.s.store.Update(ctx, PriorityNormal, w.save)
}

// save moves the connection's cursor on; one that another call has moved further
// stays, and so does that of a caller who says himself from when he reads.
func (w *poller) save(tx Tx) error {
	cursor, err := tx.PollCursor(w.channel.TenantID, w.channel.ID, w.client, w.p.CID)
	if ErrorCode(err) == CodeNotFound {
		cursor, err = &PollCursor{
			TenantID: w.channel.TenantID, ChannelID: w.channel.ID, ClientID: w.client, CID: w.p.CID, Since: w.since, At: w.since,
		}, nil
	}
	if err != nil {
		return err
	}
	if !w.p.Since {
		cursor.At = max(cursor.At, w.from-1)
	}
	cursor.UpdatedAt = tx.Now()
	return tx.SavePollCursor(cursor)
}

// begin places a connection that has no cursor: it is shown what is newer. That
// of a client who is not known yet is shown whatever the client gets known by.
func (w *poller) begin(since Micros) {
	if !w.placed && !w.p.Since {
		w.placed, w.contact, w.since, w.from = true, true, since, since+1
	}
}

// place finds where to begin, once: at From, or at the connection's cursor. A
// connection that has none is new: with an id, it is shown nothing older than
// this contact; without, all that no other one has read.
func (w *poller) place(r Reader, client *Client) error {
	if w.placed {
		return nil
	}
	if w.p.Since {
		w.placed, w.from = true, w.p.From
		return w.meet(r, client)
	}
	cursor, err := r.PollCursor(w.channel.TenantID, w.channel.ID, client.ID, w.p.CID)
	switch {
	case err == nil:
		w.placed, w.from = true, cursor.At+1
		return nil
	case ErrorCode(err) != CodeNotFound:
		return err
	case w.p.CID != "":
		w.begin(client.LastAt)
		return nil
	}
	w.others, err = r.PollCursors(w.channel.TenantID, w.channel.ID, client.ID, maxConnections)
	if err == nil {
		w.begin(0)
	}
	return err
}

// meet notes the contact of a connection that says from when on it reads: what
// comes from now on is new to it when it says so no more.
func (w *poller) meet(r Reader, client *Client) error {
	if w.p.CID == "" {
		return nil
	}
	_, err := r.PollCursor(w.channel.TenantID, w.channel.ID, client.ID, w.p.CID)
	if ErrorCode(err) == CodeNotFound {
		w.contact, w.since = true, client.LastAt
		return nil
	}
	return err
}

// collect reads those envelopes from a moment on that are to be shown, and says
// where the next reading goes on.
func (w *poller) collect(r Reader, from Micros, shows func(*Envelope) bool) (found Polled, next Micros, err error) {
	next = from
	walk := walker{r: r, tenant: w.channel.TenantID, channel: w.channel.ID, client: w.client, from: from}
	for {
		e, err := walk.next()
		if err != nil {
			return Polled{}, from, err
		}
		if e == nil {
			return found, max(next, walk.from), nil
		}
		if shows(e) {
			if len(found.Envelopes) == MaxPoll {
				found.More = true
				return found, next, nil
			}
			if err := e.addNow(r, w.channel.ID); err != nil {
				return Polled{}, from, err
			}
			found.Envelopes = append(found.Envelopes, *e)
		}
		next = e.Entries[len(e.Entries)-1].At + 1
	}
}

// shows says whether the caller gets an envelope: what the channel shows by
// default, or everything, and of that what its connection filter lets through
// (specs/chatapi.md §4, §5).
func (w *poller) shows(e *Envelope) bool {
	for i := range w.others {
		if at := e.Head().At; at > w.others[i].Since && at <= w.others[i].At {
			return false
		}
	}
	late := e.Type == EnvelopeBot && !e.Head().Data.Synced
	if !w.p.All && e.Type != EnvelopeOperator && (!late || w.channel.EventsDefault != EventsOutside) {
		return false
	}
	if w.p.CID == "" {
		return true
	}
	if w.channel.CIDFilter == CIDOnlyOwn {
		unprompted := e.Type == EnvelopeOperator || late && e.Head().Data.CID == ""
		return unprompted || e.Head().Data.CID == w.p.CID
	}
	return !e.Own(w.p.CID)
}

// walker reads a client's log on one channel envelope by envelope.
type walker struct {
	r                       Reader
	tenant, channel, client ID
	from                    Micros
	entries                 []Entry
	last                    bool // the page at hand is the last one
}

// next returns the next envelope, or nil at the end. An answer that a page cuts
// in two is read again, whole.
func (w *walker) next() (*Envelope, error) {
	for {
		before := w.entries
		e, rest := nextEnvelope(w.entries)
		if e != nil && (w.last || len(rest) > 0) {
			w.entries = rest
			return e, nil
		}
		if w.last {
			w.entries = nil
			return nil, nil
		}
		if err := w.page(e, len(before)); err != nil {
			return nil, err
		}
	}
}

// page reads on: from the envelope that is at the end of the page at hand, or
// past it.
func (w *walker) page(cut *Envelope, size int) error {
	if size > 0 {
		w.from = w.entries[size-1].At + 1
	}
	if cut != nil {
		w.from = cut.Head().At
	}
	const page = 4 * MaxAnswerMessages // more than any answer has
	var err error
	w.entries, err = w.r.EventsOfClient(w.tenant, w.client, w.channel, w.from, page)
	if err != nil {
		return err
	}
	w.last = len(w.entries) < page
	if w.last && len(w.entries) > 0 {
		w.from = w.entries[len(w.entries)-1].At + 1
	}
	return nil
}

// HistoryQuery selects a period of a client's dialogue.
type HistoryQuery struct {
	ExternalID string
	From, To   Micros // inclusive; To 0 is no bound
	Limit      int    // 1 to MaxHistory
}

// History returns the requests and answers of a client of the channel that
// acts, oldest first (specs/chatapi.md §9). An unknown client has none.
func (s *Service) History(ctx context.Context, actor Actor, q HistoryQuery) (Polled, error) {
	channel, err := s.ownChannel(actor, q.ExternalID)
	if err != nil {
		return Polled{}, err
	}
	if q.Limit < 1 || q.Limit > MaxHistory {
		return Polled{}, Invalid("limit", "is not between 1 and %d", MaxHistory)
	}
	var found Polled
	err = s.store.View(ctx, func(r Reader) error {
		found = Polled{}
		client, err := r.ClientByExternalID(actor.TenantID, channel.ExternalScope(), q.ExternalID)
		if err != nil {
			return ignoreGone(err)
		}
		walk := walker{r: r, tenant: actor.TenantID, channel: channel.ID, client: client.ID, from: q.From}
		for {
			e, err := walk.next()
			if err != nil || e == nil || q.To != 0 && e.Head().At > q.To {
				return err
			}
			if e.Type == EnvelopeState {
				continue
			}
			if len(found.Envelopes) == q.Limit {
				found.More = true
				return nil
			}
			if err := e.addNow(r, channel.ID); err != nil {
				return err
			}
			found.Envelopes = append(found.Envelopes, *e)
		}
	})
	return found, err
}
