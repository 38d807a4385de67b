package chat

import "time"

// Reasons of session.closed and owner.changed events.
const (
	ReasonExpired     = "expired"      // idle longer than the session's TTL
	ReasonClosed      = "closed"       // a person closed it
	ReasonBotClosed   = "bot_closed"   // the bot closed it
	ReasonBotHandover = "bot_handover" // the bot gave it to people
	ReasonBotFailed   = "bot_failed"   // the bot failed or was silent too long
	ReasonFlag        = "flag"         // the flag operator was set or cleared
	ReasonTaken       = "taken"        // an operator took it
	ReasonReturned    = "returned"     // an operator gave it back to the bot
	ReasonAssigned    = "assigned"     // it was given to an operator whose turn it was
	ReasonTransferred = "transferred"  // a person gave it to a colleague or to the queue

	ReasonOperatorGone = "operator_gone" // the operator who had it may not work any more

	ReasonClosePhrase      = "close_phrase"      // the client ended the talk with people
	ReasonLivechatFinished = "livechat_finished" // an operator ended it
)

// ensureSession expires an idle session and opens a new one when none is open.
func (u *unit) ensureSession() error {
	if u.session != nil && u.idle() {
		if err := u.closeSession(ReasonExpired, ""); err != nil {
			return err
		}
	}
	if u.session != nil {
		return nil
	}
	return u.openSession(u.firstOwner())
}

// idle says whether the open session has outlived its TTL.
func (u *unit) idle() bool {
	return u.session.TTL > 0 && u.now >= u.conv.LastAt.Add(time.Duration(u.session.TTL))
}

// firstOwner is who gets a new session: people while the flag operator is set,
// else the first point of the route.
func (u *unit) firstOwner() Owner {
	if u.conv.Flags.Has(FlagOperator) {
		return Owner{Kind: OwnerQueue}
	}
	return u.nextOwner(nil)
}

// nextOwner walks the route past the bots that were tried or can't be asked
// now. A route that ends, or has no points, ends in the queue.
func (u *unit) nextOwner(tried []ID) Owner {
	for _, stop := range u.task.Stops {
		if stop.Bot == nil {
			return Owner{Kind: OwnerQueue}
		}
		if !contains(tried, stop.Bot.ID) && u.s.bots.Available(stop.Bot) {
			return Owner{Kind: OwnerBot, ID: stop.Bot.ID}
		}
	}
	return Owner{Kind: OwnerQueue}
}

func contains(ids []ID, id ID) bool {
	for _, known := range ids {
		if known == id {
			return true
		}
	}
	return false
}

func (u *unit) openSession(owner Owner) error {
	id, err := u.NextID()
	if err != nil {
		return err
	}
	uuid, err := u.s.randomUUID()
	if err != nil {
		return err
	}
	life := u.task.SessionLife(u.task.Channel.Kind)
	u.session = &Session{
		ID: id, TenantID: u.conv.TenantID, ConversationID: u.conv.ID, UUID: uuid,
		OpenedAt: max(u.now, u.client.LastAt+1), Owner: owner, Version: 1, TTL: Duration(life),
	}
	if owner.People() {
		u.session.Livechat = u.conv.Seq + 1
	}
	u.conv.SessionID, u.opened = id, true
	u.hold(Owner{}, owner)
	if err := u.CreateSession(u.session); err != nil {
		return err
	}
	if _, err := u.append(Event{Kind: EventSessionOpened, Data: EventData{To: &owner}}, nil); err != nil {
		return err
	}
	if life > 0 {
		if err := u.setTimer(TimerSessionTTL, "", u.conv.LastAt.Add(life), nil); err != nil {
			return err
		}
	}
	return u.syncOperatorFlag(0)
}

// closeSession ends the open session. Its handover ends with it, except on
// page messenger channels, where flags belong to the dialog for ever
// (specs/selarti.md §3.3).
func (u *unit) closeSession(reason, result string) error {
	closed, from := u.session, u.session.Owner
	e := Event{Kind: EventSessionClosed, Author: u.author(), AuthorID: u.actor.ID, Data: EventData{From: &from, Reason: reason, Result: result}}
	appended, err := u.append(e, nil)
	if err != nil {
		return err
	}
	closed.ClosedAt = appended.At
	if result != "" {
		closed.Result = result // else what people said of an earlier part of it stays
	}
	if err := u.SaveSession(closed); err != nil {
		return err
	}
	u.session, u.conv.SessionID = nil, 0
	u.hold(closed.Owner, Owner{})
	for _, kind := range []TimerKind{TimerSessionTTL, TimerReminder, TimerLate} {
		if err := u.CancelTimers(u.conv.TenantID, u.conv.ID, kind); err != nil {
			return err
		}
	}
	if u.task.Channel.Kind == ChannelPageMessenger {
		return nil
	}
	return u.markFlag(FlagOperator, false, 0)
}

// changeOwner gives the open session to somebody else. The ownership version
// rises, so that whoever had it is refused from here on. A bot that gets the
// session with a question open is asked it by this very event.
func (u *unit) changeOwner(to Owner, reason string, causedBy ID, question int64) error {
	from := u.session.Owner
	if from == to {
		return nil
	}
	u.session.Owner = to
	u.session.Version++
	if to.Kind != OwnerQueue {
		u.session.PassedBy = 0
	}
	if to.People() && u.session.Livechat == 0 {
		u.session.Livechat = u.conv.Seq
	}
	u.hold(from, to)
	if err := u.SaveSession(u.session); err != nil {
		return err
	}
	e := Event{
		Kind: EventOwnerChanged, Author: u.author(), AuthorID: u.actor.ID,
		Data: EventData{From: &from, To: &to, Reason: reason, CausedBy: causedBy, Question: question},
	}
	if to.Kind == OwnerBot && question != 0 {
		e.BotID = to.ID
	}
	if _, err := u.append(e, nil); err != nil {
		return err
	}
	return u.syncOperatorFlag(causedBy)
}

// hold keeps what lists and counts know of who has the conversation.
func (u *unit) hold(from, to Owner) {
	u.conv.Owner, u.conv.OwnerSince, u.queued = to, u.now, to.Kind == OwnerQueue
	if to == (Owner{}) {
		u.conv.OwnerSince = 0
	}
	u.shiftLoad(from, to)
}

// syncOperatorFlag keeps the one fact one: the flag operator is set exactly
// while people own the session.
func (u *unit) syncOperatorFlag(causedBy ID) error {
	return u.markFlag(FlagOperator, u.session.Owner.People(), causedBy)
}

// author is how the actor appears in the log.
func (u *unit) author() Author {
	switch u.actor.Kind {
	case ActorBot:
		return AuthorBot
	case ActorOperator:
		return AuthorOperator
	case ActorChannel:
		return AuthorClient
	default:
		return AuthorSystem
	}
}
