package selarti_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/wire/selarti"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

func TestScenarios(t *testing.T) { wiretest.Play(t, bridge{}) }

// bridge is the dialect as a foreign messenger uses it: it sends by the one call
// and hears by the integration.
type bridge struct{}

func (bridge) Traits() wiretest.Traits { return wiretest.Traits{Echo: true} }

func (bridge) Equip(company *chat.Setup, hooks string) { company.Integrations[0].URL = hooks }

func (bridge) Formats(*wiretest.Site) map[string]delivery.Format {
	return map[string]delivery.Format{"selarti": selarti.NewFormat(wiretest.PublicURL)}
}

func (bridge) Serve(s *wiretest.Site, mux *http.ServeMux) error {
	tokens := selarti.NewTokens(s.Service, []byte("a secret of the installation"), time.Now)
	gate, err := auth.NewGate(auth.Options{Service: s.Service, Kinds: []auth.Kind{tokens}, PublicURL: wiretest.PublicURL})
	if err != nil {
		return err
	}
	d, err := selarti.New(selarti.Options{
		Service: s.Service, Auth: gate, Tokens: tokens, MaxBody: wiretest.MaxBody, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		d.Register(mux)
	}
	return err
}

// Decode takes messages; tags are not what a client is shown.
func (bridge) Decode(body []byte) ([]wiretest.Heard, error) {
	var hook struct {
		Type   string `json:"wh_type"`
		Chat   string `json:"external_chat_id"`
		ID     string `json:"message_id"`
		Author string `json:"message_type"`
		Text   string `json:"message_text"`
	}
	if err := json.Unmarshal(body, &hook); err != nil || hook.Type != "all_messages" {
		return nil, err
	}
	author := map[string]chat.Author{"user": chat.AuthorClient, "bot": chat.AuthorBot, "operator": chat.AuthorOperator}[hook.Author]
	return []wiretest.Heard{{Client: hook.Chat, ID: hook.ID, Line: wiretest.Line(author, hook.Text)}}, nil
}

func (bridge) App(s *wiretest.Site, client string) wiretest.App {
	return &bridged{HookedApp: wiretest.HookedApp{Site: s, Client: client}, task: selarti.TaskID(s.Acme.Task.Task), key: s.Acme.Key("bridge")}
}

// bridged is one user of the messenger.
type bridged struct {
	wiretest.HookedApp
	task, key string
}

func (b *bridged) Say(text, key string) (wiretest.Receipt, error) {
	a, err := b.Site.Call(b.Site.T.Context(), wiretest.Ask{
		Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: b.key, Body: message(b.task, b.Client, text),
		Header: map[string]string{"Idempotency-Key": key},
	})
	if err != nil {
		return wiretest.Receipt{}, err
	}
	var answer struct {
		Response struct {
			ID string `json:"message_id"`
		} `json:"response"`
	}
	if err := a.Took(&answer); err != nil {
		return wiretest.Receipt{}, err
	}
	return wiretest.Receipt{ID: answer.Response.ID}, nil
}

// message is a body of send_external_message.
func message(task, client, text string) string {
	body, err := json.Marshal(map[string]string{"task_id": task, "chat_id": client, "message": text})
	if err != nil { // a map of texts always encodes
		return err.Error()
	}
	return string(body)
}

// refused is a call of the workflow and the error it must get.
func refused(name, token, body string, status int, says map[string]any) wiretest.Refusal {
	return wiretest.Refusal{
		Name: name, Status: status, Says: says,
		Ask: wiretest.Ask{Method: "POST", Path: "/api/1.1/wf/send_external_message", Token: token, Body: body},
	}
}

// first is the vendor's first envelope.
func first(status int, keyword string) map[string]any {
	return map[string]any{"statusCode": float64(status), "body.status": keyword}
}

func (bridge) Denied(s *wiretest.Site, client string, _ wiretest.Receipt) []wiretest.Refusal {
	body := message(selarti.TaskID(s.Acme.Task.Task), client, "let me in")
	stranger := map[string]any{"error_class": "Unauthorized", "message": nil}
	return []wiretest.Refusal{
		refused("a wrong token", "nonsense", body, 401, stranger),
		refused("a forged token", "bus|1721129985149x478019552540622850|1721129985149x478019552540622850", body, 401, stranger),
		refused("no token", "", body, 401, stranger),
		refused("another company's key", s.Rival.Key("bridge"), body, 400, first(400, "INVALID_DATA")),
		refused("a key that may only read", s.Acme.Key("reader"), body, 403, first(403, "FORBIDDEN")),
	}
}

func (bridge) Malformed(s *wiretest.Site) []wiretest.Refusal {
	task, key := selarti.TaskID(s.Acme.Task.Task), s.Acme.Key("bridge")
	return []wiretest.Refusal{
		refused("too large", key, message(task, "anna", strings.Repeat("x", wiretest.MaxBody)), 413, first(413, "TOO_LARGE")),
		refused("a text too long", key, message(task, "anna", strings.Repeat("x", chat.MaxText+1)), 413, first(413, "TOO_LARGE")),
		refused("cut off", key, message(task, "anna", "x")[:20], 400, first(400, "INVALID_DATA")),
		refused("no text", key, fmt.Sprintf(`{"task_id":%q,"chat_id":"anna"}`, task), 400, first(400, "MISSING_DATA")),
		refused("empty", key, "", 400, first(400, "MISSING_DATA")),
	}
}
