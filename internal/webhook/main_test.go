package webhook

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// at is the moment of every try in these tests.
var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// loopback lets a test reach its own servers.
func loopback() Policy {
	return Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
}

func newSender(t *testing.T, p Policy) *Sender {
	t.Helper()
	client := NewClient(p)
	t.Cleanup(client.Close)
	return NewSender(client)
}

func request(url string) Request {
	return Request{URL: url, ID: "evt_1", Body: []byte(`{"a":1}`), Now: at, Timeout: 10 * time.Second}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// serveRaw lets answer write to every connection whose request has come, then closes it. It returns
// the URL.
func serveRaw(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the listener was closed
			}
			wg.Go(func() {
				defer conn.Close()
				if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					if _, err := io.Copy(io.Discard, req.Body); err == nil {
						answer(conn)
					}
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String() + "/"
}

func raw(text string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, text) } // the client may hang up early
}

// names is a resolver that answers every name with the same addresses, or with those of the next
// call while there are several. It stands for the most hostile name server.
func names(calls ...[]string) *net.Resolver {
	var mu sync.Mutex
	asked := map[string]int{}
	answers := func(name string, v6 bool) []netip.Addr {
		mu.Lock()
		defer mu.Unlock()
		key := name
		if v6 {
			key += "/6"
		}
		call := min(asked[key], len(calls)-1)
		asked[key]++
		var addrs []netip.Addr
		for _, text := range calls[call] {
			if addr := netip.MustParseAddr(text); addr.Is6() == v6 {
				addrs = append(addrs, addr)
			}
		}
		return addrs
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerDNS(theirs, answers)
		return ours, nil
	}}
}

// answerDNS serves DNS over a stream (RFC 1035 §4.2.2) until the other side closes it.
func answerDNS(conn net.Conn, answers func(name string, v6 bool) []netip.Addr) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := dnsReply(query, answers)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func dnsReply(query []byte, answers func(string, bool) []netip.Addr) []byte {
	var labels []string
	end := 12
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	question := query[12 : end+5]
	const kindA, kindAAAA = 1, 28
	var addrs []netip.Addr
	if kind == kindA || kind == kindAAAA {
		addrs = answers(strings.ToLower(strings.Join(labels, ".")), kind == kindAAAA)
	}
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(addrs)), 0, 0, 0, 0}, question...)
	for _, addr := range addrs {
		reply = append(reply, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 0)
		reply = binary.BigEndian.AppendUint16(reply, uint16(addr.BitLen()/8))
		reply = append(reply, addr.AsSlice()...)
	}
	return reply
}
