package engineio

import (
	"net/http"
	"time"

	"github.com/tolmach/tolmach/internal/engineio/websocket"
)

// maxProbe is what a ping of a probe may say: "probe", in practice.
const maxProbe = 125

// upgrade lets a WebSocket in beside the polling transport of c (Engine.IO 4, "Upgrade").
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, c *Conn) *refusal {
	if !websocket.Requested(r) {
		return refuseRequest()
	}
	if !c.reserveProbe() {
		s.turnAway(w, r)
		return nil
	}
	ws, err := websocket.Upgrade(w, r, nil, int64(s.config.MaxPayload))
	if err != nil {
		c.dropProbe()
		s.working.Done()
		return nil //nolint:nilerr // answered by the upgrade
	}
	go func() {
		defer s.working.Done()
		c.tryUpgrade(ws)
	}()
	return nil
}

// turnAway opens and closes a WebSocket that the session has no use for: browsers are told nothing of a refused upgrade.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Upgrade(w, r, nil, int64(s.config.MaxPayload))
	if err != nil {
		return // answered by the upgrade
	}
	_ = ws.WriteClose(DuplicateRequest.code(), "") // it may be gone already
	_ = ws.Close()
}

// reserveProbe lets one WebSocket at a time be probed, and counts its goroutine.
func (c *Conn) reserveProbe() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen || c.polling == nil || c.probing {
		return false
	}
	c.probing = true
	c.server.working.Add(1)
	return true
}

func (c *Conn) dropProbe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing, c.probe = false, nil
}

// tryUpgrade plays the probe and, once the upgrade packet came, reads on as the transport of the connection. A WebSocket
// that fails the probe is closed; polling goes on as if it had never been.
func (c *Conn) tryUpgrade(ws socket) {
	deadline := time.Now().Add(c.server.config.UpgradeTimeout)
	if ws.SetReadDeadline(deadline) != nil || !c.probed(ws) || ws.SetReadDeadline(time.Time{}) != nil || !c.move(ws) {
		c.dropProbe()
		// The peer may be gone already, or refuse to read.
		_ = ws.SetWriteDeadline(time.Now().Add(c.server.config.CloseTimeout))
		_ = ws.WriteClose(ParseError.code(), "")
		_ = ws.Close()
		return
	}
	c.read(ws)
}

// probed answers pings until the upgrade packet comes; anything else fails the probe.
func (c *Conn) probed(ws socket) bool {
	if !c.setProbe(ws) {
		return false
	}
	for pings := 0; ; pings++ {
		data, binary, err := ws.ReadMessage()
		if err != nil || binary {
			return false
		}
		p, err := decodeText(c.protocol, data)
		switch {
		case err == nil && p.kind == packetUpgrade:
			return pings > 0
		case err != nil || p.kind != packetPing || pings == maxPackets || len(p.data) > maxProbe:
			return false
		}
		pong := control(packetPong, p.data)
		if ws.Write(pong.encoded(wireSocket4)) != nil {
			return false
		}
		c.releaseGet()
	}
}

func (c *Conn) setProbe(ws socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probe = ws
	return c.phase == phaseOpen
}

// releaseGet ends the pending GET with a noop: JavaScript clients wait for that before they upgrade (specs/live.md §2.5).
func (c *Conn) releaseGet() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOpen && c.polling.waiting != nil {
		_ = c.push(c.server.noopPacket) // too much queued has just ended the connection
	}
}

// move makes ws the transport and flushes what was queued since the handshake on it.
func (c *Conn) move(ws socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen {
		return false
	}
	c.probing, c.probe = false, nil
	c.polling.wake() // a GET that still waits has lost its transport
	c.polling, c.socket = nil, &link{ws: ws}
	if !c.out.empty() {
		c.wake()
	}
	return true
}
