package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// liveClients write in turn.
const liveClients = 200

// watcher is one operator's socket that is shown every conversation. It checks
// the order of each and notes when each message came.
type watcher struct {
	socket *socket
	want   int
	came   map[string]time.Time // by text
	last   map[int64]int64      // by conversation: the last seq
	wrong  error
	done   chan struct{} // closed when all have come, or nothing comes any more
}

// shown is a message of a socket.
type shown struct {
	Type         string `json:"type"`
	Conversation int64  `json:"conversation"`
	Event        struct {
		Seq     int64 `json:"seq"`
		Message *struct {
			Text string `json:"text"`
		} `json:"message"`
	} `json:"event"`
}

// watch opens a socket; it is read until n messages of clients have come.
func watch(ctx context.Context, s *server, session string, n int) (*watcher, error) {
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(http.Header{"Authorization": {"Bearer " + session}})}
	conn, early, _, err := dialer.Dial(ctx, "ws://"+s.address()+"/console/api/live?scope=all")
	if err != nil {
		return nil, fmt.Errorf("the operator's socket: %w", err)
	}
	in := &socket{Conn: conn, r: conn}
	if early != nil { // it came with the handshake
		in.r = early
	}
	first, err := in.next()
	if err == nil && first.Type != "hello" {
		err = fmt.Errorf("the socket began with %+v", first)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w := &watcher{socket: in, want: n, came: make(map[string]time.Time, n), last: map[int64]int64{}, done: make(chan struct{})}
	go w.read()
	return w, nil
}

// socket reads messages and answers pings.
type socket struct {
	net.Conn
	r io.Reader
}

// Read implements io.Reader.
func (s *socket) Read(p []byte) (int, error) { return s.r.Read(p) }

func (s *socket) next() (shown, error) {
	var m shown
	text, err := wsutil.ReadServerText(s)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

// read ends when all have come, something is wrong or the socket is closed.
func (w *watcher) read() {
	defer close(w.done)
	for len(w.came) < w.want && w.wrong == nil {
		m, err := w.socket.next()
		if err != nil {
			w.wrong = fmt.Errorf("the socket ended after %d of %d messages: %w", len(w.came), w.want, err)
			return
		}
		w.note(&m, time.Now())
	}
}

// note checks that nothing of a conversation is missed, repeated or out of
// place: its events are numbered without a gap.
func (w *watcher) note(m *shown, at time.Time) {
	switch m.Type {
	case "event":
	case "reload":
		w.wrong = errors.New("the socket fell behind and has to reload")
		return
	default:
		return
	}
	if last := w.last[m.Conversation]; m.Event.Seq != last+1 {
		w.wrong = fmt.Errorf("conversation %d: event %d came after %d", m.Conversation, m.Event.Seq, last)
		return
	}
	w.last[m.Conversation] = m.Event.Seq
	if m.Event.Message != nil {
		w.came[m.Event.Message.Text] = at
	}
}

// measureLive: clients of the queue write, and everybody who watches is shown
// all of it.
func measureLive(ctx context.Context, o options, s *server, r *report) error {
	session, err := login(ctx, s)
	if err != nil {
		return err
	}
	n := int(o.seconds.Seconds() * float64(o.liveRate))
	watchers := make([]*watcher, o.sockets)
	for i := range watchers {
		if watchers[i], err = watch(ctx, s, session, n); err != nil {
			return err
		}
		defer watchers[i].close()
	}
	l := &live{Rate: o.liveRate, Sockets: o.sockets, Count: n}
	var sent, acked map[string]time.Time
	cpu, err := s.costing(n, func() (err error) {
		var accept []time.Duration
		sent, acked, accept, err = talk(ctx, o, s, n)
		l.Accept = spreadOf(accept)
		for _, w := range watchers {
			if err == nil {
				err = w.finished()
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	l.Cost = cost(cpu)
	var delay, whole []time.Duration
	for _, w := range watchers {
		for text, at := range w.came {
			delay = append(delay, max(0, at.Sub(acked[text])))
			whole = append(whole, at.Sub(sent[text]))
		}
	}
	l.Delay, l.Whole = spreadOf(delay), spreadOf(whole)
	r.Live = l
	return nil
}

// talk sends n messages and notes when each was sent and acknowledged.
func talk(ctx context.Context, o options, s *server, n int) (sent, acked map[string]time.Time, took []time.Duration, err error) {
	sent, acked = make(map[string]time.Time, n), make(map[string]time.Time, n)
	var mu sync.Mutex
	took, _, err = openLoop(ctx, o.liveRate, n, func(i int) error {
		text := fmt.Sprintf("message %d", i)
		began := time.Now()
		_, err := call(ctx, http.MethodPost, s.url+"/chatapi/desk/async", "", question{client(i % liveClients), text}, nil)
		done := time.Now()
		mu.Lock()
		defer mu.Unlock()
		sent[text], acked[text] = began, done
		return err
	})
	return sent, acked, took, err
}

// finished waits until all was shown.
func (w *watcher) finished() error {
	select {
	case <-w.done:
		return w.wrong
	case <-time.After(30 * time.Second):
		w.close()
		<-w.done
		return w.wrong
	}
}

func (w *watcher) close() { _ = w.socket.Close() } // nobody reads it any more
