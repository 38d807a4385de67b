package centrifuge

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/centrifuge/protocol"
)

// ServeHTTPStream is the handler of HTTP streaming: a POST whose body is the
// first frame of the client and whose response never ends. Further commands come
// to ServeEmulation. A body of type application/octet-stream chooses Protobuf.
func (s *Server) ServeHTTPStream(w http.ResponseWriter, r *http.Request) {
	if !s.crossOrigin(w, r, http.MethodPost) || !s.welcome(w, r) {
		return
	}
	frame, ok := s.body(w, r)
	if !ok {
		return
	}
	link := &streamLink{transport: "http_stream", form: formOfBody(r), contentType: "application/json"}
	if link.form == formProtobuf {
		link.contentType = "application/octet-stream"
	} else {
		link.suffix = "\n"
	}
	s.stream(w, r, link, frame)
}

// ServeSSE is the handler of server-sent events: a GET whose query holds the
// first frame of the client as cf_connect. Further commands come to
// ServeEmulation. It speaks JSON only.
func (s *Server) ServeSSE(w http.ResponseWriter, r *http.Request) {
	if !s.crossOrigin(w, r, http.MethodGet) || !s.welcome(w, r) {
		return
	}
	frame, ok := s.initialFrame(r)
	if !ok {
		http.Error(w, fmt.Sprintf("cf_connect is longer than %d bytes", s.cfg.MaxMessage), http.StatusRequestURITooLong)
		return
	}
	link := &streamLink{transport: "sse", contentType: "text/event-stream", prefix: "data: ", suffix: "\n\n"}
	s.stream(w, r, link, []byte(frame))
}

// initialFrame takes the first frame out of a query, unless it is too long.
func (s *Server) initialFrame(r *http.Request) (frame string, ok bool) {
	if len(r.URL.RawQuery) > 3*s.cfg.MaxMessage { // a byte takes up to three
		return "", false
	}
	frame = r.URL.Query().Get("cf_connect")
	return frame, len(frame) <= s.cfg.MaxMessage
}

// ServeEmulation is the handler of commands for connections whose replies travel
// in a stream. A client whose stream another server has is answered 404, one
// whose stream is gone 204: it will have noticed.
func (s *Server) ServeEmulation(w http.ResponseWriter, r *http.Request) {
	if !s.crossOrigin(w, r, http.MethodPost) {
		return
	}
	body, ok := s.body(w, r)
	if !ok {
		return
	}
	req, err := formOfBody(r).codec().Emulation(body)
	if err != nil {
		http.Error(w, "the body is not an emulation request", http.StatusBadRequest)
		return
	}
	if req.Node != s.cfg.Node {
		http.Error(w, "the session is not on this server", http.StatusNotFound)
		return
	}
	if c := s.session(req.Session); c != nil {
		c.process(req.Data)
	}
	w.WriteHeader(http.StatusNoContent)
}

func formOfBody(r *http.Request) wireForm {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream") {
		return formProtobuf
	}
	return formJSON
}

// body reads a request's body within the limit, or answers the request.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.cfg.MaxMessage)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit), http.StatusRequestEntityTooLarge)
		return nil, false
	case err != nil:
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// stream lives as long as the response does.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, link *streamLink, frame []byte) {
	link.w, link.ctl, link.done = w, http.NewResponseController(w), make(chan struct{})
	if err := link.open(); err != nil {
		s.cfg.Logger.Debug("stream refused", "error", err)
		return
	}
	c := s.newConn(link.form, link)
	c.session = s.cfg.NewID()
	if err := c.start(); err != nil {
		return // the door closed meanwhile
	}
	defer c.finish()
	c.process(frame)
	select {
	case <-r.Context().Done():
	case <-link.done:
	}
}

// streamLink carries replies in an endless HTTP response.
type streamLink struct {
	transport      string
	form           wireForm
	contentType    string
	prefix, suffix string // around each message

	w    http.ResponseWriter
	ctl  *http.ResponseController
	once sync.Once
	done chan struct{}
}

// open sends the header, so that the client knows at once that it is served.
func (l *streamLink) open() error {
	h := l.w.Header()
	h.Set("Content-Type", l.contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies pass each write on
	h.Set("Connection", "close")     // its deadlines suit no other exchange
	l.w.WriteHeader(http.StatusOK)
	// Limits of the HTTP server on a whole exchange do not suit an endless one; a
	// writer that knows none is fine.
	if err := errors.Join(l.ctl.SetReadDeadline(time.Time{}), l.ctl.SetWriteDeadline(time.Time{})); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return l.ctl.Flush()
}

func (l *streamLink) name() string { return l.transport }

func (l *streamLink) write(batch [][]byte) error {
	for _, msg := range batch {
		if _, err := io.WriteString(l.w, l.prefix); err != nil {
			return err
		}
		if _, err := l.w.Write(msg); err != nil {
			return err
		}
		if _, err := io.WriteString(l.w, l.suffix); err != nil {
			return err
		}
	}
	return l.ctl.Flush()
}

func (l *streamLink) goodbye(d Disconnect) error {
	defer l.hangUp()
	msg, err := l.form.codec().AppendReply(nil, &protocol.Reply{Push: &protocol.Push{
		Disconnect: &protocol.Disconnect{Code: d.Code, Reason: d.Reason, Reconnect: d.Reconnect()},
	}})
	if err != nil {
		return err
	}
	return l.write([][]byte{msg})
}

func (l *streamLink) expire(after time.Duration) {
	if err := l.ctl.SetWriteDeadline(time.Now().Add(after)); err != nil {
		l.hangUp() // nothing else would end a write that blocks
	}
}

func (l *streamLink) hangUp() { l.once.Do(func() { close(l.done) }) }
