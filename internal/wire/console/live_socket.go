package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/httpjson"
)

// maxSaid is the longest message that a page may send, in bytes.
const maxSaid = 4 << 10

// Close codes of our own, as some clients know no 1012. After closeSignedOut the
// page has to sign in again; after any other it connects again.
const (
	closeRestart   ws.StatusCode = 4012
	closeTryAgain  ws.StatusCode = 4013
	closeSignedOut ws.StatusCode = 4401
)

// socket sends messages over a WebSocket, one a text frame.
type socket struct {
	patience
	conn net.Conn
	one  sync.Mutex // write at a time
	sent bool       // a close frame: nothing may follow it
	at   chat.ID    // the last position the page was told
}

// serveSocket speaks until one side ends it. The page sends {"open":[…]}.
func (v *watcher) serveSocket(w http.ResponseWriter, r *http.Request) {
	conn, rw, _, err := ws.HTTPUpgrader{Timeout: writePatience}.Upgrade(r, w)
	if err != nil { // it was answered
		v.api.Log.DebugContext(r.Context(), "console.handshake_failed", "error", err)
		if conn != nil {
			_ = conn.Close() // nothing was agreed on
		}
		return
	}
	s := &socket{conn: conn, patience: patience{set: conn.SetWriteDeadline}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	var reader sync.WaitGroup
	var heard error
	reader.Go(func() {
		defer cancel()
		heard = v.listen(s, rw.Reader)
	})
	err = v.run(ctx, s)
	if code, why := closeCode(ctx, v.whyStopped(), err); code != 0 {
		err = errors.Join(err, s.sendClose(ws.NewCloseFrameBody(code, why)))
	}
	closed := s.linger() // listen is waiting for the page's own close frame
	reader.Wait()
	closed = errors.Join(closed, conn.Close())
	v.api.Log.DebugContext(r.Context(), "console.live_ended", "wire", "websocket", "error", errors.Join(err, heard, closed))
}

// closeCode says how the page is sent away, 0 when it left by itself.
func closeCode(ctx context.Context, cause, err error) (ws.StatusCode, string) {
	switch {
	case errors.Is(cause, errSignedOut):
		return closeSignedOut, cause.Error()
	case errors.Is(cause, errRestart), errors.Is(cause, errChanged):
		return closeRestart, cause.Error()
	case cause != nil:
		return closeTryAgain, cause.Error()
	case ctx.Err() == nil && err != nil: // the log can't be read, or the page is too slow
		return closeTryAgain, errFailed.Error()
	}
	return 0, ""
}

// listen reads what the page says until the connection ends.
func (v *watcher) listen(s *socket, from io.Reader) error {
	in := &wsutil.Reader{
		Source: from, State: ws.StateServerSide, CheckUTF8: true, MaxFrameSize: maxSaid, MaxMessageSize: maxSaid,
		OnIntermediate: s.control,
	}
	for {
		h, err := in.NextFrame()
		if err != nil {
			return s.refuse(err)
		}
		v.heard.Store(v.api.watchers.tick.Load())
		if h.OpCode.IsControl() {
			if err := s.control(h, in); err != nil {
				return err
			}
			continue
		}
		if h.OpCode != ws.OpText {
			return s.refuse(errNotText)
		}
		said, err := io.ReadAll(in)
		if err != nil {
			return s.refuse(err)
		}
		if err := v.obey(said); err != nil {
			v.note(encode(errorMessage{"error", failureBody{
				Code: string(chat.ErrorCode(err)), Message: chat.ErrorMessage(err), Field: chat.ErrorField(err),
			}}))
		}
	}
}

var errNotText = errors.New("only text messages are understood")

// obey does what a page asks for.
func (v *watcher) obey(said []byte) error {
	fields, err := httpjson.Parse(said)
	if err != nil {
		return err
	}
	body := httpjson.NewReader(fields)
	var open []chat.ID
	for _, id := range body.Integers("open") {
		open = append(open, chat.ID(id))
	}
	if err := body.Err(); err != nil {
		return err
	}
	if _, named := fields["open"]; !named {
		return &chat.Error{Code: chat.CodeMissing, Field: "open", Message: "say which conversations are open"}
	}
	return v.setOpen(open)
}

// refuse ends the connection with the code of a violation.
func (s *socket) refuse(err error) error {
	code := ws.StatusCode(0)
	var protocol ws.ProtocolError
	switch {
	case errors.Is(err, wsutil.ErrFrameTooLarge), errors.Is(err, wsutil.ErrMessageTooLarge):
		code = ws.StatusMessageTooBig
	case errors.Is(err, wsutil.ErrInvalidUTF8):
		code = ws.StatusInvalidFramePayloadData
	case errors.Is(err, errNotText):
		code = ws.StatusUnsupportedData
	case errors.As(err, &protocol):
		code = ws.StatusProtocolError
	}
	if code == 0 { // the network's
		return err
	}
	err = errors.Join(err, s.sendClose(ws.NewCloseFrameBody(code, err.Error())), s.linger())
	_, rest := io.Copy(io.Discard, s.conn) // what is unread would turn the end into a reset, and the code be lost
	return errors.Join(err, rest)
}

// linger bounds how long the page is still listened to.
func (s *socket) linger() error { return s.conn.SetReadDeadline(time.Now().Add(hurryPatience)) }

// sendClose says that nothing follows, once.
func (s *socket) sendClose(body []byte) error {
	s.one.Lock()
	defer s.one.Unlock()
	if s.sent {
		return nil
	}
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, ws.NewCloseFrame(body)); err != nil {
		return err
	}
	err := s.put(b.Bytes())
	s.sent = true
	return err
}

// control answers pings and a close; its payload is at most 125 bytes.
func (s *socket) control(h ws.Header, body io.Reader) error {
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(body, payload); err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		var b bytes.Buffer
		return errors.Join(ws.WriteFrame(&b, ws.NewPongFrame(payload)), s.write(b.Bytes()))
	case ws.OpClose:
		if len(payload) > 2 {
			payload = payload[:2]
		}
		return errors.Join(errLeft, s.sendClose(payload))
	}
	return nil
}

var errLeft = errors.New("the connection is closing")

func (s *socket) send(frames []frame) error {
	var b bytes.Buffer
	for _, f := range frames {
		if err := ws.WriteFrame(&b, ws.NewTextFrame(f.body)); err != nil {
			return err
		}
		s.at = max(s.at, f.id)
	}
	return s.write(b.Bytes())
}

func (s *socket) beat(position chat.ID) error {
	var b bytes.Buffer
	if err := ws.WriteFrame(&b, ws.NewPingFrame(nil)); err != nil {
		return err
	}
	if position > s.at {
		s.at = position
		if err := ws.WriteFrame(&b, ws.NewTextFrame(encode(positionMessage{"position", position}))); err != nil {
			return err
		}
	}
	return s.write(b.Bytes())
}

func (s *socket) write(p []byte) error {
	s.one.Lock()
	defer s.one.Unlock()
	if s.sent {
		return errLeft
	}
	return s.put(p)
}

// put writes; s.one is held.
func (s *socket) put(p []byte) error {
	if err := s.begin(); err != nil {
		return err
	}
	_, err := s.conn.Write(p)
	return err
}
