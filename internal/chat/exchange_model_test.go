package chat_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tolmach/tolmach/internal/chat"
)

// exchanges is what specs/chatapi.md §2.4, §4, §5 and §9 make of one client's
// questions, answers and polls: a model to compare the core with.
type exchanges struct {
	*talk
	log     []modelEnvelope
	asked   []*modelQuestion
	cursors map[string]*modelCursor
	answers map[string]chat.Status // by id
	texts   int
}

type modelEnvelope struct {
	words  string
	kind   chat.EnvelopeType
	cid    string
	synced bool
	id     string
}

type modelQuestion struct {
	id, text, cid string
	entry         chat.Entry
	until         chat.Micros // the caller waits; 0: it never did
	waits         bool
	answered      bool
}

// modelCursor has read the envelopes from since up to at.
type modelCursor struct{ since, at int }

// TestExchangesModel: whatever callers, the bot and an operator do, in whatever
// order, the core shows what the model does.
func TestExchangesModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) { s.Channels[1].EventsDefault = chat.EventsOutside })
	rapid.Check(t, func(t *rapid.T) {
		m := &exchanges{talk: w.talk(t, "app"), cursors: map[string]*modelCursor{}, answers: map[string]chat.Status{}}
		m.ask(t, false)
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) { m.ask(t, rapid.Bool().Draw(t, "waits")) }, "again": m.again, "hang up": m.hangUp, "answer": m.answer,
			"operator": m.operator, "state": m.state, "poll": m.poll, "report": m.report,
			"time passes": func(*rapid.T) { w.clock.advance(10 * time.Second) },
			"":            func(*rapid.T) { m.compare() },
		})
	})
}

func (m *exchanges) cid(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "cid")
}

// meets notes a connection's first contact.
func (m *exchanges) meets(cid string, at int) {
	if _, known := m.cursors[cid]; cid != "" && !known {
		m.cursors[cid] = &modelCursor{at, at}
	}
}

func (m *exchanges) now() chat.Micros { return chat.MicrosOf(m.clock.now()) }

// open are the questions without an answer.
func (m *exchanges) open() []*modelQuestion {
	return slices.DeleteFunc(slices.Clone(m.asked), func(q *modelQuestion) bool { return q.answered })
}

// one draws a question, nil when there is none.
func (m *exchanges) one(t *rapid.T, list []*modelQuestion) *modelQuestion {
	if len(list) == 0 {
		return nil
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(t, "question")]
}

func (m *exchanges) ask(t *rapid.T, waits bool) {
	m.texts++
	q := &modelQuestion{text: fmt.Sprint("q", m.texts), cid: m.cid(t), waits: waits}
	wait := time.Duration(0)
	if waits {
		wait = 15 * time.Second
		q.until = m.now().Add(wait)
	}
	q.id = m.asks(q.text, chat.Question{CID: q.cid, Wait: wait}).QuestionID
	q.entry = m.question()
	m.meets(q.cid, len(m.log))
	m.log = append(m.log, modelEnvelope{words: "asked " + q.text, kind: chat.EnvelopeRequest, cid: q.cid})
	m.asked = append(m.asked, q)
}

func (m *exchanges) again(t *rapid.T) {
	q := m.one(t, m.asked)
	if a := m.asks(q.text, chat.Question{ID: q.id, CID: "other", Wait: 15 * time.Second}); !a.Duplicate || a.Seq != q.entry.Seq {
		t.Fatalf("%s again is %+v", q.text, a)
	}
	if !q.answered {
		q.until, q.waits = max(q.until, m.now().Add(15*time.Second)), true
	}
}

func (m *exchanges) hangUp(t *rapid.T) {
	q := m.one(t, m.open())
	if q == nil {
		return
	}
	ctx, cancel := context.WithCancel(m.ctx)
	cancel()
	_, err := m.AwaitAnswer(ctx, m.caller(), chat.Accepted{ConversationID: m.id, Seq: q.entry.Seq, Duplicate: true}, time.Hour)
	if err == nil {
		t.Fatalf("who has hung up gets an answer")
	}
	if q.until != 0 {
		q.waits = false
	}
}

func (m *exchanges) answer(t *rapid.T) {
	q := m.one(t, m.open())
	if q == nil {
		return
	}
	q.answered = true
	n := rapid.IntRange(0, 3).Draw(t, "messages")
	texts := []string{"a1", "a2", "a3"}[:n]
	m.must(m.replyTo(q.entry, chat.Answer{Messages: said(texts...)}))
	if n == 0 {
		return
	}
	e := modelEnvelope{words: "bot", kind: chat.EnvelopeBot, id: m.answerHead().Data.QuestionID}
	for _, text := range texts {
		e.words += " " + text
	}
	switch {
	case q.until == 0, q.waits && m.now() < q.until:
		e.cid, e.synced = q.cid, q.until != 0
		if e.id != q.id {
			t.Fatalf("the answer to %s is %s", q.id, e.id)
		}
	case e.id == q.id:
		t.Fatalf("the late answer to %s has its id", q.id)
	}
	m.answers[e.id] = chat.StatusSent
	m.log = append(m.log, e)
}

func (m *exchanges) operator(*rapid.T) {
	keep := false
	_, err := m.OperatorMessage(m.ctx, m.world.operator("ann"), chat.OperatorMessage{ConversationID: m.id, Content: chat.Content{Text: "here"}, Take: &keep})
	m.must(err)
	id := m.answerHead().Data.QuestionID
	m.answers[id] = chat.StatusSent
	m.log = append(m.log, modelEnvelope{words: "operator here", kind: chat.EnvelopeOperator, id: id})
}

func (m *exchanges) state(t *rapid.T) {
	cid := m.cid(t)
	m.saves("{}", cid)
	m.meets(cid, len(m.log))
	m.log = append(m.log, modelEnvelope{words: "state{}", kind: chat.EnvelopeState, cid: cid})
}

// shows is what a poll of everything from an envelope on shows.
func (m *exchanges) shows(p chat.Poll, from int, hidden func(i int) bool) (words []string) {
	for i := from; i < len(m.log); i++ {
		e := &m.log[i]
		outside := e.kind == chat.EnvelopeOperator || e.kind == chat.EnvelopeBot && !e.synced
		own := p.CID != "" && e.cid == p.CID && (e.synced || e.kind == chat.EnvelopeRequest || e.kind == chat.EnvelopeState)
		if (p.All || outside) && !own && !hidden(i) {
			words = append(words, e.words)
		}
	}
	return words
}

func (m *exchanges) poll(t *rapid.T) {
	p := chat.Poll{CID: m.cid(t), All: rapid.Bool().Draw(t, "all")}
	c, known := m.cursors[p.CID]
	hidden := func(int) bool { return false }
	switch {
	case known:
	case p.CID != "":
		c = &modelCursor{len(m.log), len(m.log)}
	default:
		others := make([]modelCursor, 0, len(m.cursors))
		for _, other := range m.cursors {
			others = append(others, *other)
		}
		hidden = func(i int) bool {
			return slices.ContainsFunc(others, func(c modelCursor) bool { return i >= c.since && i < c.at })
		}
		c = &modelCursor{}
	}
	want := m.shows(p, c.at, hidden)
	m.sees(p, want...)
	m.cursors[p.CID] = c
	if !known || len(want) > 0 {
		c.at = len(m.log)
	}
}

func (m *exchanges) report(t *rapid.T) {
	var ids []string
	for i := range m.log {
		if m.log[i].id != "" {
			ids = append(ids, m.log[i].id)
		}
	}
	if len(ids) == 0 {
		return
	}
	id := ids[rapid.IntRange(0, len(ids)-1).Draw(t, "answer")]
	s := rapid.SampledFrom([]chat.Status{chat.StatusNotSent, chat.StatusSent, chat.StatusDelivered, chat.StatusRead}).Draw(t, "status")
	if s.Rank() > m.answers[id].Rank() {
		m.answers[id] = s
	}
	if got := m.reports(id, s); got != m.answers[id] {
		t.Fatalf("%s reported as %s holds %s, want %s", id, s, got, m.answers[id])
	}
}

// compare looks at everything at once.
func (m *exchanges) compare() {
	m.t.Helper()
	m.sees(everything, m.shows(everything, 0, func(int) bool { return false })...)
	unread := 0
	for id, s := range m.answers {
		if s != chat.StatusRead {
			unread++
		}
		if got := m.statusOf(id); got != s {
			m.t.Fatalf("%s is %s, want %s", id, got, s)
		}
	}
	m.unread(unread)
}
