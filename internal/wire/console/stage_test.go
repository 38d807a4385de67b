package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/tolmach/tolmach/internal/chat"
)

// patience bounds how long a test waits for what must happen.
const patience = 30 * time.Second

// stage is the API on a real server, with Run.
type stage struct {
	*desk
	t    *testing.T
	url  string // ws://…/console/api/live
	stop func() // ends Run, which must end well
}

func newStage(t *testing.T) *stage {
	t.Helper()
	d := newDesk(t)
	server := httptest.NewServer(d.handler)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.api.Run(ctx) }()
	stopped := false
	s := &stage{desk: d, t: t, url: strings.Replace(server.URL, "http", "ws", 1) + "/console/api/live"}
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("Run did not end")
		}
	}
	t.Cleanup(func() {
		s.stop()
		server.Close()
	})
	return s
}

// message is what the server says.
type message struct {
	Type         string
	ID           chat.ID
	Position     chat.ID
	Epoch        string
	Conversation chat.ID
	Who          string
	Reason       string
	Event        struct {
		Seq     int64
		Kind    string
		Message *struct{ Text string }
		Data    json.RawMessage
	}
	Operator struct {
		Login, Status string
		Load          int
	}
	Error struct{ Code, Field string }
}

func (m message) text() string {
	if m.Event.Message == nil {
		return ""
	}
	return m.Event.Message.Text
}

// line is one end of a live connection, of either kind.
type line struct {
	t     *testing.T
	conn  net.Conn // of a WebSocket
	said  chan message
	ended chan error // what ended it: a close code, or the network
	close func()
}

// dial opens a WebSocket; query begins with "?" or is empty.
func (s *stage) dial(token, query string, header ...string) (*line, error) {
	h := http.Header{}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	var refusal string
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(h), OnStatusError: func(status int, _ []byte, _ io.Reader) {
		refusal = fmt.Sprint(status)
	}}
	conn, early, _, err := dialer.Dial(s.t.Context(), s.url+query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", refusal, err)
	}
	l := &line{t: s.t, conn: conn, said: make(chan message, 10_000), ended: make(chan error, 1), close: func() { _ = conn.Close() }}
	var from io.Reader = conn
	if early != nil {
		from = early
	}
	go func() {
		for {
			text, err := wsutil.ReadServerText(struct {
				io.Reader
				io.Writer
			}{from, conn})
			if err != nil {
				l.ended <- err
				return
			}
			l.hear(text)
		}
	}()
	s.t.Cleanup(l.close)
	return l, nil
}

func (s *stage) socket(token, query string) *line {
	s.t.Helper()
	l, err := s.dial(token, query)
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// stream opens server-sent events.
func (s *stage) stream(token, query string, header ...string) *line {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", strings.Replace(s.url, "ws", "http", 1)+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		s.t.Fatalf("status %d", resp.StatusCode)
	}
	l := &line{t: s.t, said: make(chan message, 10_000), ended: make(chan error, 1), close: cancel}
	go func() {
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewReader(resp.Body)
		for {
			text, err := lines.ReadString('\n')
			if err != nil { // what was cut off is nothing
				l.ended <- err
				return
			}
			if data, ok := strings.CutPrefix(text, "data: "); ok {
				l.hear([]byte(data))
			}
		}
	}()
	s.t.Cleanup(cancel)
	return l
}

func (l *line) hear(text []byte) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		l.t.Errorf("%v: %s", err, text)
	}
	l.said <- m
}

// next is the next message.
func (l *line) next() message {
	l.t.Helper()
	select {
	case m := <-l.said: // also what was said before the end
		return m
	default:
	}
	select {
	case m := <-l.said:
		return m
	case err := <-l.ended:
		if len(l.said) > 0 {
			l.ended <- err
			return <-l.said
		}
		l.t.Fatalf("the connection ended: %v", err)
	case <-time.After(patience):
		l.t.Fatal("nothing came")
	}
	return message{}
}

// of is the next message of a type.
func (l *line) of(kind string) message {
	l.t.Helper()
	for {
		if m := l.next(); m.Type == kind {
			return m
		}
	}
}

// until takes messages up to the event with a text.
func (l *line) until(text string) (all []message) {
	l.t.Helper()
	for {
		m := l.next()
		all = append(all, m)
		if m.text() == text {
			return all
		}
	}
}

func texts(all []message) (list []string) {
	for _, m := range all {
		if m.text() != "" {
			list = append(list, m.text())
		}
	}
	return list
}

// code waits for the end and returns the code of the close frame, 0 without.
func (l *line) code() ws.StatusCode {
	l.t.Helper()
	select {
	case err := <-l.ended:
		var closed wsutil.ClosedError
		if errors.As(err, &closed) {
			return closed.Code
		}
		l.t.Logf("the connection ended: %v", err)
		return 0
	case <-time.After(patience):
		l.t.Fatal("the connection stays open")
	}
	return 0
}

func (l *line) tell(text string) {
	l.t.Helper()
	if err := wsutil.WriteClientText(l.conn, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

// lines are the two ways to listen.
func (s *stage) lines(token, query string) map[string]*line {
	return map[string]*line{"WebSocket": s.socket(token, query), "SSE": s.stream(token, query)}
}

func (s *stage) queue(external string) chat.ID {
	s.t.Helper()
	id := s.Say(s.Acme, external, "first of "+external).ConversationID
	if _, err := s.SetFlags(s.t.Context(), s.Actor(s.Acme), id, map[string]bool{"operator": true}); err != nil {
		s.t.Fatal(err)
	}
	return id
}
