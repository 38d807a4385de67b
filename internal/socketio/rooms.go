package socketio

import "slices"

// room is who gets what is emitted to a name. Members and rooms know each other's places, so that leaving costs the same
// whatever the size of the room, and neither needs a map.
type room struct {
	name    string
	members []member
}

type member struct {
	socket *Socket
	slot   int // in socket.rooms
}

type place struct {
	room  *room
	index int // in room.members
}

// Join puts the socket into a room. It is ErrTooMany beyond MaxRooms, ErrDisconnected after the end; joining twice is nothing.
func (s *Socket) Join(name string) error {
	s.namespace.mu.Lock()
	defer s.namespace.mu.Unlock()
	return s.namespace.join(s, name)
}

// Leave takes the socket out of a room it may be in.
func (s *Socket) Leave(name string) {
	n := s.namespace
	n.mu.Lock()
	defer n.mu.Unlock()
	if slot := s.slot(name); slot >= 0 {
		n.part(s, slot)
	}
}

// Rooms are the names of the rooms the socket is in.
func (s *Socket) Rooms() []string {
	s.namespace.mu.RLock()
	defer s.namespace.mu.RUnlock()
	return s.roomNames()
}

func (s *Socket) roomNames() []string {
	names := make([]string, len(s.rooms))
	for i, p := range s.rooms {
		names[i] = p.room.name
	}
	return names
}

func (s *Socket) slot(name string) int {
	return slices.IndexFunc(s.rooms, func(p place) bool { return p.room.name == name })
}

// join runs with the namespace locked. A socket off the list has ended, or is about to.
func (n *Namespace) join(s *Socket, name string) error {
	switch {
	case n.sockets[s.id] != s:
		return ErrDisconnected
	case s.slot(name) >= 0:
		return nil
	case len(s.rooms) >= n.server.config.MaxRooms:
		return ErrTooMany
	}
	r := n.rooms[name]
	if r == nil {
		r = &room{name: name}
		n.rooms[name] = r
	}
	s.rooms = append(s.rooms, place{room: r, index: len(r.members)})
	r.members = append(r.members, member{socket: s, slot: len(s.rooms) - 1})
	return nil
}

// part takes a socket out of the room in that slot; the last entries of both lists move into the gaps.
func (n *Namespace) part(s *Socket, slot int) {
	gone := s.rooms[slot]
	r, last := gone.room, len(gone.room.members)-1
	moved := r.members[last]
	r.members[gone.index] = moved
	moved.socket.rooms[moved.slot].index = gone.index
	r.members[last] = member{}
	r.members = r.members[:last]
	if last == 0 {
		delete(n.rooms, r.name)
	}
	end := len(s.rooms) - 1
	if slot != end {
		s.rooms[slot] = s.rooms[end]
		s.rooms[slot].room.members[s.rooms[slot].index].slot = slot
	}
	s.rooms[end] = place{}
	s.rooms = s.rooms[:end]
}
