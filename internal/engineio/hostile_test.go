package engineio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// Each of these ends its own connection, with the right code, and nobody else's: a bystander is asked after every one.
func TestHostileWebSockets(t *testing.T) {
	h := open(t, Config{MaxPayload: 1000, PacketBurst: 200, PacketRate: 1})
	bystander := h.websocket("4")
	frame := func(op ws.OpCode, fin bool, payload []byte) []byte {
		raw, err := ws.CompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, payload)))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	unmasked, err := ws.CompileFrame(ws.NewTextFrame([]byte("4a")))
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) []byte { return frame(ws.OpText, true, []byte(s)) }
	cases := []struct {
		name   string
		raw    []byte
		code   ws.StatusCode
		reason Reason
	}{
		{"oversize", text(strings.Repeat("4", 1001)), 1009, TooBig},
		{"oversize by fragments", append(frame(ws.OpText, false, bytes.Repeat([]byte("4"), 900)), frame(ws.OpContinuation, true, make([]byte, 101))...), 1009, TooBig},
		{"announced 2^62", []byte{0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1009, TooBig},
		{"length with the top bit", []byte{0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1002, ParseError},
		{"invalid UTF-8", text("4\xff\xfe"), 1007, ParseError},
		{"cut UTF-8", text("4\xd0"), 1007, ParseError},
		{"unmasked", unmasked, 1002, ParseError},
		{"reserved bits", append([]byte{0xc1}, text("4a")[1:]...), 1002, ParseError},
		{"reserved opcode", frame(0x3, true, nil), 1002, ParseError},
		{"lone continuation", frame(ws.OpContinuation, true, []byte("4a")), 1002, ParseError},
		{"interleaved", append(frame(ws.OpText, false, []byte("4a")), text("4b")...), 1002, ParseError},
		{"fragmented ping", frame(ws.OpPing, false, nil), 1002, ParseError},
		{"long ping", frame(ws.OpPing, true, make([]byte, 126)), 1002, ParseError},
		{"close of one byte", frame(ws.OpClose, true, []byte{3}), 1002, ParseError},
		{"close with a bad code", frame(ws.OpClose, true, []byte{0x03, 0xed}), 1002, ParseError},
		{"close with bad UTF-8", frame(ws.OpClose, true, []byte{0x03, 0xe8, 0xff}), 1002, ParseError},
		{"endless empty fragments", append(frame(ws.OpText, false, nil), bytes.Repeat(frame(ws.OpContinuation, false, nil), 2000)...), 1008, ParseError},
		{"empty packet", text(""), 1002, ParseError},
		{"unknown packet", text("abc"), 1002, ParseError},
		{"bad base64", text("b???"), 1002, ParseError},
		{"ping from a client of 4", text("2"), 1002, ParseError},
		{"a flood of tiny packets", bytes.Repeat(text("6"), 10_000), 1008, RateExceeded},
		{"a receiver that panics", text("4panic"), 1011, Panicked},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := h.websocket("4")
			if _, err := p.conn.Write(c.raw); err != nil {
				t.Fatal(err)
			}
			h.ended(c.reason)
			p.closed(c.code)
			bystander.write("4well?")
			if got := bystander.read(); got != "4well?" {
				t.Fatalf("the bystander got %q", got)
			}
		})
	}
}

func TestFragmentsAndControlFramesInBetween(t *testing.T) {
	h := open(t, Config{})
	p := h.websocket("4")
	for _, f := range []ws.Frame{
		ws.NewFrame(ws.OpText, false, []byte("4при\xd0")),
		ws.NewPingFrame([]byte("now")),
		ws.NewFrame(ws.OpContinuation, false, nil),
		ws.NewFrame(ws.OpContinuation, true, []byte("\xb2ет")),
	} {
		if err := ws.WriteFrame(p.conn, ws.MaskFrame(f)); err != nil {
			t.Fatal(err)
		}
	}
	pong, err := ws.ReadFrame(p.conn)
	if err != nil || pong.Header.OpCode != ws.OpPong || string(pong.Payload) != "now" {
		t.Fatalf("%v %v", pong, err)
	}
	if got := p.read(); got != "4привет" {
		t.Errorf("got %q", got)
	}
	if err := ws.WriteFrame(p.conn, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")))); err != nil {
		t.Fatal(err)
	}
	p.closed(1000)
	h.ended(TransportClosed)
}

func TestHostilePosts(t *testing.T) {
	cases := []struct {
		name, protocol, body string
		status               int
		reason               Reason
	}{
		{"unknown packet", "4", "abc", 400, ParseError},
		{"empty", "4", "", 400, ParseError},
		{"invalid UTF-8", "4", "4\xff", 400, ParseError},
		{"oversize", "4", "4" + strings.Repeat("x", 100_000), 413, TooBig},
		{"a flood of tiny packets", "4", strings.Repeat("6\x1e", 30_000) + "6", 400, RateExceeded},
		{"rubbish", "3", "this is not a payload", 400, ParseError},
		{"a lying length", "3", "\x00\x09\x09\x09\x09\x09\x09\xff4", 400, ParseError},
		{"panic", "4", "4panic", 400, Panicked},
	}
	h := open(t, Config{MaxPayload: 100_000, PacketBurst: 200, PacketRate: 1})
	bystander := h.polling("4")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			query := h.polling(c.protocol)
			if a := h.post(query, c.body); a.status != c.status && !(c.reason == Panicked && a.status == 200) {
				t.Errorf("answered %d %s", a.status, a.body)
			}
			h.ended(c.reason)
			if a := h.get(query); a.status != 400 {
				t.Errorf("a later GET got %d", a.status)
			}
			if a := h.post(bystander, "4well?"); a.status != 200 {
				t.Errorf("the bystander got %d %s", a.status, a.body)
			}
			if a := h.get(bystander); a.body != "4well?" {
				t.Errorf("the bystander got %q", a.body)
			}
		})
	}
}

// A body that dribbles is given up after BodyTimeout.
func TestSlowLoris(t *testing.T) {
	h := open(t, Config{BodyTimeout: 30 * time.Millisecond})
	query := h.polling("4")
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST /engine.io/?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4", query); err != nil {
		t.Fatal(err)
	}
	h.ended(TransportClosed)
}

// A WebSocket that opens, or begins a message, and then says nothing is ended by its heartbeat.
func TestHalfOpen(t *testing.T) {
	h := open(t, Config{PingInterval: 20 * time.Millisecond, PingTimeout: 20 * time.Millisecond, UpgradeTimeout: 40 * time.Millisecond})
	p := h.websocket("4")
	if _, err := p.conn.Write([]byte{0x81, 0xfe, 0x03}); err != nil { // half a header
		t.Fatal(err)
	}
	h.ended(PingTimeout)
	p.closed(1001)
}

func TestProbeThatSaysNothing(t *testing.T) {
	h := open(t, Config{UpgradeTimeout: 20 * time.Millisecond})
	h.get("EIO=4&transport=polling")
	c := h.conn()
	p := h.dial("EIO=4&sid=" + c.ID())
	p.closed(1002)
	if c.Transport() != "polling" || c.Send(Text([]byte("x"))) != nil {
		t.Error("the session is hurt")
	}
}

// A client that does not read is closed when its queue is full; the server holds no more than the queue.
func TestSlowConsumer(t *testing.T) {
	h := open(t, Config{MaxQueue: 100_000, CloseTimeout: 50 * time.Millisecond})
	p := h.websocket("4")
	c := p.c
	message := Text(bytes.Repeat([]byte("x"), 50_000))
	var err error
	for range 10_000 { // half a gigabyte, if it were kept
		if err = c.Send(message); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrSlow) {
		t.Fatalf("got %v", err)
	}
	h.ended(Slow)
	query := h.polling("4")
	c = h.session(query)
	for err = nil; err == nil; {
		err = c.Send(message)
	}
	h.ended(Slow)
	if a := h.get(query); a.status != 400 {
		t.Errorf("answered %d", a.status)
	}
	_ = p.conn.Close()
}

func TestFullHouse(t *testing.T) {
	h := open(t, Config{MaxConns: 1})
	h.polling("4")
	if a := h.get("EIO=4&transport=polling"); a.status != 503 {
		t.Errorf("answered %d", a.status)
	}
}

func TestSeparatorCannotTravelByPolling(t *testing.T) {
	h := open(t, Config{})
	h.get("EIO=4&transport=polling")
	if err := h.conn().Send(Text([]byte("a\x1eb"))); !errors.Is(err, ErrSeparator) {
		t.Errorf("got %v", err)
	}
}

// Ten megabytes of tiny packets, all within the rate, cost the server no memory.
func TestTenMegabytesOfTinyPackets(t *testing.T) {
	h := open(t, Config{PacketBurst: 20_000_000})
	p := h.websocket("4")
	raw, err := ws.CompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("6"))))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := bufio.NewWriterSize(p.conn, 1<<16)
	for sent := 0; sent < 10<<20; sent += len(raw) {
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := wsutil.WriteClientText(p.conn, []byte("4done")); err != nil {
		t.Fatal(err)
	}
	if got := p.read(); got != "4done" {
		t.Fatalf("got %q", got)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func TestRefusedHandshake(t *testing.T) {
	server, err := New(Config{}, func(_ *Conn, r *http.Request) (Receiver, error) {
		if r.URL.Query().Get("key") == "panic" {
			panic("asked for")
		}
		return nil, errors.New("secret reason")
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "panic"} {
		w := httptest.NewRecorder()
		r, err := http.NewRequest("GET", "/engine.io/?EIO=4&transport=polling&key="+key, nil)
		if err != nil {
			t.Fatal(err)
		}
		server.ServeHTTP(w, r)
		if w.Code != 403 || strings.TrimSpace(w.Body.String()) != `{"code":4,"message":"Forbidden"}` || server.Count() != 0 {
			t.Errorf("key %q: %d %s, %d on the books", key, w.Code, w.Body, server.Count())
		}
	}
}
