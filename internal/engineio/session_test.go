package engineio

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func TestHandshakeByPolling(t *testing.T) {
	h := open(t, Config{Cookie: "io"})
	for protocol, keys := range map[string]int{"3": 4, "4": 5} { // only revision 4 knows maxPayload
		a := h.get("EIO=" + protocol + "&transport=polling")
		body := a.body
		if protocol == "3" {
			length, rest, _ := strings.Cut(body, ":")
			if body = rest; length != strconv.Itoa(len(rest)) {
				t.Errorf("length %s of %d", length, len(rest))
			}
		}
		var hello map[string]any
		if err := json.Unmarshal([]byte(body[1:]), &hello); err != nil || body[0] != '0' {
			t.Fatalf("%q: %v", a.body, err)
		}
		sid, _ := hello["sid"].(string)
		if len(hello) != keys || len(sid) < 20 || hello["pingInterval"] != 25000.0 || hello["pingTimeout"] != 20000.0 ||
			hello["upgrades"].([]any)[0] != "websocket" {
			t.Errorf("EIO %s: %v", protocol, hello)
		}
		if want := "io=" + sid + "; Path=/; HttpOnly; SameSite=Strict"; a.header.Get("Set-Cookie") != want {
			t.Errorf("cookie %q, want %q", a.header.Get("Set-Cookie"), want)
		}
		if a.header.Get("Content-Type") != "text/plain; charset=UTF-8" {
			t.Errorf("content type %q", a.header.Get("Content-Type"))
		}
		if protocol == "3" && h.conn().ID() == h.polling("3") {
			t.Error("an id was given twice")
		}
	}
}

// specs/live.md §2.10, specs/twin.md §8.2
func TestRefusals(t *testing.T) {
	h := open(t, Config{})
	three := strings.TrimPrefix(h.polling("3"), "EIO=3&")
	four := strings.TrimPrefix(h.polling("4"), "EIO=4&")
	cases := []struct {
		method, query string
		want          string
	}{
		{"GET", "EIO=4", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "EIO=4&transport=abc", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "EIO=4&transport=polling&sid=nobody", `{"code":1,"message":"Session ID unknown"}`},
		{"POST", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"PUT", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"GET", "EIO=4&transport=websocket", `{"code":3,"message":"Bad request"}`},
		{"PUT", "EIO=4&" + four, `{"code":3,"message":"Bad request"}`},
		{"GET", "transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "EIO=2&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "EIO=abc&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "EIO=4&" + three, `{"code":5,"message":"Unsupported protocol version"}`},
		{"POST", "EIO=3&" + four, `{"code":5,"message":"Unsupported protocol version"}`},
	}
	for _, c := range cases {
		a := h.request(c.method, c.query, "", "")
		if a.status != http.StatusBadRequest || strings.TrimSpace(a.body) != c.want || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s", c.method, c.query, a.status, a.body)
		}
	}
}

func TestEchoByPolling(t *testing.T) {
	h := open(t, Config{})
	cases := []struct{ protocol, sent, want string }{
		{"4", "4hello", "4hello"},
		{"4", "4a\x1e4b\x1ebAQIDBA==", "4a\x1e4b\x1ebAQIDBA=="},
		{"3", "6:4hello3:4👋", "6:4hello3:4👋"},
		{"3", "10:b4AQIDBA==", "10:b4AQIDBA=="},
		{"3", "1:2", "1:3"},           // the client's ping
		{"3", "6:2probe", "6:3probe"}, // its data comes back
	}
	for _, c := range cases {
		query := h.polling(c.protocol)
		if a := h.post(query, c.sent); a.status != 200 || a.body != "ok" {
			t.Errorf("post %q: %d %s", c.sent, a.status, a.body)
		}
		if a := h.get(query); a.status != 200 || a.body != c.want {
			t.Errorf("poll after %q: %d %q", c.sent, a.status, a.body)
		}
	}
}

// specs/live.md §2.4: Python's engines refuse a payload of more than 16 packets, in both protocols.
func TestAtMost16PacketsInOneAnswer(t *testing.T) {
	for _, protocol := range []string{"3", "4"} {
		h := open(t, Config{})
		query := "EIO=" + protocol + "&transport=polling"
		h.get(query)
		c := h.conn()
		for range 40 {
			if err := c.Send(Text([]byte("x"))); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []int{16, 16, 8} {
			if got := strings.Count(h.get(query+"&sid="+c.ID()).body, "4x"); got != want {
				t.Errorf("EIO %s: %d packets, want %d", protocol, got, want)
			}
		}
	}
}

func TestEchoByWebSocket(t *testing.T) {
	h := open(t, Config{})
	for _, protocol := range []string{"3", "4"} {
		p := h.websocket(protocol)
		p.write("4привет 👋")
		if got := p.read(); got != "4привет 👋" {
			t.Errorf("EIO %s: %q", protocol, got)
		}
		raw := map[string]string{"3": "\x04\x01\x02", "4": "\x01\x02"}[protocol]
		if err := wsutil.WriteClientBinary(p.conn, []byte(raw)); err != nil {
			t.Fatal(err)
		}
		if got := p.read(); got != raw {
			t.Errorf("EIO %s: binary %q", protocol, got)
		}
	}
	p := h.dial("EIO=4&b64=1")
	p.read()
	p.write("bAQIDBA==")
	if got := p.read(); got != "bAQIDBA==" {
		t.Errorf("base64 client got %q", got)
	}
}

// specs/live.md §2.5: JavaScript waits for its pending GET to end; what was queued comes on the WebSocket after the 5.
func TestUpgradeOfAJavaScriptClient(t *testing.T) {
	for _, protocol := range []string{"3", "4"} {
		t.Run("EIO"+protocol, func(t *testing.T) {
			h := open(t, Config{})
			h.get("EIO=" + protocol + "&transport=polling")
			c := h.conn()
			query := "EIO=" + protocol + "&transport=polling&sid=" + c.ID()
			p := h.dial("EIO=" + protocol + "&sid=" + c.ID())
			polled := make(chan answer, 1)
			go func() { polled <- h.get(query) }()
			p.write("2probe")
			if got := p.read(); got != "3probe" {
				t.Fatalf("probe answered %q", got)
			}
			if a := receive(t, polled); a.status != 200 || a.body != "6" && a.body != "1:6" {
				t.Fatalf("the pending GET got %d %q", a.status, a.body)
			}
			if err := c.Send(Text([]byte("queued"))); err != nil {
				t.Fatal(err)
			}
			p.write("5")
			if got := p.read(); got != "4queued" {
				t.Fatalf("after the upgrade %q", got)
			}
			if c.Transport() != "websocket" {
				t.Error(c.Transport())
			}
			if a := h.get(query); a.status != 400 {
				t.Errorf("a GET after the upgrade got %d", a.status)
			}
			second := h.dial("EIO=" + protocol + "&sid=" + c.ID())
			second.closed(ws.StatusPolicyViolation)
			p.write("4still here")
			if got := p.read(); got != "4still here" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestFailedProbeLeavesPollingAlone(t *testing.T) {
	h := open(t, Config{})
	h.get("EIO=4&transport=polling")
	c := h.conn()
	for _, first := range []string{"5", "4hello", "x"} {
		p := h.dial("EIO=4&sid=" + c.ID())
		p.write(first)
		p.closed(ws.StatusProtocolError)
	}
	query := "EIO=4&transport=polling&sid=" + c.ID()
	h.post(query, "4hello")
	if a := h.get(query); a.body != "4hello" {
		t.Errorf("got %q", a.body)
	}
}

// The bytes of python-engineio 3.14: it posts its first ping at once, framed in binary, before it tries the WebSocket, which
// it opens with an Origin, and it does not poll before or after the upgrade (specs/live.md §2.3, §2.5, §2.6).
func TestPythonEngineIO3_14(t *testing.T) {
	h := open(t, Config{})
	h.get("transport=polling&EIO=3&t=1700000000.1")
	c := h.conn()
	if err := c.Send(JSON([]byte("0"))); err != nil { // Socket.IO 2's "40", queued before the upgrade
		t.Fatal(err)
	}
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"Origin": {h.url}}}
	conn, early, _, err := dialer.Dial(context.Background(),
		strings.Replace(h.url, "http", "ws", 1)+"/engine.io/?transport=websocket&EIO=3&sid="+c.ID()+"&t=1700000000.2")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := &peer{t: t, conn: earlyConn{Conn: conn, first: early}}
	if early == nil {
		p.conn = conn
	}
	p.write("2probe")
	if got := p.read(); got != "3probe" {
		t.Fatalf("got %q", got)
	}
	p.write("5")
	p.write("2") // the ping loop starts at once
	if got := p.read() + "," + p.read(); got != "40,3" {
		t.Fatalf("got %q", got)
	}

	// The same client kept to polling.
	query := h.polling("3")
	for _, body := range []string{"\x00\x01\xff2", "\x00\x01\x03\xff42[\"hello\",1]", "\x01\x03\xff\x04\x01\x02"} {
		if a := h.request("POST", query, "application/octet-stream", body); a.body != "ok" {
			t.Fatalf("post %q: %d %s", body, a.status, a.body)
		}
	}
	if a := h.get(query); a.body != "1:313:42[\"hello\",1]8:b4AQI=" && a.body != "1:313:42[\"hello\",1]6:b4AQI=" {
		t.Fatalf("polled %q", a.body)
	}
}

// specs/live.md §2.9
func TestLongPollEndsWithANoop(t *testing.T) {
	h := open(t, Config{PingInterval: 40 * time.Millisecond, PingTimeout: 400 * time.Millisecond})
	if a := h.get(h.polling("3")); a.body != "1:6" {
		t.Errorf("got %d %q", a.status, a.body)
	}
}

func TestHeartbeat4(t *testing.T) {
	h := open(t, Config{PingInterval: 20 * time.Millisecond, PingTimeout: 5 * time.Second})
	p := h.websocket("4")
	query := h.polling("4")
	for range 3 {
		if got := p.read(); got != "2" {
			t.Fatalf("websocket %q", got)
		}
		p.write("3")
		if a := h.get(query); a.body != "2" {
			t.Fatalf("polling %q", a.body)
		}
		h.post(query, "3")
	}
	p.write("2") // the wrong direction
	p.closed(ws.StatusProtocolError)
}

func TestSilenceEnds(t *testing.T) {
	h := open(t, Config{PingInterval: 20 * time.Millisecond, PingTimeout: 20 * time.Millisecond})
	for _, protocol := range []string{"3", "4"} {
		p := h.websocket(protocol)
		h.ended(PingTimeout)
		p.closed(ws.StatusGoingAway)
		query := h.polling(protocol) // never polls at all
		h.ended(PingTimeout)
		if a := h.get(query); a.status != 400 {
			t.Errorf("EIO %s: %d", protocol, a.status)
		}
	}
}

func TestCloseByTheClient(t *testing.T) {
	h := open(t, Config{})
	query := h.polling("4")
	polled := make(chan answer, 1)
	go func() { polled <- h.get(query) }()
	if a := h.post(query, "1"); a.body != "ok" {
		t.Errorf("post: %d %q", a.status, a.body)
	}
	h.ended(ClientClosed)
	if a := receive(t, polled); a.status != 200 || a.body != "6" { // whichever of the two came first
		t.Errorf("the GET got %d %q", a.status, a.body)
	}
	if a := h.get(query); a.status != 400 {
		t.Errorf("afterwards %d", a.status)
	}
	p := h.websocket("4")
	p.write("1")
	h.ended(ClientClosed)
	p.closed(ws.StatusNormalClosure)
}

func TestCloseByTheServerFlushes(t *testing.T) {
	h := open(t, Config{})
	p := h.websocket("4")
	query := h.polling("4")
	for _, c := range []*Conn{h.session(query), p.c} {
		if err := c.Send(Text([]byte("last words"))); err != nil {
			t.Fatal(err)
		}
		c.Close()
		h.ended(ServerClosed)
		if c.Send(Text(nil)) != ErrClosed {
			t.Error("sent after the end")
		}
	}
	if got := p.read(); got != "4last words" {
		t.Errorf("websocket %q", got)
	}
	p.closed(ws.StatusNormalClosure)
	if a := h.get(query); a.body != "4last words\x1e1" {
		t.Errorf("polling %q", a.body)
	}
}

func TestDuplicateRequestsEndTheSession(t *testing.T) {
	h := open(t, Config{})
	query := h.polling("4")
	polled := make(chan answer, 2)
	for range 2 {
		go func() { polled <- h.get(query) }()
	}
	first, second := receive(t, polled), receive(t, polled)
	if first.status != 200 {
		first, second = second, first
	}
	if first.body != "1" || second.status != 400 {
		t.Errorf("%d %q, %d %q", first.status, first.body, second.status, second.body)
	}
	h.ended(DuplicateRequest)
}

func TestDrain(t *testing.T) {
	h := open(t, Config{})
	p := h.websocket("4")
	query := h.polling("4")
	polled := make(chan answer, 1)
	go func() { polled <- h.get(query) }()
	stopped := make(chan struct{})
	go func() { h.stop(); close(stopped) }()
	p.closed(ws.StatusGoingAway)
	_ = p.conn.Close() // what a client does then
	if a := receive(t, polled); a.body != "1" && a.status != 400 {
		t.Errorf("the GET got %d %q", a.status, a.body)
	}
	h.ended(Shutdown)
	h.ended(Shutdown)
	receive(t, stopped)
}
