package selarti_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/inbound"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

const maxBody = 256 << 10

// site is the dialect served over a world.
type site struct {
	*wiretest.World
	mux   *http.ServeMux
	calls http.Handler // mux behind the inbound-call log
	token string       // of acme's key with every scope
}

func newSite(t testing.TB, edits ...func(*chat.Setup)) *site {
	t.Helper()
	w := wiretest.New(t, edits...)
	tokens := newTokens(w)
	d, err := selarti.New(selarti.Options{
		Service: w.Service, Auth: w.Gate(tokens), Tokens: tokens, MaxBody: maxBody, Now: w.Clock.Now, Random: rand.Reader,
		Aliases: map[string]string{"send-message-v2": "send_external_message"}, Log: w.Log.Logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{World: w, mux: http.NewServeMux(), token: issue(t, tokens, "key-all")}
	d.Register(s.mux)
	s.calls = inbound.New(w.Log.Logger(), w.Clock.Now, func(*http.Request) string { return "192.0.2.1" }, nil).Middleware(s.mux)
	return s
}

// send posts a JSON body to send_external_message.
func (s *site) send(t testing.TB, body string) wiretest.Answer {
	t.Helper()
	return wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: s.token, Body: body}.Do(t, s.mux)
}

// fields writes a body with the three required fields and whatever else.
func (s *site) fields(extra string) string {
	return fmt.Sprintf(`{"task_id":%q,"chat_id":"123456789","message":"Do you deliver on Sunday?"%s}`, selarti.TaskID(s.Acme.Task.Task), extra)
}

// conversations lists acme's, with the last message and the client.
func (s *site) conversations(t testing.TB) []chat.Listed {
	t.Helper()
	list, err := s.Conversations(t.Context(), s.Actor(s.Acme), chat.ConversationFilter{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
