package socketio

import (
	"encoding/json"

	"github.com/tolmach/tolmach/internal/engineio"
)

// prepareRecovery gives a client that asked for it a socket it can come back to, or the one it comes back to. What it
// missed waits in the socket, before anything the handler emits.
func (c *client) prepareRecovery(s *Socket, h *Handshake) {
	j := s.namespace.journal
	if j == nil || c.conn.Protocol() != 4 || h.Query.Get("recovery") != "1" {
		return
	}
	var claim struct {
		PID    string `json:"pid"`
		Offset string `json:"offset"`
	}
	// Auth that says nothing of the kind is no claim.
	_ = json.Unmarshal(h.Auth, &claim)
	now := c.server.config.Engine.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.expire(now)
	s.since = j.next()
	s.recoveryID = c.server.config.Engine.NewID()
	old, ok := j.unpark(claim.PID)
	if !ok {
		return
	}
	since, ok := old.since, old.since >= j.first
	if claim.Offset != "" {
		since, ok = j.after(claim.Offset)
	}
	if ok {
		h.Recovered = true
		s.restore(claim.PID, old, j.missed(old, since))
	}
}

// restore makes s the parked socket, its namespace's journal being locked, so that nothing is missed or doubled.
func (s *Socket) restore(pid string, old parked, missed []missedEvent) {
	s.recoveryID, s.id, s.since = pid, old.id, old.since
	s.namespace.add(s)
	for _, m := range missed {
		s.pending = append(s.pending, m.publication.messages(s.name, m.offset)...)
	}
	for _, name := range old.rooms {
		_ = s.Join(name) // it has just been added, and was within the limits
	}
}

// park keeps a socket whose transport was lost. One whose client offended is not kept.
func (s *Socket) park(reason engineio.Reason) {
	if s.recoveryID == "" || !recoverable(reason) {
		return
	}
	j := s.namespace.journal
	now := s.client.server.config.Engine.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.park(s.recoveryID, parked{id: s.id, rooms: s.Rooms(), since: s.since, until: now.Add(j.limits.MaxAge)}, now)
}

func recoverable(reason engineio.Reason) bool {
	switch reason {
	case engineio.ClientClosed, engineio.ServerClosed, engineio.Shutdown, engineio.TransportClosed, engineio.PingTimeout, engineio.Slow:
		return true
	default:
		return false
	}
}
