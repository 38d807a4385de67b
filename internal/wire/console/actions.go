package console

import (
	"context"
	"errors"

	"github.com/tolmach/tolmach/internal/chat"
)

type written struct {
	MessageID chat.ID `json:"message_id"`
	Seq       int64   `json:"seq"`
	At        moment  `json:"at"`
	Duplicate bool    `json:"duplicate"` // the key was known: nothing new was made
}

// say sends an operator's message. Left out, take is the channel's default:
// writing takes over, except in page messenger tasks.
func (a *API) say(c *call) (any, error) {
	in := chat.OperatorMessage{
		Content: chat.Content{Text: c.body.Text("text")}, Key: c.body.Text("key"), Take: c.body.Bool("take"),
	}
	var err error
	if in.ConversationID, err = c.target(); err != nil {
		return nil, err
	}
	m, err := a.Service.OperatorMessage(c.Context(), c.actor, in)
	if err != nil {
		return nil, namedHere(err)
	}
	return written{MessageID: m.MessageID, Seq: m.Seq, At: moment(m.At), Duplicate: m.Duplicate}, nil
}

// namedHere gives an error about the idempotency key the name that the key has
// in this API.
func namedHere(err error) error {
	var known *chat.Error
	if !errors.As(err, &known) || known.Field != "Idempotency-Key" {
		return err
	}
	renamed := *known
	renamed.Field = "key"
	return &renamed
}

// change runs a use case on the conversation in the path and answers how the
// conversation stands afterwards.
func (a *API) change(c *call, do func(context.Context, chat.Actor, chat.ID) (*chat.Conversation, error)) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	conv, err := do(c.Context(), c.actor, id)
	if err != nil {
		return nil, err
	}
	return a.shaper(c).conversation(conv), nil
}

func (a *API) take(c *call) (any, error) { return a.change(c, a.Service.Take) }

func (a *API) giveBack(c *call) (any, error) { return a.change(c, a.Service.Return) }

func (a *API) closeSession(c *call) (any, error) {
	result := c.body.Text("result")
	return a.change(c, func(ctx context.Context, actor chat.Actor, id chat.ID) (*chat.Conversation, error) {
		return a.Service.Close(ctx, actor, id, result)
	})
}

func (a *API) setFlags(c *call) (any, error) {
	flags := c.body.Flags()
	return a.change(c, func(ctx context.Context, actor chat.Actor, id chat.ID) (*chat.Conversation, error) {
		return a.Service.SetFlags(ctx, actor, id, flags)
	})
}
