package chat

import (
	"context"
	"encoding/json"
	"time"
)

// MaxAnswerMessages and MaxAnswerText bound one answer (specs/chatapi.md §6).
const (
	MaxAnswerMessages = 100
	MaxAnswerText     = 50_000
)

// Answer is what a bot says and does in one turn. Question and Version name
// what it answers: the seq of the question and the ownership version it was
// asked under.
type Answer struct {
	ConversationID ID
	Question       int64
	Version        int64
	Messages       []Content
	Class          string
	Confidence     float64
	State          string            // the bot's new current state
	Vars           map[string]any    // the bot's variables, whole; nil leaves them
	Profile        map[string]string // fields of the client to set
	Flags          []Flags
	Late           []LateAnswer
	Handover       *Handover
	Close          bool
	Settle         *Settlement // of the lane that asked, in the same transaction
}

// Handover is a bot's wish to give the session to people.
type Handover struct {
	Skills []string        `json:"skills,omitempty"`
	Units  []string        `json:"units,omitempty"`
	Users  []string        `json:"users,omitempty"`
	Switch json.RawMessage `json:"switch,omitempty"` // the rest of a switch reply, as the bot wrote it
}

// LateAnswer is sent later by itself, as an answer of its own, unless the
// session has closed or left the bot by then.
type LateAnswer struct {
	After    Duration  `json:"after"`
	Messages []Content `json:"messages"`
	Class    string    `json:"class,omitempty"`
}

// Answer appends a bot's answer and carries out what the bot decided: variables
// and state, the client's profile, flags, messages, then handover or close, in
// one transaction. It returns the lane to go on with when the answer settles
// one (see Settle).
//
// Errors: CodeNotFound for a question that is not in the log. CodeForbidden when
// the session has closed or left the bot, or the bot was muted, since the
// question was asked; nothing is shown then. CodeConflict when the lane to
// settle is somebody else's by now or was settled before; nothing is shown then
// either, so an answer whose commit is unknown may be repeated. CodeTooLarge.
func (s *Service) Answer(ctx context.Context, actor Actor, a Answer) (*Lane, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	var lane *Lane
	err := s.update(ctx, actor, func(u *unit) error {
		lane = nil
		if err := u.load(actor.TenantID, a.ConversationID); err != nil {
			return err
		}
		question, err := u.Event(u.conv.TenantID, u.conv.ID, a.Question)
		if err != nil {
			return err
		}
		if err := u.mayAnswer(question.SessionID, a.Version); err != nil {
			return err
		}
		if err := u.carryOut(&a, question); err != nil || a.Settle == nil {
			return err
		}
		lane, err = u.settle(a.Settle)
		return err
	})
	return lane, err
}

func (a *Answer) check() error {
	if len(a.Messages) > MaxAnswerMessages {
		return Errorf(CodeTooLarge, "the answer has %d messages; %d is the limit", len(a.Messages), MaxAnswerMessages)
	}
	size := 0
	for i := range a.Messages {
		size += len([]rune(a.Messages[i].Text))
	}
	if size > MaxAnswerText {
		return Errorf(CodeTooLarge, "the answer has %d characters; %d is the limit", size, MaxAnswerText)
	}
	return checkProfile(a.Profile)
}

// mayAnswer refuses a bot that does not own the session it was asked in, under
// the version it was asked under, or that was muted meanwhile.
func (u *unit) mayAnswer(session ID, version int64) error {
	switch {
	case u.session == nil || u.session.ID != session:
		return Errorf(CodeForbidden, "the session is closed")
	case u.session.Owner != (Owner{Kind: OwnerBot, ID: u.actor.ID}) || u.session.Version != version:
		return Errorf(CodeForbidden, "the session has left this bot")
	case u.conv.Flags&FlagMutes != 0:
		return Errorf(CodeForbidden, "the bot is muted by a flag of the conversation")
	}
	return nil
}

func (u *unit) carryOut(a *Answer, question *Entry) error {
	causedBy := question.MessageID
	if causedBy == 0 {
		causedBy = question.Data.CausedBy
	}
	if a.Vars != nil {
		u.conv.Vars = a.Vars
	}
	if a.State != u.session.State {
		u.session.State = a.State
		if err := u.SaveSession(u.session); err != nil {
			return err
		}
	}
	if err := u.changeProfile(a.Profile); err != nil {
		return err
	}
	handover := a.Handover != nil
	for _, f := range a.Flags {
		if f == FlagOperator {
			handover = true // one fact: it happens after the messages, as a handover
			continue
		}
		if err := u.markFlag(f, true, causedBy); err != nil {
			return err
		}
	}
	meta := AnswerMeta{Class: a.Class, Confidence: a.Confidence, NewSession: question.Data.NewSession, EndSession: a.Close}
	if meta.Handover = handover; a.Handover != nil {
		meta.Switch = a.Handover.Switch
	}
	if err := u.addAnswer(a.Messages, meta, question); err != nil {
		return err
	}
	if err := u.setLate(a.Late); err != nil {
		return err
	}
	switch {
	case handover:
		return u.askPeople(a.Handover, causedBy, question)
	case a.Close:
		return u.closeSession(ReasonBotClosed, "")
	}
	return nil
}

// addAnswer appends the messages of a turn and starts the reminders.
func (u *unit) addAnswer(messages []Content, meta AnswerMeta, question *Entry) error {
	if len(messages) == 0 {
		return u.addSilence(meta, question)
	}
	u.conv.Unread = 0
	if err := u.addMessages(messages, meta, question); err != nil {
		return err
	}
	if err := u.hear(); err != nil {
		return err
	}
	return u.setReminders()
}

// addSilence notes a turn without a message where a caller may wait for it, or
// is shown that people take over.
func (u *unit) addSilence(meta AnswerMeta, question *Entry) error {
	if question.Data.QuestionID == "" {
		return nil
	}
	answers := u.answers
	if !meta.visible() {
		answers = u.answersNothing
	}
	in, err := answers(question)
	if err != nil {
		return err
	}
	_, err = u.append(Event{
		Kind: EventBotSilent, Author: AuthorBot, AuthorID: u.session.Owner.ID,
		Data: EventData{Question: question.Seq, Answer: &meta, QuestionID: in.questionID, CID: in.cid, Synced: in.synced},
	}, nil)
	return err
}

// addMessages appends the messages of one answer to a question, nil for none;
// the first carries what the bot said about the whole.
func (u *unit) addMessages(messages []Content, meta AnswerMeta, question *Entry) error {
	answer, err := u.NextID()
	if err != nil {
		return err
	}
	in, err := u.answers(question)
	if err != nil {
		return err
	}
	for i, c := range messages {
		m, err := u.newMessage(AuthorBot, c)
		if err != nil {
			return err
		}
		m.AuthorID, m.AnswerID = u.session.Owner.ID, answer
		data := EventData{AnswerID: answer}
		if question != nil {
			data.Question = question.Seq
		}
		if i == 0 {
			data.Answer, data.QuestionID, data.CID, data.Synced = &meta, in.questionID, in.cid, in.synced
		}
		if _, err := u.append(Event{Kind: EventMessageCreated, Data: data}, m); err != nil {
			return err
		}
	}
	return nil
}

// setLate puts late answers into timers.
func (u *unit) setLate(late []LateAnswer) error {
	for _, l := range late {
		id, err := u.NextID()
		if err != nil {
			return err
		}
		data, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if err := u.setTimer(TimerLate, id.String(), u.now.Add(time.Duration(l.After)), data); err != nil {
			return err
		}
	}
	return nil
}

// changeProfile sets fields of the client, with an event if any changed.
func (u *unit) changeProfile(profile map[string]string) error {
	if !mergeProfile(u.client, profile) {
		return nil
	}
	_, err := u.append(Event{
		Kind: EventClientChanged, Author: u.author(), AuthorID: u.actor.ID,
		Data: EventData{Title: u.client.Title(), Contacts: u.client.Contacts()},
	}, nil)
	return err
}
