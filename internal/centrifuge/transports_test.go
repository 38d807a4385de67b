package centrifuge

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol/clientpb"
)

func pbFrame(t *testing.T, cmds ...*clientpb.Command) string {
	t.Helper()
	var b bytes.Buffer
	for _, cmd := range cmds {
		if _, err := protodelim.MarshalTo(&b, cmd); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// pbReader takes delimited replies out of whatever chunks they come in.
type pbReader struct {
	t    *testing.T
	more func() (io.Reader, error)
	rest *bytes.Buffer
}

func (r *pbReader) next() *clientpb.Reply {
	r.t.Helper()
	reply := new(clientpb.Reply)
	for {
		whole := bytes.NewReader(r.rest.Bytes())
		if err := protodelim.UnmarshalFrom(whole, reply); err == nil {
			r.rest.Next(r.rest.Len() - whole.Len())
			return reply
		}
		chunk, err := r.more()
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.rest.ReadFrom(chunk); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestProtobufOverWebSocket(t *testing.T) {
	for name, dial := range map[string]func(*testing.T, *world) *socketClient{
		"by subprotocol": func(t *testing.T, w *world) *socketClient { return dialSocket(t, w, "", subprotocolProtobuf) },
		"by format":      func(t *testing.T, w *world) *socketClient { return dialSocket(t, w, "?format=protobuf") },
		"by cf_protocol": func(t *testing.T, w *world) *socketClient { return dialSocket(t, w, "?cf_protocol=protobuf") },
		"the first known one": func(t *testing.T, w *world) *socketClient {
			return dialSocket(t, w, "", "x", subprotocolProtobuf, subprotocolJSON)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			c := dial(t, w)
			c.bytes = true
			reader := &pbReader{t: t, rest: new(bytes.Buffer), more: func() (io.Reader, error) {
				frame, err := c.next()
				return strings.NewReader(frame), err
			}}
			mustSend(t, c, pbFrame(t, &clientpb.Command{Id: 1, Connect: &clientpb.ConnectRequest{Data: []byte{0, 255}}},
				&clientpb.Command{Id: 2, Subscribe: &clientpb.SubscribeRequest{Channel: "c"}}))
			want := &clientpb.Reply{Id: 1, Connect: &clientpb.ConnectResult{Client: "id1", Version: "1.0", Data: []byte{0, 255}, Ping: 25, Pong: true}}
			if got := reader.next(); !proto.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if got := reader.next(); got.Id != 2 || got.GetSubscribe().GetEpoch() != "эпоха" {
				t.Errorf("got %v, want a subscription", got)
			}
			w.say("c", "\x00\xff", nil)
			if got := reader.next(); !bytes.Equal(got.GetPush().GetPub().GetData(), []byte{0, 255}) {
				t.Errorf("got %v, want the bytes published", got)
			}
			w.clock.Advance(w.server.cfg.PingInterval)
			if got := reader.next(); !proto.Equal(got, &clientpb.Reply{}) {
				t.Errorf("got %v, want a ping", got)
			}
			mustSend(t, c, "\x00") // a pong
			mustSend(t, c, "\xff")
			mustEnd(t, c, DisconnectBadRequest)
		})
	}
}

func TestProtobufOverHTTPStream(t *testing.T) {
	w := newWorld(t, nil)
	frame := pbFrame(t, &clientpb.Command{Id: 1, Connect: &clientpb.ConnectRequest{}})
	resp, err := http.Post(w.web.URL+"/http_stream", "application/octet-stream", strings.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	reader := &pbReader{t: t, rest: new(bytes.Buffer), more: func() (io.Reader, error) {
		chunk := make([]byte, 4096)
		n, err := resp.Body.Read(chunk)
		return bytes.NewReader(chunk[:n]), err
	}}
	connected := reader.next().GetConnect()
	if connected.GetNode() != "node" || connected.GetSession() == "" || connected.GetSession() == connected.GetClient() {
		t.Fatalf("got %v, want a node and a session of its own", connected)
	}
	body, err := proto.Marshal(&clientpb.EmulationRequest{
		Node: connected.Node, Session: connected.Session,
		Data: []byte(pbFrame(t, &clientpb.Command{Id: 2, Rpc: &clientpb.RPCRequest{Method: "m", Data: []byte{1, 0}}})),
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(w.web.URL+"/emulation", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Errorf("the emulation endpoint answered %s", answer.Status)
	}
	if got := reader.next(); got.Id != 2 || !bytes.Equal(got.GetRpc().GetData(), []byte{1, 0}) {
		t.Errorf("got %v, want the rpc's answer", got)
	}
}

func TestHTTPAnswers(t *testing.T) {
	w := newWorld(t, func(cfg *Config, _ *app) {
		cfg.MaxConnections, cfg.MaxMessage = 1, 1024
		cfg.CheckOrigin = func(r *http.Request) bool { return r.Header.Get("Origin") != "https://evil.example" }
	})
	big := strings.Repeat("x", 4096)
	call := func(method, path, origin, contentType, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, w.web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		req.Header.Set("Content-Type", contentType)
		resp, err := w.web.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	check := func(want int, method, path, origin, contentType, body string) *http.Response {
		t.Helper()
		resp := call(method, path, origin, contentType, body)
		if resp.StatusCode != want {
			t.Errorf("%s %s %.40s from %q: %s, want %d", method, path, body, origin, resp.Status, want)
		}
		return resp
	}
	const asJSON, asBytes = "application/json", "application/octet-stream"
	session := func(node, session string) string {
		return fmt.Sprintf(`{"node":%q,"session":%q,"data":"{}"}`, node, session)
	}
	check(204, "POST", "/emulation", "", asJSON, session("node", "gone"))
	check(404, "POST", "/emulation", "", asJSON, session("other", "gone"))
	check(400, "POST", "/emulation", "", asJSON, `[]`)
	check(400, "POST", "/emulation", "", asBytes, "\xff\xff")
	check(413, "POST", "/emulation", "", asJSON, big)
	check(405, "GET", "/emulation", "", asJSON, "")
	check(413, "POST", "/http_stream", "", asJSON, big)
	check(405, "GET", "/http_stream", "", asJSON, "")
	check(405, "POST", "/sse", "", asJSON, "")
	check(414, "GET", "/sse?cf_connect="+big[:1025], "", asJSON, "")
	check(414, "GET", "/sse?cf_connect="+big, "", asJSON, "")
	check(414, "GET", "/sse?cf_connect="+url.QueryEscape(strings.Repeat("ы", 600)), "", asJSON, "")
	for _, path := range []string{"/websocket", "/http_stream", "/sse", "/emulation"} {
		check(403, "POST", path, "https://evil.example", asJSON, "{}")
	}
	preflight := check(204, "OPTIONS", "/emulation", "https://good.example", "", "")
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://good.example", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type", "Vary": "Origin",
	} {
		if got := preflight.Header.Get(header); got != want {
			t.Errorf("the preflight says %s: %q, want %q", header, got, want)
		}
	}
	if got := check(204, "POST", "/emulation", "", asJSON, session("node", "gone")).Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("without an Origin the answer allows %q", got)
	}
	mustConnect(t, dialSocket(t, w, ""))
	check(503, "POST", "/http_stream", "", asJSON, `{"id":1,"connect":{}}`)
}

func TestDefaultOriginRule(t *testing.T) {
	for origin, want := range map[string]bool{
		"": true, "http://chat.example": true, "https://CHAT.example": true, "https://chat.example:8443": false,
		"https://other.example": false, "null": false, "://": false,
	} {
		r := &http.Request{Host: "chat.example", Header: http.Header{}}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if got := sameHost(r); got != want {
			t.Errorf("Origin %q is allowed: %v, want %v", origin, got, want)
		}
	}
}

// The end of a request ends the stream and everything about it.
func TestStreamLeftByItsClient(t *testing.T) {
	for _, path := range []string{"http_stream", "sse"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t, nil)
			c := transports[path](t, w)
			mustConnect(t, c)
			c.hangUp()
			eventually(t, "the connection is gone", func() bool { return w.server.Connections() == 0 })
			if got := w.noted(); got != "disconnected 3000" {
				t.Errorf("the handler noted %q", got)
			}
			if err := c.send(`{"id":2,"ping":{}}`); err != nil {
				t.Errorf("a late command: %v, want it swallowed", err)
			}
		})
	}
}

func TestSSEWithoutCommand(t *testing.T) {
	w := newWorld(t, nil)
	c := &streamClient{t: t, web: w.web, path: "/sse"}
	mustSend(t, c, "")
	mustEnd(t, c, DisconnectBadRequest)
}
