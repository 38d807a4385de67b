package inbound_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

func setUp(handler http.HandlerFunc) (*inbound.Log, http.Handler, *bytes.Buffer) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	now := func() time.Time { return time.Unix(1_700_000_000, 0) }
	l := inbound.New(logger, now, func(*http.Request) string { return "192.0.2.1" }, nil)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /things/{token}", handler)
	return l, l.Middleware(mux), &out
}

func call(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"text":"very private"}`)))
	return w
}

func TestFailureIsExplainedWithoutSecrets(t *testing.T) {
	l, h, out := setUp(func(w http.ResponseWriter, r *http.Request) {
		inbound.Recognise(r.Context(), chat.Actor{Kind: chat.ActorAPIKey, TenantID: 7, Name: "bridge"})
		inbound.Note(r.Context(), chat.Invalid("chat_id", "it is an object; send a text or a number"))
		w.WriteHeader(http.StatusBadRequest)
	})
	w := call(h, "/things/secret-token")
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("no X-Request-Id")
	}
	calls := l.Failures(func(inbound.Call) bool { return true })
	if len(calls) != 1 {
		t.Fatalf("%d failures kept, want 1", len(calls))
	}
	got := calls[0]
	want := inbound.Call{
		At: time.Unix(1_700_000_000, 0), RequestID: w.Header().Get("X-Request-Id"), Route: "POST /things/{token}", Status: 400,
		Remote: "192.0.2.1", TenantID: 7, Actor: "api_key bridge",
		Code: chat.CodeInvalid, Field: "chat_id", Reason: "it is an object; send a text or a number",
	}
	if got != want {
		t.Errorf("kept %+v\nwant %+v", got, want)
	}
	for _, secret := range []string{"secret-token", "very private"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, out)
		}
	}
	if !strings.Contains(out.String(), "send a text or a number") {
		t.Errorf("the log doesn't say why: %s", out)
	}
}

func TestInternalCauseIsLoggedOnceAndNeverKept(t *testing.T) {
	l, h, out := setUp(func(w http.ResponseWriter, r *http.Request) {
		inbound.Note(r.Context(), errors.New("disk on fire"))
		w.WriteHeader(http.StatusInternalServerError)
	})
	call(h, "/things/x")
	if n := strings.Count(out.String(), "disk on fire"); n != 1 {
		t.Errorf("the cause is logged %d times, want once: %s", n, out)
	}
	if reason := l.Failures(func(inbound.Call) bool { return true })[0].Reason; strings.Contains(reason, "fire") {
		t.Errorf("the reason shows internal text: %q", reason)
	}
}

func TestPanicEndsAs500(t *testing.T) {
	_, h, _ := setUp(func(http.ResponseWriter, *http.Request) { panic("boom") })
	if w := call(h, "/things/x"); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("a panic ended as %d %q", w.Code, w.Body)
	}
}

func TestNewestFailuresAreKept(t *testing.T) {
	n := 0
	l, h, _ := setUp(func(w http.ResponseWriter, r *http.Request) {
		inbound.Note(r.Context(), chat.Invalid(strconv.Itoa(n), "wrong"))
		w.WriteHeader(http.StatusBadRequest)
	})
	for n = range 1203 {
		call(h, "/things/x")
	}
	calls := l.Failures(func(inbound.Call) bool { return true })
	if len(calls) != 500 || calls[0].Field != "1202" || calls[499].Field != "703" {
		t.Errorf("kept %d from %s to %s, want 500 from 1202 to 703", len(calls), calls[0].Field, calls[len(calls)-1].Field)
	}
}
