package console

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// stream sends messages as server-sent events.
type stream struct {
	patience
	w       http.ResponseWriter
	control *http.ResponseController
	epoch   string
}

func (v *watcher) serveStream(w http.ResponseWriter, r *http.Request) {
	s := &stream{w: w, control: http.NewResponseController(w), epoch: v.api.Service.Epoch()}
	s.set = s.control.SetWriteDeadline
	if err := s.control.SetReadDeadline(time.Time{}); err != nil { // the server's is for requests
		v.api.answerError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must pass each event on at once
	w.WriteHeader(http.StatusOK)
	v.heard.Store(math.MaxInt64) // it can say nothing
	err := v.run(r.Context(), s)
	if cause := v.whyStopped(); cause != nil {
		// The last word; a reader that is gone does not hear it.
		err = s.send([]frame{{body: encode(byeMessage{"bye", reasonOf(cause), cause.Error()})}})
	}
	v.api.Log.DebugContext(r.Context(), "console.live_ended", "wire", "sse", "error", err)
}

// byeMessage is the last one of a stream that the server ends.
type byeMessage struct {
	Type    string `json:"type"`
	Reason  string `json:"reason"` // signed_out: sign in again; reconnect
	Message string `json:"message"`
}

func reasonOf(cause error) string {
	if errors.Is(cause, errSignedOut) {
		return "signed_out"
	}
	return "reconnect"
}

func (s *stream) send(frames []frame) error {
	var b strings.Builder
	for _, f := range frames {
		if f.id != 0 {
			fmt.Fprintf(&b, "id: %s:%d\n", s.epoch, f.id)
		}
		b.WriteString("data: ")
		b.Write(f.body)
		b.WriteString("\n\n")
	}
	return s.write(b.String())
}

// beat is an event without data: it reaches no handler, but the browser keeps
// its id.
func (s *stream) beat(position chat.ID) error {
	return s.write(fmt.Sprintf(":\nid: %s:%d\n\n", s.epoch, position))
}

func (s *stream) write(text string) error {
	if err := s.begin(); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
