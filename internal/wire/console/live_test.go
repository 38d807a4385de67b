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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/tolmach/tolmach/internal/auth"
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

// An operator is told of his conversations, of the queue and of what he has
// open; a supervisor of everything, if he asks; another company of nothing.
func TestLiveScopes(t *testing.T) {
	s := newStage(t)
	ann, sue, rival := s.operator(t, "ann"), s.operator(t, "sue"), s.operator(t, "ann-rival")
	bots, queued := s.Say(s.Acme, "bots", "x").ConversationID, s.queue("queued")
	opened := s.Say(s.Acme, "opened", "x").ConversationID
	forAnn, forSue := s.lines(ann, fmt.Sprint("?open=", opened)), s.lines(sue, "?scope=all")
	forRival := s.lines(rival, "")
	for _, lines := range []map[string]*line{forAnn, forSue, forRival} {
		for kind, l := range lines {
			if hello := l.next(); hello.Type != "hello" || hello.Epoch != s.Epoch() {
				t.Fatalf("%s: the first message is %+v", kind, hello)
			}
		}
	}
	s.Say(s.Acme, "bots", "to the bot")
	s.Say(s.Acme, "queued", "to the queue")
	s.Say(s.Acme, "opened", "to the bot, but open")
	s.post(t, ann, path(bots, "/take"), "").Must(http.StatusOK)
	s.Say(s.Acme, "bots", "to ann")
	s.Say(s.Rival, "them", "to rivals")
	s.post(t, rival, path(s.Say(s.Rival, "them", "x").ConversationID, "/take"), "").Must(http.StatusOK)
	s.Say(s.Rival, "them", "the last")
	for kind, l := range forAnn {
		got := l.until("to ann")
		if want := []string{"to the queue", "to the bot, but open", "to ann"}; !slices.Equal(texts(got), want) {
			t.Errorf("%s: ann heard %v, want %v", kind, texts(got), want)
		}
		for _, m := range got {
			if m.Type == "event" && (m.ID == 0 || m.Conversation == 0 || m.Event.Seq == 0) {
				t.Errorf("%s: %+v", kind, m)
			}
		}
	}
	for kind, l := range forSue {
		if got, want := texts(l.until("to ann")), []string{"to the bot", "to the queue", "to the bot, but open", "to ann"}; !slices.Equal(got, want) {
			t.Errorf("%s: sue heard %v, want %v", kind, got, want)
		}
	}
	for kind, l := range forRival {
		if got, want := texts(l.until("the last")), []string{"the last"}; !slices.Equal(got, want) {
			t.Errorf("%s: the rival heard %v, want %v", kind, got, want)
		}
	}
	// What is open can be changed on the way.
	l := forAnn["WebSocket"]
	l.tell(fmt.Sprintf(`{"open":[%d]}`, queued))
	l.tell(`{"open":[],"more":1}`)
	if m := l.of("error"); m.Error.Code != "invalid" || m.Error.Field != "more" {
		t.Errorf("%+v", m)
	}
	s.Say(s.Acme, "opened", "not open any more")
	s.Say(s.Acme, "queued", "still waiting")
	if got, want := texts(l.until("still waiting")), []string{"still waiting"}; !slices.Equal(got, want) {
		t.Errorf("ann heard %v, want %v", got, want)
	}
}

// A reader that was cut off goes on where it was, whatever happened meanwhile.
func TestLiveResumes(t *testing.T) {
	s := newStage(t)
	ann := s.operator(t, "ann")
	s.queue("client")
	for kind, open := range map[string]func(after chat.ID) *line{
		"WebSocket": func(after chat.ID) *line {
			return s.socket(ann, fmt.Sprintf("?after=%d&epoch=%s", after, s.Epoch()))
		},
		"SSE": func(after chat.ID) *line {
			return s.stream(ann, "", "Last-Event-ID", fmt.Sprintf("%s:%d", s.Epoch(), after))
		},
		"SSE, its own way": func(after chat.ID) *line { return s.stream(ann, fmt.Sprint("?after=", after)) },
	} {
		l := s.socket(ann, "")
		at := l.next().Position
		var want []string
		for i := range 30 {
			text := fmt.Sprint(kind, " ", i)
			s.Say(s.Acme, "client", text)
			want = append(want, text)
		}
		var got []string
		for round := 0; len(got) < len(want); round++ {
			for range 7 {
				if m := l.of("event"); m.text() != "" {
					got = append(got, m.text())
					at = m.ID
				}
				if len(got) == len(want) {
					break
				}
			}
			l.close()
			l = open(at)
			if hello := l.next(); hello.Type != "hello" || hello.Position != at {
				t.Fatalf("%s: %+v, want the position %d", kind, hello, at)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", kind, got)
		}
		l.close()
	}
}

// A position that can't be honoured is answered by reload, and it goes on.
func TestLiveReloads(t *testing.T) {
	s := newStage(t)
	ann := s.operator(t, "ann")
	s.queue("client")
	for name, l := range map[string]*line{
		"another epoch":         s.socket(ann, "?after=1&epoch=old"),
		"beyond the end":        s.socket(ann, "?after=999999"),
		"another epoch by SSE":  s.stream(ann, "", "Last-Event-ID", "old:1"),
		"beyond the end by SSE": s.stream(ann, "?after=999999"),
	} {
		if m := l.next(); m.Type != "hello" {
			t.Errorf("%s: %+v", name, m)
		}
		reload := l.next()
		if reload.Type != "reload" || reload.Position == 0 || reload.Position == 999999 {
			t.Errorf("%s: %+v", name, reload)
		}
		s.Say(s.Acme, "client", name)
		l.until(name)
	}
}

// What ends a session ends its connections within a second, and no others.
func TestLiveEndsWithTheSession(t *testing.T) {
	s := newStage(t)
	admin, yes, password := chat.Actor{Kind: chat.ActorAdmin}, true, "another password"
	edit := func(login string, e chat.OperatorEdit) {
		t.Helper()
		if err := s.EditOperator(t.Context(), admin, login, e); err != nil {
			t.Fatal(err)
		}
	}
	stays := s.lines("key-reader", "")
	for name, end := range map[string]func() (login string){
		"logout": func() string { return "ann" },
		"password": func() string {
			return "sue"
		},
		"disabled": func() string { return "root" },
	} {
		login := end()
		token, other := s.operator(t, login), s.operator(t, login)
		ends, others := s.lines(token, ""), s.lines(other, "")
		for _, l := range []*line{ends["SSE"], ends["WebSocket"], others["SSE"], others["WebSocket"]} {
			l.of("hello")
		}
		start := time.Now()
		switch name {
		case "logout":
			s.post(t, token, "logout", "").Must(http.StatusOK)
		case "password":
			edit(login, chat.OperatorEdit{Password: &password})
		default:
			edit(login, chat.OperatorEdit{Disabled: &yes})
		}
		if code := ends["WebSocket"].code(); code != 4401 {
			t.Errorf("%s: the close code is %d", name, code)
		}
		if m := ends["SSE"].of("bye"); m.Reason != "signed_out" {
			t.Errorf("%s: %+v", name, m)
		}
		ends["SSE"].code()
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
		if name != "logout" {
			if code := others["WebSocket"].code(); code != 4401 {
				t.Errorf("%s: the close code of his other session is %d", name, code)
			}
			continue
		}
		s.queue("client")
		s.Say(s.Acme, "client", "after logout")
		others["WebSocket"].until("after logout")
		others["SSE"].until("after logout")
	}
	for _, l := range stays {
		l.until("after logout")
	}
}

// Typing and the presence of colleagues are told, and nothing keeps them.
func TestLiveHints(t *testing.T) {
	s := newStage(t)
	ann, sue := s.operator(t, "ann"), s.operator(t, "sue")
	id := s.queue("client")
	s.Say(s.Acme, "client", "x")
	lines := s.lines(ann, "")
	for _, l := range lines {
		l.of("hello")
	}
	s.Say(s.Acme, "client", "y") // from here on the feed knows whose it is
	for _, l := range lines {
		l.until("y")
	}
	s.post(t, sue, path(id, "/typing"), "").Must(http.StatusOK)
	for kind, l := range lines {
		if m := l.of("typing"); m.Conversation != id || m.Who != "OPERATOR" {
			t.Errorf("%s: %+v", kind, m)
		}
	}
	s.put(t, sue, "me/status", `{"status":"READY"}`).Must(http.StatusOK)
	id = s.queue("another")
	s.post(t, sue, path(id, "/take"), "").Must(http.StatusOK)
	for kind, l := range lines {
		for m := l.of("presence"); m.Operator.Login != "sue" || m.Operator.Status != "READY" || m.Operator.Load == 0; m = l.of("presence") {
			t.Logf("%s: %+v", kind, m.Operator)
		}
	}
}

func TestLiveRefuses(t *testing.T) {
	s := newStage(t)
	ann := s.operator(t, "ann")
	cookie := auth.CookieName + "=" + ann
	many := strings.TrimSuffix(strings.Repeat("1,", 101), ",")
	for name, tt := range map[string]struct {
		token, query string
		header       []string
		status       string
	}{
		"nobody":                     {"", "", nil, "401"},
		"a wrong token":              {strings.Repeat("0", 48), "", nil, "401"},
		"no scope":                   {"key-worker", "", nil, "403"},
		"everything for an operator": {ann, "?scope=all", nil, "403"},
		"a foreign page":             {"", "", []string{"Cookie", cookie, "Origin", "https://evil.example"}, "403"},
		"a foreign page, bearer":     {ann, "", []string{"Origin", "https://evil.example"}, "403"},
		"an unknown parameter":       {ann, "?since=1", nil, "400"},
		"no number":                  {ann, "?after=x", nil, "400"},
		"a wrong last event":         {ann, "", []string{"Last-Event-ID", "a:b"}, "400"},
		"a wrong scope":              {ann, "?scope=mine", nil, "400"},
		"a wrong list":               {ann, "?open=1,,2", nil, "400"},
		"a long list":                {ann, "?open=" + many, nil, "413"},
	} {
		if _, err := s.dial(tt.token, tt.query, tt.header...); err == nil || !strings.HasPrefix(err.Error(), tt.status) {
			t.Errorf("%s: %v, want %s", name, err, tt.status)
		}
	}
	if _, err := s.dial("", "", "Cookie", cookie, "Origin", "https://chat.example.com"); err != nil {
		t.Errorf("our own page: %v", err)
	}
	if a := s.get(t, ann, "live"); a.Status != http.StatusBadRequest || a.At("error", "code") != "invalid" {
		t.Errorf("neither a WebSocket nor SSE: %d %s", a.Status, a.Body)
	}
	if a := s.post(t, ann, "live", ""); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET" {
		t.Errorf("POST: %d %s", a.Status, a.Body)
	}
	for range 32 {
		s.socket("key-reader", "").of("hello")
	}
	if _, err := s.dial("key-reader", ""); err == nil || !strings.HasPrefix(err.Error(), "429") {
		t.Errorf("one too many: %v", err)
	}
}

// What no page would send ends the connection with its code, and only that one.
func TestLiveHostile(t *testing.T) {
	s := newStage(t)
	ann := s.operator(t, "ann")
	frame := func(op ws.OpCode, fin bool, payload []byte) ws.Frame {
		return ws.MaskFrameInPlace(ws.NewFrame(op, fin, payload))
	}
	for name, tt := range map[string]struct {
		frame ws.Frame
		code  ws.StatusCode
	}{
		"a long message":    {frame(ws.OpText, true, make([]byte, 5000)), 1009},
		"bytes":             {frame(ws.OpBinary, true, []byte("{}")), 1003},
		"not UTF-8":         {frame(ws.OpText, true, []byte("\xff\xfe")), 1007},
		"without a mask":    {ws.NewTextFrame([]byte("{}")), 1002},
		"no first fragment": {frame(ws.OpContinuation, true, []byte("{}")), 1002},
		"an unknown frame":  {frame(ws.OpCode(3), true, nil), 1002},
	} {
		l := s.socket(ann, "")
		l.of("hello")
		if err := ws.WriteFrame(l.conn, tt.frame); err != nil {
			t.Fatal(err)
		}
		if code := l.code(); code != tt.code {
			t.Errorf("%s: the close code is %d, want %d", name, code, tt.code)
		}
	}
	l := s.socket(ann, "")
	l.of("hello")
	for body, field := range map[string]string{`{`: "", `[]`: "", `{}`: "open", `{"open":"1"}`: "open", `{"open":[-1]}`: "open"} {
		l.tell(body)
		if m := l.of("error"); m.Error.Field != field {
			t.Errorf("%s: %+v", body, m.Error)
		}
	}
	if err := ws.WriteFrame(l.conn, frame(ws.OpPing, true, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	if err := ws.WriteFrame(l.conn, frame(ws.OpClose, true, ws.NewCloseFrameBody(1000, "bye"))); err != nil {
		t.Fatal(err)
	}
	if code := l.code(); code != 1000 {
		t.Errorf("a close is answered by %d", code)
	}
}

// A server that stops says so.
func TestLiveStops(t *testing.T) {
	s := newStage(t)
	lines := s.lines(s.operator(t, "ann"), "")
	for _, l := range lines {
		l.of("hello")
	}
	s.stop()
	if code := lines["WebSocket"].code(); code != 4012 {
		t.Errorf("the close code is %d", code)
	}
	if m := lines["SSE"].of("bye"); m.Reason != "reconnect" {
		t.Errorf("%+v", m)
	}
	if _, err := s.dial("key-reader", ""); err == nil || !strings.HasPrefix(err.Error(), "503") {
		t.Errorf("a new one: %v", err)
	}
}
