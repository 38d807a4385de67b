package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	maxNotes  = 50        // of one turn
	maxStored = 128 << 10 // of one variable, about bytes
)

// Input is what a turn starts from. The engine changes nothing in it. The maps may be nil and may hold whatever
// JSON gives; an empty text in Client counts as an unknown field.
type Input struct {
	Text    string         // what the client wrote, or the label that was pressed; more than 64 KiB are not looked at
	Event   string         // the name of an event; then the turn is the event's and Text only what came with it
	Data    any            // what came with the message or the event
	State   string         // name of the current state of the session, empty in a new one
	Vars    map[string]any // variables of the conversation
	Client  map[string]any // profile of the client
	Session map[string]any // facts of the session
	Now     time.Time
}

// Effects are the ways out of the engine.
type Effects struct {
	// HTTP sends the calls of `http`; nil means that every call fails.
	HTTP Doer
	// Sleep waits out a `delay`, showing that somebody types; it ends early with an error when ctx ends.
	// nil means that nothing waits.
	Sleep func(ctx context.Context, d time.Duration) error
	// Key is sent as Idempotency-Key: the same for every try of one turn, unlike that of any other turn.
	Key string
}

// Outcome is what the core has to do, in one transaction and only if the bot still owns the session.
type Outcome struct {
	State      string         // the current state from now on
	Class      string         // nlpClass
	Confidence float64        // 1, for the fallback 0
	Vars       map[string]any // variables to set; a nil value removes the variable
	Client     map[string]any // profile fields to change; a nil value removes the field
	Flags      []string       // dialog flags to raise
	Replies    []Reply        // in order; those with After come later, on their own
	Handover   *Handover      // nil unless people take over; set as well when Flags hold "operator"
	Close      bool           // the session ends; the conversation goes on
	Silent     bool           // an event that the file doesn't list: nothing happens at all
	Notes      []string       // lines for the log, one a mishap; they hold no word of a message
}

// Turn answers one message or event. It runs the state's steps in the order of specs/scenario.md: http, set, client,
// flags, delay, replies, then handover or close. It does no database work, so all of it runs outside a transaction;
// a turn whose outcome was not committed may be run again with the same Key.
// The only errors are those of ctx and of Effects.Sleep; mishaps inside the file become notes.
func (s *Scenario) Turn(ctx context.Context, in Input, fx Effects) (Outcome, error) {
	t := newTurn(ctx, s, in, fx)
	st, confidence := t.choose()
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	if st == nil {
		t.out.Silent = in.Event != ""
		if t.out.Silent {
			return t.out, nil
		}
		t.builtInFallback()
		return t.out, nil
	}
	t.out.Class, t.out.Confidence = st.name, confidence
	if st.becomesCurrent() {
		t.out.State = st.name
	}
	if err := t.run(&st.body); err != nil {
		return Outcome{}, err
	}
	return t.out, nil
}

// becomesCurrent: a matched state does, an event only when `next` waits behind it. The fallback has neither patterns
// nor `next`: it leaves the current state as it is, so that a client who was misunderstood is still in the place
// where he was asked.
func (st *state) becomesCurrent() bool { return st.patterns != nil || st.next != nil }

// turn is one run of the engine.
type turn struct {
	ctx      context.Context
	scenario *Scenario
	in       Input
	fx       Effects
	env      map[string]any
	meter    *meter
	subject  subject
	vars     map[string]any
	client   map[string]any
	out      Outcome
}

func newTurn(ctx context.Context, s *Scenario, in Input, fx Effects) *turn {
	t := &turn{ctx: ctx, scenario: s, in: in, fx: fx, vars: object(in.Vars), client: object(in.Client)}
	t.meter = &meter{ctx: ctx, left: turnBudget}
	t.out.State = in.State
	text := in.Text
	if len(text) > maxText {
		text = text[:maxText]
		t.note(position{}, "the message is longer than 64 KiB and only its beginning was looked at")
	}
	t.subject = fold(clean(text))
	for field, v := range t.client {
		if v == "" {
			delete(t.client, field)
		}
	}
	t.env = map[string]any{
		"text": t.subject.raw, "event": in.Event, "data": plain(in.Data), "match": []string{t.subject.raw},
		"vars": t.vars, "client": t.client, "session": object(in.Session), "now": in.Now,
		meterName: t.meter,
	}
	return t
}

// run does the steps of a body in their order.
func (t *turn) run(b *body) error {
	if b.http != nil {
		if err := t.call(b.http); err != nil {
			return err
		}
	}
	t.out.Vars = t.assign(b.set, t.vars)
	t.out.Client = t.assign(b.client, t.client)
	t.out.Flags = slices.Clone(b.flags)
	if b.delay > 0 && t.fx.Sleep != nil {
		if err := t.fx.Sleep(t.ctx, b.delay); err != nil {
			return err
		}
	}
	t.replies(b.replies)
	if b.handover != nil {
		t.out.Handover = t.handover(b.handover)
	}
	t.out.Close = b.close
	return t.ctx.Err()
}

// assign computes the lines one after the other, each seeing those before it, and gives what changed.
func (t *turn) assign(lines []assignment, target map[string]any) map[string]any {
	if len(lines) == 0 {
		return nil
	}
	changed := make(map[string]any, len(lines))
	for _, line := range lines {
		v, ok := t.storable(t.value(line.value), line.at)
		if !ok {
			continue
		}
		changed[line.name] = v
		if v == nil {
			delete(target, line.name)
		} else {
			target[line.name] = v
		}
	}
	return changed
}

// storable gives a value as it comes back from a JSON column, and refuses one that is too large to keep.
func (t *turn) storable(v any, at position) (any, bool) {
	if weigh(v, maxStored) > maxStored {
		t.note(at, "the value is too large to be kept and was left out")
		return nil, false
	}
	text, err := jsonOf(v)
	if err == nil {
		v, err = decodeJSON([]byte(text))
	}
	if err != nil {
		t.note(at, "the value can't be kept and was left out")
	}
	return v, err == nil
}

// eval runs an expression. A missing value and an error both give nil and a note.
func (t *turn) eval(e *expression) any {
	v, err := e.run(t.env)
	switch {
	case err != nil:
		t.note(e.at, "{{ "+shorten(e.source)+" }}: "+reason(err))
		return nil
	case v == nil:
		t.note(e.at, "{{ "+quote(e.source)+" }}: there is no such value")
	}
	return v
}

// holds runs a condition. A missing value doesn't hold; neither does what can't be calculated or isn't a condition,
// which is noted.
func (t *turn) holds(when *expression) bool {
	if when == nil {
		return true
	}
	v, err := when.run(t.env)
	if err != nil {
		t.note(when.at, "when "+quote(when.source)+": "+reason(err))
		return false
	}
	return v == true
}

// note adds a line for the log. Nothing that came from outside the file may go into it.
func (t *turn) note(at position, what string) {
	switch {
	case len(t.out.Notes) > maxNotes:
	case len(t.out.Notes) == maxNotes:
		t.out.Notes = append(t.out.Notes, t.scenario.file+": there were more mishaps in this turn")
	case at == position{}:
		t.out.Notes = append(t.out.Notes, t.scenario.file+": "+what)
	default:
		t.out.Notes = append(t.out.Notes, fmt.Sprintf("%s:%d:%d: %s", t.scenario.file, at.line, at.column, what))
	}
}

// builtInFallback answers for a file that has no `fallback`, in the bot's language.
func (t *turn) builtInFallback() {
	words := "I didn't understand. Please say it in other words."
	if language, _, _ := strings.Cut(strings.ToLower(t.scenario.Language), "-"); language == "ru" {
		words = "Не понял вас. Скажите, пожалуйста, иначе."
	}
	t.out.Class = "/CatchAll"
	t.out.Replies = []Reply{{State: t.out.Class, Text: words}}
}
