package chatapi

import (
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// ask is POST: the question is asked, and its answer goes back in the call
// (specs/chatapi.md §2.4).
func (d *Dialect) ask(c *call) (any, error) {
	q, err := d.readQuestion(c)
	if err != nil {
		return nil, err
	}
	return d.askAndWait(c, q)
}

// askSimply is GET: the same, reduced to three parameters.
func (d *Dialect) askSimply(c *call) (any, error) {
	p, err := parameters(c.Request)
	if err != nil {
		return nil, err
	}
	q := &question{ClientID: p["clientId"], Query: p["query"], Event: p["event"]}
	if err := q.check(); err != nil {
		return nil, err
	}
	return d.askAndWait(c, q)
}

func (d *Dialect) askAndWait(c *call, q *question) (any, error) {
	wait := c.channel.SyncWait()
	accepted, err := d.send(c, q, wait)
	if err != nil {
		return nil, err
	}
	d.linger(c, wait)
	found, err := d.Service.AwaitAnswer(c.Context(), c.actor(), accepted, wait)
	if err != nil {
		return nil, err
	}
	e := d.encoder(c.channel, q.ClientID)
	answer := e.silence(accepted)
	if len(found.Entries) > 0 {
		answer = e.answer(found.Entries)
	}
	answer.Query, answer.Event, answer.CID = q.Query, q.event(), q.CID
	return answer, nil
}

// accepted is the answer to an asynchronous question.
type accepted struct {
	QuestionID string `json:"questionId"`
}

// askAsync is POST …/async: only the id goes back, at once.
func (d *Dialect) askAsync(c *call) (any, error) {
	q, err := d.readQuestion(c)
	if err != nil {
		return nil, err
	}
	a, err := d.send(c, q, 0)
	return accepted{a.QuestionID}, err
}

// send hands the question to the core. wait says how long its caller waits.
func (d *Dialect) send(c *call, q *question, wait time.Duration) (chat.Accepted, error) {
	if q.Query != "" && q.Event != "" {
		d.Log.InfoContext(c.Context(), "chatapi.event_ignored", "reason", "the request has a query too", "channel", c.channel.Name)
	}
	in, err := q.incoming(c, requestHeaders(c.Header))
	if err != nil {
		return chat.Accepted{}, err
	}
	in.Question.Wait = wait
	if q.Query != "" {
		return d.Service.ClientMessage(c.Context(), c.actor(), chat.ClientMessage{
			Incoming: in, Content: chat.Content{Text: q.Query}, Payload: q.data(),
		})
	}
	return d.Service.ClientEvent(c.Context(), c.actor(), chat.ClientEvent{Incoming: in, Name: q.event(), Payload: q.data()})
}
