package centrifuge

import (
	"errors"
	"runtime/debug"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// process runs the commands of one frame.
func (c *Conn) process(frame []byte) {
	c.commands.Lock()
	defer c.commands.Unlock()
	defer c.containCommand()
	c.setBusy(true)
	defer c.setBusy(false)
	for cmd, err := range c.codec().Commands(frame) {
		if err != nil {
			c.log().Debug("frame refused", "error", err)
			c.Disconnect(DisconnectBadRequest)
			return
		}
		if !c.bucket.take(c.srv.cfg.Now(), c.srv.cfg.CommandRate, c.srv.cfg.CommandBurst) {
			c.Disconnect(DisconnectTooManyRequests)
			return
		}
		if !c.open() {
			return
		}
		if err := c.dispatch(cmd); err != nil {
			c.refuse(cmd, err)
		}
	}
}

// open reports whether the end has not begun.
func (c *Conn) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outbox.closing == nil
}

func (c *Conn) setBusy(busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadlines.busy = busy
}

// containCommand keeps a panic in a handler to this connection.
func (c *Conn) containCommand() {
	if p := recover(); p != nil {
		c.log().Error("panic in a command", "panic", p, "stack", string(debug.Stack()))
		c.Disconnect(DisconnectServerError)
	}
}

// dispatch runs one command and sends its reply.
func (c *Conn) dispatch(cmd *protocol.Command) error {
	c.mu.Lock()
	connected := c.connected
	c.mu.Unlock()
	if cmd.Connect != nil {
		if connected || cmd.ID == 0 {
			return DisconnectBadRequest
		}
		return c.connect(cmd.ID, cmd.Connect)
	}
	switch {
	case !connected:
		return DisconnectBadRequest
	case *cmd == protocol.Command{}:
		return c.pong()
	case cmd.Send != nil:
		return c.message(cmd.Send)
	case cmd.ID == 0:
		return DisconnectBadRequest
	case cmd.Subscribe != nil:
		return c.subscribe(cmd.ID, cmd.Subscribe)
	}
	reply, err := c.answer(cmd)
	if err != nil {
		return err
	}
	reply.ID = cmd.ID
	return c.send(reply)
}

// answer runs a command whose reply needs no care about what comes around it.
func (c *Conn) answer(cmd *protocol.Command) (*protocol.Reply, error) {
	switch {
	case cmd.RPC != nil:
		return c.rpc(cmd.RPC)
	case cmd.Publish != nil:
		return c.publish(cmd.Publish)
	case cmd.Unsubscribe != nil:
		return c.unsubscribe(cmd.Unsubscribe)
	case cmd.History != nil:
		return c.history(cmd.History)
	case cmd.Presence != nil:
		return c.presence(cmd.Presence)
	case cmd.PresenceStats != nil:
		return c.presenceStats(cmd.PresenceStats)
	case cmd.Ping != nil:
		return &protocol.Reply{Ping: &protocol.Empty{}}, nil
	case cmd.Refresh != nil:
		return c.refresh(cmd.Refresh)
	case cmd.SubRefresh != nil:
		return c.subRefresh(cmd.SubRefresh)
	}
	return nil, ErrMethodNotFound
}

// send encodes and queues a reply.
func (c *Conn) send(reply *protocol.Reply) error {
	msg, err := c.codec().AppendReply(nil, reply)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enqueue(msg)
	return nil
}

// refuse tells the client what err means to it.
func (c *Conn) refuse(cmd *protocol.Command, err error) {
	var disconnect Disconnect
	if errors.As(err, &disconnect) {
		c.Disconnect(disconnect)
		return
	}
	var refusal Error
	if !errors.As(err, &refusal) {
		if c.ctx.Err() != nil {
			return // the client left while its command ran
		}
		c.log().Error("a command failed", "command", nameOf(cmd), "error", err)
		refusal = ErrInternal
	}
	if cmd.ID == 0 {
		return // a message gets no answer, not even this one
	}
	reply := &protocol.Reply{ID: cmd.ID, Error: &protocol.Error{
		Code: refusal.Code, Message: refusal.Message, Temporary: refusal.Temporary,
	}}
	if err := c.send(reply); err != nil {
		c.log().Error("encode a refusal", "error", err)
	}
}

// nameOf names a command for the log.
func nameOf(cmd *protocol.Command) string {
	switch {
	case cmd.Connect != nil:
		return "connect"
	case cmd.Subscribe != nil:
		return "subscribe"
	case cmd.Publish != nil:
		return "publish"
	case cmd.RPC != nil:
		return "rpc"
	case cmd.Send != nil:
		return "send"
	case cmd.History != nil:
		return "history"
	case cmd.Refresh != nil:
		return "refresh"
	case cmd.SubRefresh != nil:
		return "sub_refresh"
	}
	return "other"
}
