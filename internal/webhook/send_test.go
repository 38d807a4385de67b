package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// seen is what a server got.
type seen struct {
	*http.Request
	body string
}

// capture serves and hands every request over.
func capture(t *testing.T) (url string, got <-chan seen) {
	t.Helper()
	requests := make(chan seen, 16)
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- seen{r, string(body)}
	})
	return server.URL, requests
}

func TestSendMakesASignedPost(t *testing.T) {
	url, got := capture(t)
	r := request(url + "/hooks?x=1")
	r.Secrets = []string{"newer secret", vectorSecret}
	r.Headers = map[string]string{"X-Token": "t", "authorization": "Bearer b"}
	reply := newSender(t, loopback()).Send(context.Background(), r)
	if reply.Class != Delivered || reply.Status != 200 || reply.Err != nil || reply.Took <= 0 {
		t.Fatalf("%+v", reply)
	}
	req := <-got
	if req.Method != "POST" || req.RequestURI != "/hooks?x=1" || req.body != `{"a":1}` || req.ContentLength != 7 {
		t.Errorf("%s %s %q (%d)", req.Method, req.RequestURI, req.body, req.ContentLength)
	}
	want := map[string]string{
		"Webhook-Id": "evt_1", "Webhook-Timestamp": "1772366400",
		"Content-Type": "application/json", "User-Agent": "Tolmach", "X-Token": "t", "Authorization": "Bearer b",
	}
	for name, value := range want {
		if req.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, req.Header.Get(name), value)
		}
	}
	for _, name := range []string{"Idempotency-Key", "Accept-Encoding"} {
		if _, set := req.Header[name]; set {
			t.Errorf("%s was sent", name)
		}
	}
	for _, secret := range r.Secrets {
		if err := Verify(req.Header, []byte(req.body), at, secret); err != nil {
			t.Errorf("a receiver with %q: %v", secret, err)
		}
	}
}

func TestSendWithoutSecretIsNotSigned(t *testing.T) {
	url, got := capture(t)
	newSender(t, loopback()).Send(context.Background(), request(url))
	req := <-got
	if _, set := req.Header["Webhook-Signature"]; set || req.Header.Get(HeaderID) != "evt_1" || req.Header.Get(HeaderTimestamp) == "" {
		t.Errorf("%v", req.Header)
	}
}

func TestSendOwnersHeadersReplaceNothing(t *testing.T) {
	url, got := capture(t)
	r := request(url)
	r.Secrets = []string{vectorSecret}
	r.ContentType, r.UserAgent = "text/plain", "Tolmach/1.2"
	r.Headers = map[string]string{"X-Own": "kept"}
	for _, name := range reservedNames {
		r.Headers[name] = "evil"
	}
	if reply := newSender(t, loopback()).Send(context.Background(), r); reply.Class != Delivered {
		t.Fatal(reply.Err)
	}
	req := <-got
	if req.Host != strings.TrimPrefix(url, "http://") || req.ContentLength != 7 || len(req.TransferEncoding) != 0 {
		t.Errorf("host %q, length %d, encoding %v", req.Host, req.ContentLength, req.TransferEncoding)
	}
	for name, values := range req.Header {
		if strings.Contains(strings.Join(values, " "), "evil") {
			t.Errorf("%s: %q", name, values)
		}
	}
	if req.Header.Get("X-Own") != "kept" || req.Header.Get("User-Agent") != "Tolmach/1.2" || req.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%v", req.Header)
	}
	if err := Verify(req.Header, []byte(req.body), at, vectorSecret); err != nil {
		t.Error(err)
	}
}

func TestSendBasicAuthentication(t *testing.T) {
	url, got := capture(t)
	host := strings.TrimPrefix(url, "http://")
	sender := newSender(t, loopback())
	sender.Send(context.Background(), request("http://user:p%40ss@"+host))
	if user, pass, _ := (<-got).BasicAuth(); user != "user" || pass != "p@ss" {
		t.Errorf("%q %q", user, pass)
	}
	r := request("http://user:pass@" + host)
	r.Headers = map[string]string{"Authorization": "Bearer own"}
	sender.Send(context.Background(), r)
	if auth := (<-got).Header.Get("Authorization"); auth != "Bearer own" {
		t.Errorf("%q", auth)
	}
}

func TestSendRefusesMalformedRequests(t *testing.T) {
	trap := newTrap(t)
	sender := newSender(t, loopback())
	for problem, spoil := range map[string]func(*Request){
		"webhook-id can't contain '.'": func(r *Request) { r.ID = "a.b" },
		"signing secret":               func(r *Request) { r.Secrets = []string{"whsec_s3cr3t!"} },
		"value of the header X-A":      func(r *Request) { r.Headers = map[string]string{"X-A": "s3cr3t\r\nX-B: c"} },
		`header name "X A"`:            func(r *Request) { r.Headers = map[string]string{"X A": "s3cr3t"} },
	} {
		r := request("http://" + trap.listener.Addr().String())
		r.URL = strings.Replace(r.URL, "[::]", "127.0.0.1", 1)
		spoil(&r)
		reply := sender.Send(context.Background(), r)
		if reply.Class != Retry || !strings.Contains(reply.Problem(), problem) || strings.Contains(reply.Problem(), "s3cr3t") {
			t.Errorf("%v %v, want %q", reply.Class, reply.Err, problem)
		}
	}
	trap.mustBeUntouched(t)
}

func TestSendStatusRetryAfterAndBody(t *testing.T) {
	for _, tt := range []struct {
		status     int
		retryAfter string
		class      Class
		wait       time.Duration
	}{
		{200, "60", Delivered, 0},
		{429, "60", Retry, time.Minute},
		{503, "7200", Retry, time.Hour},
		{503, at.Add(time.Hour / 2).Format(http.TimeFormat), Retry, time.Hour / 2},
		{404, "", Refused, 0},
		{410, "", Gone, 0},
	} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", tt.retryAfter)
			w.WriteHeader(tt.status)
			io.WriteString(w, "why") // checked by what arrives
		})
		reply := newSender(t, loopback()).Send(context.Background(), request(server.URL))
		off := tt.wait - reply.RetryAfter // a date is counted from the answer, which came a little later
		if reply.Class != tt.class || reply.Status != tt.status || off < 0 || off > reply.Took {
			t.Errorf("%d %q: %v, wait %v, want %v, %v", tt.status, tt.retryAfter, reply.Class, reply.RetryAfter, tt.class, tt.wait)
		}
		if string(reply.Body) != "why" || reply.Truncated || reply.Err != nil || reply.Header.Get("Retry-After") != tt.retryAfter {
			t.Errorf("%d: %q %v %v", tt.status, reply.Body, reply.Truncated, reply.Err)
		}
	}
}

func TestSendReadsAtMost64KiB(t *testing.T) {
	for _, tt := range []struct {
		size      int
		truncated bool
	}{{0, false}, {replyLimit - 1, false}, {replyLimit, false}, {replyLimit + 1, true}, {1 << 20, true}} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Write(bytes.Repeat([]byte("x"), tt.size)) // the reader may hang up
		})
		reply := newSender(t, loopback()).Send(context.Background(), request(server.URL))
		if reply.Class != Delivered || reply.Err != nil || reply.Truncated != tt.truncated || len(reply.Body) != min(tt.size, 64<<10) {
			t.Errorf("%d bytes: %v %v, %d read, truncated %v", tt.size, reply.Class, reply.Err, len(reply.Body), reply.Truncated)
		}
	}
}

func TestSendHangsUpOnAnEndlessBody(t *testing.T) {
	written := make(chan int, 1)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		total := 0
		for chunk := make([]byte, 4096); ; {
			n, err := w.Write(chunk)
			total += n
			if err != nil {
				written <- total
				return
			}
		}
	})
	reply := newSender(t, loopback()).Send(context.Background(), request(server.URL))
	if reply.Class != Delivered || !reply.Truncated {
		t.Errorf("%v %v", reply.Class, reply.Err)
	}
	if total := <-written; total > 64<<20 { // what fits into the buffers of the network is taken, too
		t.Errorf("%d bytes were taken", total)
	}
}

func TestSendDeadlineCoversTheWholeExchange(t *testing.T) {
	write := func(w http.ResponseWriter, text string) {
		io.WriteString(w, text) // the client may hang up
		w.(http.Flusher).Flush()
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		body   string
	}{
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, ""},
		{"no body", func(w http.ResponseWriter, r *http.Request) { write(w, ""); <-r.Context().Done() }, 200, ""},
		{"half a body", func(w http.ResponseWriter, r *http.Request) { write(w, "half"); <-r.Context().Done() }, 200, "half"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil { // else the server does not notice the hang-up
					t.Error(err)
				}
				tt.answer(w, r)
			})
			r := request(server.URL)
			r.Timeout = 100 * time.Millisecond
			reply := newSender(t, loopback()).Send(context.Background(), r)
			if reply.Class != Retry || !errors.Is(reply.Err, context.DeadlineExceeded) || reply.Took < r.Timeout {
				t.Fatalf("%v %v after %v", reply.Class, reply.Err, reply.Took)
			}
			if !strings.Contains(reply.Problem(), "no complete answer within 100ms") {
				t.Errorf("%q", reply.Problem())
			}
			if reply.Status != tt.status || string(reply.Body) != tt.body || reply.Truncated != (tt.status != 0) {
				t.Errorf("%d %q %v", reply.Status, reply.Body, reply.Truncated)
			}
		})
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	r := request(server.URL)
	r.Body = nil
	reply := newSender(t, loopback()).Send(ctx, r)
	if reply.Class != Retry || !errors.Is(reply.Err, context.Canceled) || !strings.Contains(reply.Problem(), "interrupted") {
		t.Errorf("%v %v", reply.Class, reply.Err)
	}
}

func TestSendBrokenAnswers(t *testing.T) {
	headers := func(head string) func(net.Conn) {
		return func(c net.Conn) {
			_, err := io.WriteString(c, head)
			for err == nil {
				_, err = io.WriteString(c, "X-Bomb: "+strings.Repeat("x", 1000)+"\r\n")
			}
		}
	}
	hints := func(c net.Conn) {
		var err error
		for err == nil {
			_, err = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
		}
	}
	for _, tt := range []struct {
		name    string
		answer  func(net.Conn)
		class   Class
		status  int
		problem string
	}{
		{"nothing", raw(""), Retry, 0, "closed the connection"},
		{"half a status line", raw("HTTP/1.1 2"), Retry, 0, "malformed"},
		{"not HTTP", raw("SSH-2.0-OpenSSH_9\r\n\x1b[31mred\r\n\r\n"), Retry, 0, "malformed"},
		{"a long line", raw("HTTP/" + strings.Repeat("x", 10000) + "\r\n\r\n"), Retry, 0, "malformed"},
		{"half the headers", raw("HTTP/1.1 200 OK\r\nA: b\r\n"), Retry, 0, "closed the connection"},
		{"header bomb", headers("HTTP/1.1 200 OK\r\n"), Retry, 0, "header"},
		{"endless early hints", hints, Retry, 0, "headers"},
		{"switching protocols", raw("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nx"), Retry, 0, "another protocol"},
		{"2xx, half a body", raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Retry, 200, "answered 200, but not to the end"},
		{"2xx, half a chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf"), Retry, 200, "answered 200, but not to the end"},
		{"2xx, bad chunk", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Retry, 200, "answered 200, but not to the end"},
		{"2xx, body until the end of the connection", raw("HTTP/1.1 200 OK\r\n\r\nwhole"), Delivered, 200, ""},
		{"204", raw("HTTP/1.1 204 No Content\r\n\r\n"), Delivered, 204, ""},
		{"404, half a body", raw("HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nhalf"), Refused, 404, "answered 404"},
		{"410, half a body", raw("HTTP/1.1 410 Gone\r\nContent-Length: 10\r\n\r\nhalf"), Gone, 410, "answered 410"},
		{"503, half a body", raw("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf"), Retry, 503, "answered 503"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply := newSender(t, loopback()).Send(context.Background(), request(serveRaw(t, tt.answer)))
			if reply.Class != tt.class || reply.Status != tt.status || errors.Is(reply.Err, context.DeadlineExceeded) {
				t.Errorf("%v %d %v", reply.Class, reply.Status, reply.Err)
			}
			problem := reply.Problem()
			if !strings.Contains(problem, tt.problem) || (problem == "") != (tt.class == Delivered) || strings.ContainsRune(problem, '\x1b') || len(problem) > 400 {
				t.Errorf("problem %q, want %q in it", problem, tt.problem)
			}
		})
	}
}

// A receiver that drops idle connections after a few seconds is common; the endpoint must not count
// as ill when the two meet.
func TestSendReplacesAConnectionThatDiedIdle(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if connections.Load() == 1 && r.Header.Get(HeaderID) == "evt_2" {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		}
	}), ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}}
	go server.Serve(l) // ends with Close
	t.Cleanup(func() { server.Close() })
	sender := newSender(t, loopback())
	for _, id := range []string{"evt_1", "evt_2"} {
		r := request("http://" + l.Addr().String())
		r.ID = id
		if reply := sender.Send(context.Background(), r); reply.Class != Delivered {
			t.Errorf("%s: %v %v", id, reply.Class, reply.Err)
		}
	}
	if connections.Load() != 2 {
		t.Errorf("%d connections, want 2", connections.Load())
	}
}

func TestErrorsKeepSecretsOfTheURL(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := closed.Addr().String()
	closed.Close()
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	answering := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	policy := loopback()
	policy.Resolver = names(nil) // resolves nothing
	sender := newSender(t, policy)
	for name, host := range map[string]string{
		"refused address":    "10.0.0.1",
		"refused port":       "93.184.216.34:22",
		"refused connection": dead,
		"unknown name":       "nowhere.example",
		"timeout":            silent.Listener.Addr().String(),
		"status":             answering.Listener.Addr().String(),
		"bad host":           "[::1",
		"bad port":           "example.com:s3cr3t",
		"bad escape":         "example.com/%zzs3cr3t",
		"secret with slash":  "x:s3cr3t/y@example.com",
	} {
		for _, scheme := range []string{"http", "https", "s3cr3t"} {
			r := request(scheme + "://user:s3cr3t@" + host + "/?token=s3cr3t#s3cr3t")
			r.Body, r.Timeout = nil, 200*time.Millisecond
			reply := sender.Send(context.Background(), r)
			if reply.Class == Delivered || reply.Problem() == "" || strings.Contains(reply.Problem(), "s3cr3t") {
				t.Errorf("%s by %s: %v %q", name, scheme, reply.Class, reply.Problem())
			}
		}
	}
}
