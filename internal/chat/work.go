package chat

import (
	"context"
	"fmt"
)

// Work is the head of a claimed lane with all that is needed to send it.
type Work struct {
	Lane         Lane
	Endpoint     Endpoint
	Tenant       *Tenant
	Task         *BoundTask
	Entry        Entry
	Cause        *Message      // the message that led to Entry, when it names one
	Asked        Entry         // for a bot: the question; Entry itself, or the one it asks again
	Conversation *Conversation // as it is now: ids, links; what may not change comes from Entry
	Client       *Client
	Session      *Session  // the open one, or nil
	Delivery     *Delivery // of an earlier try or a replay, with its body; nil at first
	Replay       bool
	Answered     bool     // a bot's question that has an answer already
	OperatorSaid []string // for a bot: what people said since it spoke last, the latest 50 texts of 16 KiB together
	Answer       []Entry  // for FormatChatAPI: the whole answer that Entry is the head of
	GapID        string   // webhook id of the event parked just before this one, or ""
}

// WebhookID is the id of this event at this endpoint: the same on every try.
func (w *Work) WebhookID() string {
	return fmt.Sprintf("msg_%d_%d", w.Lane.EndpointID, w.Entry.ID)
}

// Stale says whether a bot that would be asked has lost the session, or the
// word, since: such a question is void.
func (w *Work) Stale() bool {
	return !w.Session.Open() || w.Session.ID != w.Entry.SessionID || w.Session.Owner != (Owner{Kind: OwnerBot, ID: w.Endpoint.ID}) ||
		w.Session.Version != w.Entry.Version || w.Conversation.Flags&FlagMutes != 0
}

// NextWork reads the head of a claimed lane: a queued replay first, else the
// first event from NextSeq on that the endpoint wants. It returns nil when
// there is none: the lane is gone then, or due again when something came in
// between.
func (s *Service) NextWork(ctx context.Context, lane Lane) (*Work, error) {
	var w *Work
	err := s.store.View(ctx, func(r Reader) (err error) {
		w, err = s.readHead(r, lane)
		return err
	})
	if err != nil || w != nil {
		return w, err
	}
	return nil, s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		stored, err := held(tx, lane)
		if err != nil || stored == nil {
			return err
		}
		stored.DueAt, stored.Claimed = tx.Now(), false
		_, err = advance(tx, s.Catalog(), *stored)
		return err
	})
}

func (s *Service) readHead(r Reader, lane Lane) (*Work, error) {
	cat := s.Catalog()
	endpoint, ok := cat.Endpoint(lane.TenantID, lane.EndpointID)
	if !ok {
		return nil, nil
	}
	w := &Work{Lane: lane, Endpoint: endpoint}
	found, err := w.findEntry(r)
	if err != nil || !found {
		return nil, err
	}
	if w.Conversation, err = r.Conversation(lane.TenantID, lane.ConversationID); err != nil {
		return nil, err
	}
	if w.Client, err = r.Client(lane.TenantID, w.Conversation.ClientID); err != nil {
		return nil, err
	}
	if w.Conversation.SessionID != 0 {
		if w.Session, err = r.Session(lane.TenantID, w.Conversation.SessionID); err != nil {
			return nil, err
		}
	}
	w.Tenant, w.Task = cat.Tenant(lane.TenantID), cat.Task(lane.TenantID, w.Conversation.TaskID)
	return w, w.findNeighbours(r)
}

// findEntry looks for the event to send.
func (w *Work) findEntry(r Reader) (bool, error) {
	if w.Lane.Replays > 0 {
		d, err := r.NextQueued(w.Lane.TenantID, w.Lane.EndpointID, w.Lane.ConversationID)
		if err == nil {
			w.Delivery, w.Replay = d, true
			e, err := r.Event(w.Lane.TenantID, w.Lane.ConversationID, d.Seq)
			if err != nil {
				return false, err
			}
			w.Entry = *e
			return true, nil
		}
		if ErrorCode(err) != CodeNotFound {
			return false, err
		}
	}
	if w.Lane.Blocked {
		return false, nil
	}
	e, err := nextWanted(r, w.Endpoint, w.Lane)
	if err != nil || e == nil {
		return false, err
	}
	w.Entry, w.Lane.NextSeq = *e, e.Seq
	return true, nil
}

// findNeighbours adds the earlier try of the event, the message that led to
// it, the gap before it, and the question that a bot is asked.
func (w *Work) findNeighbours(r Reader) (err error) {
	l := w.Lane
	if w.Entry.Data.CausedBy != 0 {
		w.Cause, err = r.Message(l.TenantID, w.Entry.Data.CausedBy)
		if err != nil && ErrorCode(err) != CodeNotFound {
			return err
		}
	}
	if w.Delivery == nil {
		w.Delivery, err = r.DeliveryOf(l.TenantID, l.EndpointID, l.ConversationID, w.Entry.Seq)
		if err != nil && ErrorCode(err) != CodeNotFound {
			return err
		}
	}
	w.Asked = w.Entry
	if w.Endpoint.Kind == EndpointBot {
		return w.findQuestion(r)
	}
	if w.Endpoint.Integration != nil && w.Endpoint.Integration.Format == FormatChatAPI {
		if err := w.findAnswer(r); err != nil {
			return err
		}
	}
	before, err := r.PreviousDelivery(l.TenantID, l.EndpointID, l.ConversationID, w.Entry.Seq)
	switch {
	case err == nil && before.State == DeliveryParked:
		w.GapID = before.WebhookID
	case err != nil && ErrorCode(err) != CodeNotFound:
		return err
	}
	return nil
}

// findAnswer adds the messages that go out together with Entry.
func (w *Work) findAnswer(r Reader) error {
	entries, err := r.Events(w.Lane.TenantID, w.Lane.ConversationID, w.Entry.Seq-1, MaxAnswerMessages)
	if err == nil && len(entries) > 0 {
		w.Answer = entries[:answerLength(entries)]
	}
	return err
}

// findQuestion adds what a bot is asked, and whether it has answered: by the
// API, or before a crash.
func (w *Work) findQuestion(r Reader) (err error) {
	l := w.Lane
	if w.Entry.Kind == EventOwnerChanged {
		asked, err := r.Event(l.TenantID, l.ConversationID, w.Entry.Data.Question)
		if err != nil {
			return err
		}
		w.Asked = *asked
	}
	if w.Session != nil && w.Session.Livechat != 0 {
		if w.OperatorSaid, err = operatorSaid(r, w.Conversation, w.Session.Livechat, w.Entry.Seq); err != nil {
			return err
		}
	}
	if w.Endpoint.Bot.Kind != BotWebhook {
		return nil // a built-in bot's answer and its settle are one transaction
	}
	answer, err := findEvent(r, l, w.Entry.Seq, func(e *Entry) bool {
		return e.Kind == EventMessageCreated && e.Author == AuthorBot && e.AuthorID == w.Endpoint.ID && e.Data.Question == w.Asked.Seq
	})
	w.Answered = answer != nil
	return err
}
