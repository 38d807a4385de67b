package wsock

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func TestMaskIsTakenOff(t *testing.T) {
	masked := ws.MaskFrameWith(ws.NewTextFrame([]byte("Привет")), [4]byte{1, 2, 3, 4})
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, masked); err != nil {
		t.Fatal(err)
	}
	got := play(t, &Upgrader{}, 0, b.Bytes())
	if len(got) == 0 || got[0] != "text:Привет" {
		t.Errorf("the server said %q", got)
	}
}

// A length alone must not make the server allocate.
func TestAnnouncedLengthAllocatesLittle(t *testing.T) {
	header := rawFrame(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 30}, "")
	input := bytes.NewReader(header)
	c := &Conn{Conn: readOnlyConn{Reader: input}, up: &Upgrader{MaxMessage: 1 << 30}}
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			input.Reset(header)
			if _, _, err := c.Read(); !errors.Is(err, io.EOF) {
				b.Fatalf("error %v, want EOF", err)
			}
		}
	})
	if bytes := result.AllocedBytesPerOp(); bytes > 8<<10 {
		t.Errorf("a header announcing 1 GiB made the server allocate %d bytes", bytes)
	}
}

// readOnlyConn reads from memory and swallows what is written.
type readOnlyConn struct {
	net.Conn
	io.Reader
}

func (c readOnlyConn) Read(p []byte) (int, error)  { return c.Reader.Read(p) }
func (c readOnlyConn) Write(p []byte) (int, error) { return len(p), nil }

func TestSmallMessagesAllocateNothing(t *testing.T) {
	msg := words(`{"id":1,"ping":{}}`)
	input := bytes.NewReader(nil)
	c := &Conn{Conn: readOnlyConn{Reader: input}, up: &Upgrader{}}
	allocs := testing.AllocsPerRun(100, func() {
		input.Reset(msg)
		if _, _, err := c.Read(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations a message, want none", allocs)
	}
}

func TestWait(t *testing.T) {
	client, server := net.Pipe()
	c := &Conn{Conn: server, up: &Upgrader{}, early: words("early")}
	defer c.Close()
	go func() {
		defer client.Close()
		for _, b := range [][]byte{append(words("one"), words("two")...), words("three")[:3], words("three")[3:]} {
			if _, err := client.Write(b); err != nil {
				return
			}
		}
	}()
	for _, want := range []string{"early", "one", "two", "three"} {
		if err := c.Wait(); err != nil {
			t.Fatalf("before %q: %v", want, err)
		}
		if _, got, err := c.Read(); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	if err := c.Wait(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, want EOF", err)
	}
}

func TestCloseReasonIsCutAtARune(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := &Conn{Conn: server, up: &Upgrader{}}
	defer c.Close()
	sent := make(chan error, 1)
	go func() { sent <- c.SendClose(4000, strings.Repeat("ы", 100)) }()
	f, err := readFrame(client)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := describe(f), "close 4000 "+strings.Repeat("ы", 61); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if err := c.WriteParts(Text, [][]byte{nil}, ""); !errors.Is(err, ErrClosing) {
		t.Errorf("a write after the close gave %v, want ErrClosing", err)
	}
}

func TestPartsAreJoined(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := &Conn{Conn: server, up: &Upgrader{}}
	defer c.Close()
	go c.WriteParts(Text, [][]byte{[]byte("a"), []byte("b"), []byte("c")}, "\n")
	f, err := readFrame(client)
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(f); got != "text:a\nb\nc" {
		t.Errorf("got %q", got)
	}
}

func serve(t *testing.T, up *Upgrader) (url string) {
	t.Helper()
	done := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r)
		if err != nil {
			done <- nil
			return
		}
		go func() { done <- echo(c) }()
	}))
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return srv.URL
}

func TestUpgradeChoosesASubprotocol(t *testing.T) {
	for offer, want := range map[string]string{"": "", "x": "", "b": "b", "x,b,a": "b"} {
		url := serve(t, &Upgrader{Protocols: []string{"a", "b"}})
		dialer := ws.Dialer{}
		if offer != "" {
			dialer.Protocols = strings.Split(offer, ",")
		}
		conn, _, hs, err := dialer.Dial(context.Background(), strings.Replace(url, "http", "ws", 1))
		if err != nil {
			t.Fatal(err)
		}
		if hs.Protocol != want {
			t.Errorf("offered %q, agreed on %q, want %q", offer, hs.Protocol, want)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFramesSentWithTheHandshakeAreRead(t *testing.T) {
	url := serve(t, &Upgrader{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	long := strings.Repeat("длинно ", 100)
	handshake := "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	if _, err := io.WriteString(conn, handshake+string(words("early"))+string(words(long))); err != nil {
		t.Fatal(err)
	}
	reader := struct {
		io.Reader
		io.Writer
	}{conn, conn}
	head := make([]byte, 0, 256)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		var b [1]byte
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			t.Fatal(err)
		}
		head = append(head, b[0])
	}
	for _, want := range []string{"early", long} {
		got, err := wsutil.ReadServerText(reader)
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestWrongHandshakesAreRefused(t *testing.T) {
	url := serve(t, &Upgrader{})
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("a plain GET was answered %s", resp.Status)
	}
}

// FuzzRead feeds bytes to a connection: it must end, and by a known way.
func FuzzRead(f *testing.F) {
	f.Add(words("hello"))
	f.Add(append(frame(ws.OpText, false, "a"), frame(ws.OpContinuation, true, "b")...))
	f.Add(closing(1000, "bye"))
	f.Add(rawFrame(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 40}, ""))
	f.Add(ping("p"))
	f.Fuzz(func(t *testing.T, input []byte) {
		c := &Conn{Conn: readOnlyConn{Reader: bytes.NewReader(input)}, up: &Upgrader{MaxMessage: 4096}}
		for {
			_, msg, err := c.Read()
			if len(msg) > 4096 {
				t.Fatalf("a message of %d bytes came through", len(msg))
			}
			if err == nil {
				continue
			}
			var closed *CloseError
			if !errors.As(err, &closed) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("ended with %v", err)
			}
			return
		}
	})
}
