package socketio

import "sync/atomic"

// Event is an event of the client. It may be kept and acknowledged later, from any goroutine.
type Event struct {
	Name string
	Args Args

	socket   *Socket
	id       uint64
	wanted   bool
	answered atomic.Bool
}

// Socket is who sent it.
func (e *Event) Socket() *Socket { return e.socket }

// WantsAck says whether the client waits for an acknowledgement.
func (e *Event) WantsAck() bool { return e.wanted }

// Ack answers the event, arguments as in Socket.Emit. Only the first answer is sent, and only if one is wanted.
func (e *Event) Ack(args ...any) error {
	if !e.wanted || e.answered.Swap(true) {
		return nil
	}
	p, err := newPublication(packetAck, "", args)
	if err != nil {
		return err
	}
	p.id, p.hasID = e.id, true
	return e.socket.send(p.messages(e.socket.name, ""))
}

// receive handles a whole packet for the socket. An error ends the connection.
func (s *Socket) receive(p packet, attachments [][]byte) error {
	s.mu.Lock()
	s.spoke = true
	connected := s.state == stateConnected
	s.mu.Unlock()
	switch {
	case !connected:
		return nil
	case p.kind == packetDisconnect:
		s.finish(ClientDisconnected)
		return nil
	case p.kind == packetAck || p.kind == packetBinaryAck:
		return s.receiveAck(p, attachments)
	}
	name, values, err := splitEvent(p.body)
	if err != nil {
		return err
	}
	args := Args{values: values, attachments: attachments}
	if err := args.check(); err != nil {
		return err
	}
	s.receiver.Event(&Event{Name: name, Args: args, socket: s, id: p.id, wanted: p.hasID})
	return nil
}
