package console

import (
	"context"
	"errors"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
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
		Content: chat.Content{Text: c.body.Text("text"), Attachments: c.attachments()},
		Key:     c.body.Text("key"), Take: c.body.Bool("take"),
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

// attachments are links so far.
func (c *call) attachments() (list []chat.Attachment) {
	c.body.Objects("attachments", func(item *httpjson.Reader) {
		list = append(list, chat.Attachment{
			Kind: item.Text("kind"), URL: item.Text("url"), Name: item.Text("name"), MimeType: item.Text("mime_type"), Size: item.Integer("size"),
		})
	})
	return list
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

// transfer gives the session to a colleague or to the queue.
func (a *API) transfer(c *call) (any, error) {
	to := chat.Transfer{Operator: chat.ID(c.body.Integer("operator"))}
	if queue := c.body.Bool("queue"); queue != nil {
		to.Queue = *queue
	}
	return a.change(c, func(ctx context.Context, actor chat.Actor, id chat.ID) (*chat.Conversation, error) {
		return a.Service.Transfer(ctx, actor, id, to)
	})
}

// read notes that the client's messages up to a seq were read.
func (a *API) read(c *call) (any, error) {
	seq := c.body.Integer("seq")
	if seq == 0 && c.complete() == nil {
		return nil, &chat.Error{Code: chat.CodeMissing, Field: "seq", Message: "say up to which seq you have read"}
	}
	return a.change(c, func(ctx context.Context, actor chat.Actor, id chat.ID) (*chat.Conversation, error) {
		return a.Service.MarkRead(ctx, actor, id, seq)
	})
}

// typing is a hint to whoever follows; nothing keeps it.
func (a *API) typing(c *call) (any, error) {
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	if err := a.Service.OperatorTyping(c.Context(), c.actor, id); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

// note adds a note for colleagues to the log.
func (a *API) note(c *call) (any, error) {
	text := c.body.Text("text")
	id, err := c.target()
	if err != nil {
		return nil, err
	}
	e, err := a.Service.AddNote(c.Context(), c.actor, id, text)
	if err != nil {
		return nil, err
	}
	return a.shaper(c).event(chat.Entry{Event: *e}), nil
}

func (a *API) setFlags(c *call) (any, error) {
	flags := c.body.Flags()
	return a.change(c, func(ctx context.Context, actor chat.Actor, id chat.ID) (*chat.Conversation, error) {
		return a.Service.SetFlags(ctx, actor, id, flags)
	})
}
