package centrifuge

import (
	"errors"
	"net/http"
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge/wsock"
)

const (
	subprotocolJSON     = "centrifuge-json"
	subprotocolProtobuf = "centrifuge-protobuf"
)

// ServeWebSocket is the handler of the main transport. The wire form is chosen
// by the subprotocol, without one by the query: format=protobuf or
// cf_protocol=protobuf; JSON else.
func (s *Server) ServeWebSocket(w http.ResponseWriter, r *http.Request) {
	if !s.welcome(w, r) {
		return
	}
	form := formOfRequest(r)
	ws, err := s.upgrader.Upgrade(w, r)
	if err != nil {
		s.cfg.Logger.Debug("handshake refused", "error", err)
		return
	}
	switch ws.Protocol() {
	case subprotocolJSON:
		form = formJSON
	case subprotocolProtobuf:
		form = formProtobuf
	}
	link := &socketLink{ws: ws, form: form}
	c := s.newConn(form, link)
	if err := c.start(); err != nil { // the door closed meanwhile
		link.hangUp()
		return
	}
	// The request's own goroutine ends here, so that its stack and buffers do not
	// live as long as the connection.
	go c.read(ws)
}

// welcome answers requests that can't be served at all.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request) bool {
	if !s.originAllowed(w, r) {
		return false
	}
	s.mu.Lock()
	err := s.full()
	s.mu.Unlock()
	if err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return false
	}
	return true
}

// formOfRequest reads the wire form from the query.
func formOfRequest(r *http.Request) wireForm {
	if r.URL.RawQuery == "" {
		return formJSON
	}
	q := r.URL.Query()
	if q.Get("format") == "protobuf" || q.Get("cf_protocol") == "protobuf" {
		return formProtobuf
	}
	return formJSON
}

// read is the connection's one lasting goroutine. It waits on a stack of two
// kilobytes. What has come is read and worked off by a goroutine that lives as
// long as the frame, so that the deep calls leave no larger stack behind.
func (c *Conn) read(ws *wsock.Conn) {
	defer c.finish()
	turns := make(chan bool)
	for {
		if err := ws.Wait(); err != nil {
			c.readerEnded(ws, err)
			return
		}
		go c.turn(ws, turns)
		if goesOn := <-turns; !goesOn {
			return
		}
	}
}

// turn works one message off and tells whether there may be another.
func (c *Conn) turn(ws *wsock.Conn, turns chan<- bool) {
	goesOn := false
	defer func() { turns <- goesOn }()
	defer c.containCommand()
	_, frame, err := ws.Read()
	if err != nil {
		c.readerEnded(ws, err)
		return
	}
	c.process(frame)
	goesOn = true
}

// readerEnded stays a little with a client that was sent away for a violation of
// WebSocket, so that it learns why.
func (c *Conn) readerEnded(ws *wsock.Conn, err error) {
	c.log().Debug("reader ended", "error", err)
	var closed *wsock.CloseError
	if errors.As(err, &closed) && !closed.ByPeer {
		c.mu.Lock()
		c.outbox.end(Disconnect{uint32(closed.Code), closed.Reason})
		c.mu.Unlock()
		if err := ws.Linger(c.srv.cfg.CloseTimeout); err != nil {
			c.log().Debug("lingering ended", "error", err)
		}
	}
}

// socketLink carries replies over a WebSocket.
type socketLink struct {
	ws   *wsock.Conn
	form wireForm
}

func (l *socketLink) name() string { return "websocket" }

func (l *socketLink) write(batch [][]byte) error {
	op := wsock.Text
	if l.form == formProtobuf {
		op = wsock.Binary
	}
	return l.ws.WriteParts(op, batch, l.form.codec().Separator())
}

func (l *socketLink) goodbye(d Disconnect) error {
	return l.ws.SendClose(uint16(d.Code), d.Reason)
}

func (l *socketLink) expire(after time.Duration) {
	if err := l.ws.SetDeadline(time.Now().Add(after)); err != nil {
		l.hangUp() // only a closed socket takes no deadline
	}
}

func (l *socketLink) hangUp() {
	_ = l.ws.Close() // closing twice is fine, and nothing is left to save
}
