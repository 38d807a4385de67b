package main

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/tolmach/tolmach/internal/socketio"
)

// maxBurst bounds what one "burst" event may ask for.
const maxBurst = 1000

// newSocketIO makes the Socket.IO half. Besides the events of conformance suites it has a few that exercise rooms, acks
// of the client, bursts and lost transports.
func newSocketIO(f flags) (*socketio.Server, error) {
	aliases := make(map[string]string)
	for _, alias := range split(f.aliases) {
		aliases[alias] = "/"
	}
	server, err := socketio.New(socketio.Config{
		Engine: f.engine, ConnectTimeout: f.connect, Aliases: aliases,
		Recovery: socketio.Recovery{MaxAge: f.recovery},
	})
	if err != nil {
		return nil, err
	}
	e := &echo{log: f.engine.Logger, greet: f.greet}
	server.Of("/", socketio.HandlerFunc(e.connect))
	server.Of("/custom", socketio.HandlerFunc(e.connectCustom))
	return server, nil
}

type echo struct {
	log   *slog.Logger
	greet time.Duration
}

// emitAuth tells the client what it said of itself.
func (e *echo) emitAuth(s *socketio.Socket, h socketio.Handshake) {
	time.AfterFunc(e.greet, func() {
		_ = s.Emit("auth", h.Auth) // whoever left has no use for it
	})
}

func (e *echo) connectCustom(s *socketio.Socket, h socketio.Handshake) (socketio.Receiver, error) {
	e.emitAuth(s, h)
	return socketio.Events{}, nil
}

func (e *echo) connect(s *socketio.Socket, h socketio.Handshake) (socketio.Receiver, error) {
	if h.Query.Get("refuse") != "" {
		return nil, &socketio.ConnectError{Message: "no key"}
	}
	e.emitAuth(s, h)
	return socketio.Events{
		"message":          e.handle(message),
		"message-with-ack": e.handle(func(ev *socketio.Event) error { return ev.Ack(ev.Args) }),
		"join":             e.handle(join),
		"publish":          e.handle(publish),
		"ask":              e.handle(ask),
		"burst":            e.handle(burst),
		"cut":              e.handle(cut),
	}, nil
}

// handle logs what goes wrong; the client sees silence.
func (e *echo) handle(do func(*socketio.Event) error) func(*socketio.Event) {
	return func(ev *socketio.Event) {
		if err := do(ev); err != nil {
			e.log.Info("echo: event", slog.String("error", err.Error()))
		}
	}
}

func message(ev *socketio.Event) error { return ev.Socket().Emit("message-back", ev.Args) }

// join puts the client into a room and acknowledges.
func join(ev *socketio.Event) error {
	var room string
	if err := ev.Args.Decode(&room); err != nil {
		return err
	}
	if err := ev.Socket().Join(room); err != nil {
		return err
	}
	return ev.Ack("joined")
}

// publish sends "published" with one value to a room.
func publish(ev *socketio.Event) error {
	var room string
	var value json.RawMessage
	if err := ev.Args.Decode(&room, &value); err != nil {
		return err
	}
	return ev.Socket().Namespace().To(room).Emit("published", value)
}

// ask asks the client back with what it sent, and tells it what it has answered.
func ask(ev *socketio.Event) error {
	s := ev.Socket()
	return s.EmitAck("question", 5*time.Second, func(answer socketio.Args, err error) {
		if err == nil {
			err = s.Emit("answered", answer)
		}
		if err != nil {
			_ = s.Emit("unanswered") // whoever left has no use for it
		}
	}, ev.Args)
}

// burst sends "tick" with 0, 1, 2 … at once.
func burst(ev *socketio.Event) error {
	var count int
	if err := ev.Args.Decode(&count); err != nil {
		return err
	}
	for i := range min(count, maxBurst) {
		if err := ev.Socket().Emit("tick", i); err != nil {
			return err
		}
	}
	return nil
}

// cut drops the transport, as a network would.
func cut(ev *socketio.Event) error {
	ev.Socket().Conn().Close()
	return nil
}
