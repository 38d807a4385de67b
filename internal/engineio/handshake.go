package engineio

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/tolmach/tolmach/internal/engineio/websocket"
)

// opening is the JSON of the open packet. Revision 3 knows no maxPayload.
type opening struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"`
	PingTimeout  int64    `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload,omitempty"`
}

// handshake opens a connection: the application accepts it, then it is booked in, then the open packet goes out.
func (s *Server) handshake(w http.ResponseWriter, r *http.Request, protocol int, transport string) *refusal {
	if transport == transportWebSocket && !websocket.Requested(r) {
		return refuseRequest()
	}
	c := s.newConn(r, protocol)
	if err := c.open(transport); err != nil {
		s.config.Logger.Error("engineio: open packet", slog.Any("error", err))
		return refuseBusy()
	}
	if !c.accept(r) {
		return refuseForbidden()
	}
	if !c.book() {
		c.shut(Shutdown)
		c.settle()
		return refuseBusy()
	}
	s.timers.Schedule(&c.timer, (*alarm)(c), c.pulse.due(s.config.Now()))
	if transport == transportPolling {
		s.setCookie(w.Header(), c)
		return c.openPolling(w)
	}
	return c.openWebSocket(w, r)
}

func (s *Server) newConn(r *http.Request, protocol int) *Conn {
	return &Conn{
		server: s, id: s.config.NewID(), protocol: protocol,
		base64: r.URL.Query().Get("b64") == "1",
		out:    outbox{limit: s.config.MaxQueue},
		pulse:  newPulse(protocol, s.config.Now(), s.config.PingInterval, s.config.PingTimeout),
	}
}

// open queues the open packet.
func (c *Conn) open(transport string) error {
	hello := opening{
		SID: c.id, Upgrades: []string{},
		PingInterval: int64(c.server.config.PingInterval / time.Millisecond),
		PingTimeout:  int64(c.server.config.PingTimeout / time.Millisecond),
	}
	if transport == transportPolling {
		hello.Upgrades = append(hello.Upgrades, transportWebSocket)
	}
	if c.protocol == 4 {
		hello.MaxPayload = c.server.config.MaxPayload
	}
	body, err := json.Marshal(hello)
	if err != nil {
		return fmt.Errorf("engineio: encode the open packet: %w", err)
	}
	c.out.push(control(packetOpen, body))
	return nil
}

// accept asks the application. Nobody else knows the connection yet.
func (c *Conn) accept(r *http.Request) (accepted bool) {
	c.receiving.Lock()
	defer c.settle()
	defer c.receiving.Unlock()
	defer func() {
		if cause := recover(); cause != nil {
			c.server.config.Logger.Error("engineio: acceptor panicked",
				slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			c.told, accepted = true, false
		}
	}()
	receiver, err := c.server.acceptor(c, r)
	if err != nil {
		c.server.config.Logger.Info("engineio: connection refused", slog.Any("error", err))
		c.told = true
		return false
	}
	c.receiver = receiver
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == phaseOpen
}

func (c *Conn) book() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.booked = c.server.sessions.add(c)
	return c.booked
}

// openPolling answers with the open packet alone; what the application has queued waits for the first GET.
func (c *Conn) openPolling(w http.ResponseWriter) *refusal {
	c.mu.Lock()
	c.polling = &polling{}
	body := c.payload(c.out.take(1, 0))
	c.mu.Unlock()
	writePayload(w, body)
	return nil
}

func (c *Conn) openWebSocket(w http.ResponseWriter, r *http.Request) *refusal {
	header := http.Header{}
	c.server.setCookie(header, c)
	ws, err := websocket.Upgrade(w, r, header, int64(c.server.config.MaxPayload))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.end(TransportClosed)
		c.forget()
		return nil // answered by the upgrade
	}
	if c.phase == phaseGone { // a shutdown did not wait
		_ = ws.Close() // so there is nobody to tell
		return nil
	}
	c.socket = &link{ws: ws}
	if c.phase != phaseOpen { // the application, or a shutdown, was faster
		c.socket.finish(c)
	}
	c.wake()
	go c.read(ws) // counted by the books
	return nil
}

func (s *Server) setCookie(h http.Header, c *Conn) {
	if s.config.Cookie == "" {
		return
	}
	// Not Secure: the server may stand behind a proxy that speaks TLS for it, and the sid is no credential.
	cookie := http.Cookie{Name: s.config.Cookie, Value: c.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode} //nolint:gosec // see above
	h.Add("Set-Cookie", cookie.String())
}
