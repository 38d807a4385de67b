package socketio

import (
	"errors"
	"time"

	"github.com/tolmach/tolmach/internal/engineio/wheel"
)

// ErrTimeout is what an acknowledgement that did not come in time is answered with.
var ErrTimeout = errors.New("socketio: the client did not acknowledge in time")

// awaited is an acknowledgement the client owes.
type awaited struct {
	socket *Socket
	id     uint64
	answer func(Args, error)
	timer  wheel.Timer
}

// Due gives up waiting.
func (a *awaited) Due(time.Time) {
	a.socket.client.conn.Do(func() {
		if a.socket.settle(a.id) != nil {
			a.answer(Args{}, ErrTimeout)
		}
	})
}

func (a *awaited) stop(s *Socket) { s.client.server.engine.Timers().Stop(&a.timer) }

// EmitAck sends an event and calls answer once: with what the client acknowledged, or with ErrTimeout or ErrDisconnected.
// answer is called like a Receiver's methods, one at a time with them; it is not called if EmitAck returns an error.
func (s *Socket) EmitAck(event string, timeout time.Duration, answer func(Args, error), args ...any) error {
	p, err := newEvent(event, args)
	if err != nil {
		return err
	}
	a, err := s.await(answer)
	if err != nil {
		return err
	}
	p.id, p.hasID = a.id, true
	server := s.client.server
	server.engine.Timers().Schedule(&a.timer, a, server.config.Engine.Now().Add(timeout))
	if err := s.send(p.messages(s.name, "")); err != nil {
		if s.settle(a.id) == nil {
			return nil // its end has just been told to answer
		}
		return err
	}
	return nil
}

func (s *Socket) await(answer func(Args, error)) (*awaited, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateEnded {
		return nil, ErrDisconnected
	}
	if len(s.acks) >= s.client.server.config.MaxAcks {
		return nil, ErrTooMany
	}
	if s.acks == nil {
		s.acks = make(map[uint64]*awaited)
	}
	a := &awaited{socket: s, id: s.lastAck, answer: answer}
	s.lastAck++
	s.acks[a.id] = a
	return a, nil
}

// settle takes an awaited acknowledgement off the list; nil if it is not there.
func (s *Socket) settle(id uint64) *awaited {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.acks[id]
	if a == nil {
		return nil
	}
	delete(s.acks, id)
	a.stop(s)
	return a
}

// receiveAck hands an acknowledgement over. One that nobody waits for is ignored: it may have come too late.
func (s *Socket) receiveAck(p packet, attachments [][]byte) error {
	values, err := splitArray(p.body)
	if err != nil {
		return err
	}
	args := Args{values: values, attachments: attachments}
	if err := args.check(); err != nil {
		return err
	}
	if a := s.settle(p.id); a != nil {
		a.answer(args, nil)
	}
	return nil
}
