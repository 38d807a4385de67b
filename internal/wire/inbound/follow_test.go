package inbound

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func serve(l *Log, handler http.HandlerFunc) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /things/{token}", handler)
	w := httptest.NewRecorder()
	l.Middleware(mux).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/things/secret", nil))
	return w
}

func newLog() *Log {
	return New(slog.New(slog.DiscardHandler), time.Now, func(*http.Request) string { return "192.0.2.1" }, nil)
}

func TestACallRunsUnderTheContextOfItsFollower(t *testing.T) {
	type key struct{}
	for name, handler := range map[string]http.HandlerFunc{
		"answered": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(map[any]int{"begun": http.StatusAccepted}[r.Context().Value(key{})])
		},
		"panicked": func(http.ResponseWriter, *http.Request) { panic("at the disco") },
	} {
		l := newLog()
		var ended []Call
		l.Follow(func(r *http.Request) (context.Context, func(Call)) {
			return context.WithValue(r.Context(), key{}, "begun"), func(c Call) { ended = append(ended, c) }
		})
		w := serve(l, handler)
		if len(ended) != 1 || ended[0].Status != w.Code || ended[0].Route != "POST /things/{token}" ||
			ended[0].RequestID != w.Header().Get("X-Request-Id") {
			t.Errorf("%s with %d: told of %+v", name, w.Code, ended)
		}
	}
}

func TestAFollowerMayPassACallBy(t *testing.T) {
	l := newLog()
	l.Follow(func(r *http.Request) (context.Context, func(Call)) { return r.Context(), nil })
	if w := serve(l, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }); w.Code != http.StatusAccepted {
		t.Errorf("answered %d", w.Code)
	}
}

// TestNobodyFollowsAtNoCost: the hook allocates nothing when it is not set.
func TestNobodyFollowsAtNoCost(t *testing.T) {
	l, rec, r := newLog(), &record{}, httptest.NewRequest(http.MethodPost, "/", nil)
	if n := testing.AllocsPerRun(1000, func() {
		if l.follow(r, rec) != r.Context() || rec.ended != nil {
			t.Error("somebody follows")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
