package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
)

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
