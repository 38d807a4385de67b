package centrifuge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// socketClient speaks over a WebSocket.
type socketClient struct {
	conn  net.Conn
	lines []string // of a frame that held several
	bytes bool     // frames are binary and not to be split
}

func dialSocket(t *testing.T, w *world, query string, subprotocols ...string) *socketClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	dialer := ws.Dialer{Protocols: subprotocols}
	conn, early, _, err := dialer.Dial(ctx, "ws"+strings.TrimPrefix(w.web.URL, "http")+"/websocket"+query)
	if err != nil {
		t.Fatal(err)
	}
	if early != nil {
		t.Fatal("the server spoke first")
	}
	if err := conn.SetDeadline(time.Now().Add(guard)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &socketClient{conn: conn}
}

// readFrame reads a server's frame.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}

func (c *socketClient) send(frame string) error {
	op := ws.OpText
	if c.bytes {
		op = ws.OpBinary
	}
	f := ws.MaskFrame(ws.NewFrame(op, true, []byte(frame)))
	return ws.WriteFrame(c.conn, f)
}

func (c *socketClient) next() (string, error) {
	for len(c.lines) == 0 {
		f, err := readFrame(c.conn)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errGone, err)
		}
		if f.Header.OpCode == ws.OpClose {
			answer := ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewCloseFrame(f.Payload)))
			if err := errors.Join(answer, c.conn.Close()); err != nil {
				return "", err
			}
			code, reason := ws.ParseCloseFrameData(f.Payload)
			return "", ended{uint32(code), reason}
		}
		if c.bytes {
			return string(f.Payload), nil
		}
		c.lines = strings.Split(string(f.Payload), "\n")
	}
	line := c.lines[0]
	c.lines = c.lines[1:]
	return line, nil
}

func (c *socketClient) hangUp() { c.conn.Close() }

// streamClient speaks over HTTP streaming or server-sent events, JSON only.
type streamClient struct {
	t       *testing.T
	web     *httptest.Server
	path    string
	cancel  context.CancelFunc
	body    *bufio.Reader
	session string
}

func (c *streamClient) send(frame string) error {
	if c.body == nil {
		return c.open(frame)
	}
	body, err := json.Marshal(map[string]string{"session": c.session, "node": "node", "data": frame})
	if err != nil {
		return err
	}
	resp, err := c.web.Client().Post(c.web.URL+"/emulation", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the emulation endpoint answered %s", resp.Status)
	}
	return nil
}

// open begins the stream; the first frame travels with it.
func (c *streamClient) open(frame string) error {
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	c.cancel = cancel
	c.t.Cleanup(cancel)
	method, address, body := http.MethodPost, c.web.URL+c.path, frame
	if c.path == "/sse" {
		method, address, body = http.MethodGet, address+"?cf_connect="+url.QueryEscape(frame), ""
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.web.Client().Do(req)
	if err != nil {
		return err
	}
	c.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream was answered %s", resp.Status)
	}
	c.body = bufio.NewReader(resp.Body)
	return nil
}

// next hides what only streams have: the session in the connect reply, the push
// that stands for a close frame.
func (c *streamClient) next() (string, error) {
	line, err := c.line()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errGone, err)
	}
	var reply protocol.Reply
	if err := json.Unmarshal([]byte(line), &reply); err != nil {
		return "", err
	}
	switch {
	case reply.Connect != nil:
		c.session = reply.Connect.Session
		return strings.Replace(line, fmt.Sprintf(`,"session":%q,"node":%q`, c.session, reply.Connect.Node), "", 1), nil
	case reply.Push != nil && reply.Push.Disconnect != nil:
		if more, err := io.ReadAll(c.body); err != nil || len(more) > 0 {
			return "", fmt.Errorf("after the disconnect push came %q (%w)", more, err)
		}
		d := reply.Push.Disconnect
		if d.Reconnect != (Disconnect{Code: d.Code}).Reconnect() {
			return "", fmt.Errorf("%s advises the wrong thing", line)
		}
		return "", ended{d.Code, d.Reason}
	}
	return line, nil
}

func (c *streamClient) line() (string, error) {
	line, err := c.body.ReadString('\n')
	if err != nil || c.path != "/sse" {
		return strings.TrimSuffix(line, "\n"), err
	}
	blank, err := c.body.ReadString('\n')
	if err == nil && (blank != "\n" || !strings.HasPrefix(line, "data: ")) {
		err = fmt.Errorf("the event is %q, %q", line, blank)
	}
	return strings.TrimSuffix(strings.TrimPrefix(line, "data: "), "\n"), err
}

func (c *streamClient) hangUp() { c.cancel() }
