package socketio

import "slices"

// Target is whom an event is for: make it with Namespace.All or Namespace.To.
type Target struct {
	namespace *Namespace
	rooms     []string // nil for everybody
	except    []string // socket ids
}

// All is every socket of the namespace.
func (n *Namespace) All() Target { return Target{namespace: n} }

// To is every socket that is in one of the rooms, each once.
func (n *Namespace) To(rooms ...string) Target {
	return Target{namespace: n, rooms: append([]string{}, rooms...)}
}

// Except leaves sockets out, the sender for one.
func (t Target) Except(sockets ...*Socket) Target {
	ids := slices.Clone(t.except)
	for _, s := range sockets {
		ids = append(ids, s.id)
	}
	t.except = ids
	return t
}

// Emit sends an event to everybody it is for, encoded once; arguments as in Socket.Emit, and the error is about them.
// A client that is too slow is closed; nobody waits for it.
func (t Target) Emit(event string, args ...any) error {
	p, err := newEvent(event, args)
	if err != nil {
		return err
	}
	t.namespace.publish(t, p)
	return nil
}

// publish fans out. With recovery the journal stays locked meanwhile, so that every client sees its offsets rise.
func (n *Namespace) publish(t Target, p *publication) {
	offset := ""
	if n.journal != nil {
		n.journal.mu.Lock()
		defer n.journal.mu.Unlock()
		offset = n.journal.append(record{target: t, publication: p}, n.server.config.Engine.Now())
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	t.each(func(s *Socket) {
		_ = s.send(p.messages(s.name, s.offset(offset))) // whoever cannot take it has ended or is being closed
	})
}

// emitTo sends to one socket; what may be recovered is kept in the journal.
func (n *Namespace) emitTo(s *Socket, p *publication) error {
	if n.journal == nil || s.recoveryID == "" {
		return s.send(p.messages(s.name, ""))
	}
	n.journal.mu.Lock()
	defer n.journal.mu.Unlock()
	offset := n.journal.append(record{only: s.id, publication: p}, n.server.config.Engine.Now())
	return s.send(p.messages(s.name, offset))
}

func (s *Socket) offset(offset string) string {
	if s.recoveryID == "" {
		return ""
	}
	return offset
}

// each calls visit for every socket once. The namespace is locked.
func (t Target) each(visit func(*Socket)) {
	if t.rooms == nil {
		for _, s := range t.namespace.sockets {
			t.visit(s, visit)
		}
		return
	}
	var seen map[*Socket]bool
	if len(t.rooms) > 1 {
		seen = make(map[*Socket]bool)
	}
	for _, name := range t.rooms {
		r := t.namespace.rooms[name]
		if r == nil {
			continue
		}
		for _, m := range r.members {
			if seen[m.socket] {
				continue
			}
			if seen != nil {
				seen[m.socket] = true
			}
			t.visit(m.socket, visit)
		}
	}
}

func (t Target) visit(s *Socket, visit func(*Socket)) {
	if !slices.Contains(t.except, s.id) {
		visit(s)
	}
}

// reaches says whether a socket of that id in those rooms is among the receivers.
func (t Target) reaches(id string, rooms []string) bool {
	if slices.Contains(t.except, id) {
		return false
	}
	return t.rooms == nil || slices.ContainsFunc(t.rooms, func(name string) bool { return slices.Contains(rooms, name) })
}
