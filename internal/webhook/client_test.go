package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func serveTLS(t *testing.T, h http.HandlerFunc) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, roots
}

func TestTLSIsVerified(t *testing.T) {
	server, roots := serveTLS(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	for _, tt := range []struct {
		name, host string
		roots      *x509.CertPool
		problem    string
	}{
		{"trusted", "127.0.0.1", roots, ""},
		{"unknown authority", "127.0.0.1", x509.NewCertPool(), "certificate"},
		{"another name", "hooks.example.org", roots, "certificate"},
	} {
		policy := loopback()
		policy.Roots, policy.Resolver = tt.roots, names([]string{"127.0.0.1"})
		reply := newSender(t, policy).Send(context.Background(), request("https://"+tt.host+":"+port+"/"))
		if (reply.Class == Delivered) != (tt.problem == "") || !strings.Contains(reply.Problem(), tt.problem) {
			t.Errorf("%s: %v %q", tt.name, reply.Class, reply.Problem())
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	for version, want := range map[uint16]Class{tls.VersionTLS11: Retry, tls.VersionTLS12: Delivered} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		policy := loopback()
		policy.Roots = x509.NewCertPool()
		policy.Roots.AddCert(server.Certificate())
		if reply := newSender(t, policy).Send(context.Background(), request(server.URL)); reply.Class != want {
			t.Errorf("TLS up to %x: %v %v", version, reply.Class, reply.Err)
		}
	}
}

func TestHTTP2(t *testing.T) {
	server, roots := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/bomb":
			for i := range 70 {
				w.Header().Set("X-"+strings.Repeat("a", i+1), strings.Repeat("x", 1024))
			}
		case "/huge":
			for chunk := make([]byte, 4096); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}
		io.WriteString(w, r.Proto) // checked by what arrives
	})
	policy := loopback()
	policy.Roots = roots
	sender := newSender(t, policy)
	for _, tt := range []struct {
		path, body string
		class      Class
	}{{"/", "HTTP/2.0", Delivered}, {"/slow", "", Retry}, {"/bomb", "", Retry}, {"/huge", "", Delivered}} {
		r := request(server.URL + tt.path)
		if tt.path == "/slow" {
			r.Timeout = 100 * time.Millisecond
		}
		reply := sender.Send(context.Background(), r)
		if reply.Class != tt.class || tt.body != "" && string(reply.Body) != tt.body || reply.Truncated && tt.path == "/" {
			t.Errorf("%s: %v %q %v", tt.path, reply.Class, reply.Body[:min(len(reply.Body), 20)], reply.Err)
		}
		if tt.path == "/slow" && !strings.Contains(reply.Problem(), "within 100ms") {
			t.Errorf("%s: %q", tt.path, reply.Problem())
		}
	}
}

func TestConnectionsToAHostAreBounded(t *testing.T) {
	var opened atomic.Int32
	entered, release := make(chan struct{}, 8), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-release
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	policy := loopback()
	policy.ConnsPerHost = 2
	sender := newSender(t, policy)
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if reply := sender.Send(context.Background(), request(server.URL)); reply.Class != Delivered {
				t.Error(reply.Err)
			}
		})
	}
	<-entered
	<-entered // both connections are busy now, the others wait
	close(release)
	calls.Wait()
	if opened.Load() != 2 {
		t.Errorf("%d connections, want 2", opened.Load())
	}
}

func TestCloseEndsIdleConnections(t *testing.T) {
	closed := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := NewClient(loopback())
	if reply := NewSender(client).Send(context.Background(), request(server.URL)); reply.Class != Delivered {
		t.Fatal(reply.Err)
	}
	client.Close()
	<-closed
}

func TestDoStreams(t *testing.T) {
	more := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "one") // checked by what arrives
		w.(http.Flusher).Flush()
		<-more
		w.Write(make([]byte, 100<<10)) // checked by what arrives
	})
	client := NewClient(loopback())
	defer client.Close()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 3)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "one" {
		t.Fatalf("%q %v", first, err)
	}
	close(more)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || len(rest) != 100<<10 {
		t.Errorf("%d bytes, %v; want the raw client to read it all", len(rest), err)
	}
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

func TestDoClosesTheBodyOfARefusedRequest(t *testing.T) {
	client := NewClient(Policy{})
	defer client.Close()
	for _, url := range []string{"ftp://example.com/", "http://10.0.0.1/"} {
		body := &closeRecorder{Reader: strings.NewReader("x")}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s: no error", url)
		}
		if !body.closed {
			t.Errorf("%s: the body was left open", url)
		}
	}
}

func TestDoLeavesTheRequestAsItIs(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	client := NewClient(loopback())
	defer client.Close()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, strings.Replace(server.URL, "//", "//user:pass@", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(req.Header) != 0 {
		t.Errorf("%v", req.Header)
	}
}

func TestDoErrorsKeepTheirCause(t *testing.T) {
	client := NewClient(Policy{})
	defer client.Close()
	because := errors.New("the conversation is over")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(because)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, because) {
		t.Errorf("%v, want %v inside", err, because)
	}
}
