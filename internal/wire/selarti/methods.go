package selarti

import (
	"context"

	"github.com/tolmach/tolmach/internal/chat"
)

// authenticate is the auth method: an API key for a token.
func (d *Dialect) authenticate(_ context.Context, c *call) (any, error) {
	key, err := c.one("key")
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, missing("key")
	}
	return d.Tokens.Issue(key)
}

// sent is the answer of send_external_message: the vendor's is empty, extra
// keys are allowed (specs/selarti.md §6, E1).
type sent struct {
	ThreadID  string `json:"thread_id"`
	MessageID string `json:"message_id"`
}

// send is send_external_message: a message of a client of a foreign messenger.
// It answers when the message is stored; what the bot says comes by webhook.
func (d *Dialect) send(ctx context.Context, c *call) (any, error) {
	in, err := d.clientMessage(c)
	if err != nil {
		return nil, err
	}
	a, err := d.Service.ClientMessage(ctx, c.actor, in)
	if err != nil {
		return nil, err
	}
	return sent{ThreadID: BubbleID(a.CreatedAt, a.ConversationID), MessageID: BubbleID(a.At, a.MessageID)}, nil
}

// clientMessage decodes the parameters of specs/selarti.md §3.3. What is not
// known is kept with the client.
func (d *Dialect) clientMessage(c *call) (chat.ClientMessage, error) {
	var in chat.ClientMessage
	task, err := c.taskID("task_id", "task")
	if err != nil {
		return in, err
	}
	if in.ExternalID, err = c.chatID(); err != nil {
		return in, err
	}
	text, err := c.one("message", "text", "message_text")
	if err != nil {
		return in, err
	}
	switch {
	case task == "":
		return in, missing("task_id")
	case in.ExternalID == "":
		return in, missing("chat_id")
	case text == "":
		return in, missing("message")
	}
	if in.TaskID, err = d.task(c.actor, "task_id", task); err != nil {
		return in, err
	}
	if in.Profile, err = c.profile(); err != nil {
		return in, err
	}
	in.Content.Text, in.Metadata, in.Key = text, c.params, c.key
	return in, nil
}

// addTarget is add_target: the target joins the task's audience, and nothing
// is sent. The published name of the task's id is task here.
func (d *Dialect) addTarget(ctx context.Context, c *call) (any, error) {
	task, err := c.taskID("task", "task_id")
	if err != nil {
		return nil, err
	}
	target, err := c.one("target")
	switch {
	case err != nil:
		return nil, err
	case task == "":
		return nil, missing("task")
	case target == "":
		return nil, missing("target")
	}
	id, err := d.task(c.actor, "task", task)
	if err != nil {
		return nil, err
	}
	return struct{}{}, d.Service.AddTarget(ctx, c.actor, id, target)
}

// task finds a task of the caller's tenant.
func (d *Dialect) task(actor chat.Actor, param, id string) (chat.ID, error) {
	t := taskByID(d.Service.Catalog(), actor.TenantID, id)
	if t == nil {
		return 0, &chat.Error{Code: chat.CodeNotFound, Field: param, Message: "there is no such task; copy the id from the list of tasks"}
	}
	return t.ID, nil
}

func missing(param string) error {
	return &chat.Error{Code: chat.CodeMissing, Field: param, Message: "is missing"}
}
