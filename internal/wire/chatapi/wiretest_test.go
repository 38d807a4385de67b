package chatapi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/wire/chatapi"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

// The three ways in which apps use the Chat API: ask and hear by /events, ask
// and wait, ask and be told by the webhook.
func TestScenarios(t *testing.T) {
	for name, way := range map[string]api{
		"async and events":  {path: "/async"},
		"sync and events":   {wiretest.Traits{Echo: true, Sync: true}, "", false},
		"async and webhook": {path: "/async", hooked: true},
	} {
		if !way.hooked {
			way.traits.Echo = true
		}
		t.Run(name, func(t *testing.T) { wiretest.Play(t, way) })
	}
}

// api is one way of using the dialect.
type api struct {
	traits wiretest.Traits
	path   string // of sending, under the token
	hooked bool
}

func (w api) Traits() wiretest.Traits { return w.traits }

func (w api) Equip(company *chat.Setup, hooks string) {
	company.Integrations, company.Tasks[0].Integrations = nil, nil
	company.Channels[0].Kind, company.Channels[0].Token = chat.ChannelChatAPI, token(company.Tenant)
	if w.hooked {
		company.Channels[0].WebhookURL = hooks
	}
}

// token is a company's, in the vendor's form.
func token(tenant string) string { return "AbCdEfGh:" + tenant }

func (api) Formats(s *wiretest.Site) map[string]delivery.Format {
	return map[string]delivery.Format{
		chat.FormatChatAPI: &chatapi.Format{Catalog: func() *chat.Catalog { return s.Catalog() }},
	}
}

func (api) Serve(s *wiretest.Site, mux *http.ServeMux) error {
	chatapi.New(chatapi.Options{
		Service: s.Service, MaxBody: wiretest.MaxBody, Now: time.Now, Stopping: s.Stopping, Log: slog.New(slog.DiscardHandler),
	}).Register(mux)
	return nil
}

// Decode takes the envelopes of the webhook.
func (api) Decode(body []byte) ([]wiretest.Heard, error) {
	var envelopes []envelope
	if err := json.Unmarshal(body, &envelopes); err != nil {
		return nil, err
	}
	var heard []wiretest.Heard
	for _, e := range envelopes {
		author := chat.AuthorBot
		if e.Operator != nil {
			author = chat.AuthorOperator
		}
		heard = append(heard, e.heard(author)...)
	}
	return heard, nil
}

// envelope is what the tests read of an answer or a request.
type envelope struct {
	Token, ClientID, QuestionID, Query, Timestamp string

	Data struct {
		Replies []struct{ Type, Text string }
	}
	Operator *struct{ Name string }
}

// texts are the replies that are shown as text.
func (e *envelope) texts() []string {
	texts := []string{}
	for _, r := range e.Data.Replies {
		if r.Type == "text" {
			texts = append(texts, r.Text)
		}
	}
	return texts
}

// heard are the lines of an answer. Apps tell repetitions by questionId.
func (e *envelope) heard(author chat.Author) []wiretest.Heard {
	var heard []wiretest.Heard
	for i, text := range e.texts() {
		heard = append(heard, wiretest.Heard{
			Client: e.ClientID, ID: fmt.Sprintf("answer %s %d", e.QuestionID, i), Line: wiretest.Line(author, text),
		})
	}
	return heard
}

func (w api) App(s *wiretest.Site, client string) wiretest.App {
	sayer := sayer{site: s, client: client, path: "/chatapi/" + token("acme") + w.path}
	if w.hooked {
		return &hooked{sayer, wiretest.HookedApp{Site: s, Client: client}}
	}
	p := &poller{sayer: sayer, shown: wiretest.NewTranscript()}
	p.listen(false)
	s.T.Cleanup(p.Leave)
	return p
}

// hooked is an app whose back end has the webhook.
type hooked struct {
	sayer
	wiretest.HookedApp
}

// sayer is the sending half of an app.
type sayer struct {
	site         *wiretest.Site
	client, path string
}

// Say asks. The key is the questionId.
func (a *sayer) Say(text, key string) (wiretest.Receipt, error) {
	answer, err := a.site.Call(a.site.T.Context(), wiretest.Ask{Method: "POST", Path: a.path, Body: question(a.client, text, key)})
	if err != nil {
		return wiretest.Receipt{}, err
	}
	var e envelope
	if err := answer.Took(&e); err != nil {
		return wiretest.Receipt{}, err
	}
	return wiretest.Receipt{ID: e.QuestionID, Replies: e.texts()}, nil
}

func question(client, text, key string) string {
	fields := map[string]string{"clientId": client, "query": text}
	if key != "" {
		fields["questionId"] = key
	}
	body, err := json.Marshal(fields)
	if err != nil { // a map of texts always encodes
		return err.Error()
	}
	return string(body)
}

// says is the body of an error (specs/chatapi.md §10).
func says(status int, message string) map[string]any {
	fields := map[string]any{"status": float64(status), "error": http.StatusText(status)}
	if message != "" {
		fields["message"] = message
	}
	return fields
}

func (w api) Denied(_ *wiretest.Site, client string, r wiretest.Receipt) []wiretest.Refusal {
	unknown := says(404, "ChannelChat config not found for token nope and channel CHATAPI")
	status := func(token string) string {
		return "/chatapi/" + token + "/client/" + client + "/message/" + url.PathEscape(r.ID) + "/status"
	}
	rival := token("rival")
	return []wiretest.Refusal{
		{Name: "an unknown token asks", Status: 404, Says: unknown, Ask: wiretest.Ask{Method: "POST", Path: "/chatapi/nope" + w.path, Body: question(client, "let me in", "")}},
		{Name: "an unknown token polls", Status: 404, Says: unknown, Ask: wiretest.Ask{Path: "/chatapi/nope/events", Query: "clientId=" + client}},
		{Name: "an unknown token reads history", Status: 404, Says: unknown, Ask: wiretest.Ask{Path: "/chatapi/nope/client/" + client + "/history"}},
		{Name: "another company reads a status", Status: 404, Says: says(404, ""), Ask: wiretest.Ask{Path: status(rival)}},
		{Name: "another company sets a status", Status: 404, Says: says(404, ""), Ask: wiretest.Ask{Method: "POST", Path: status(rival), Body: `{"status":"READ"}`}},
		{Name: "another company reads history", Status: 200, Says: map[string]any{"events": []any{}}, Ask: wiretest.Ask{Path: "/chatapi/" + rival + "/client/" + client + "/history"}},
		{Name: "another company counts", Status: 200, Says: map[string]any{"count": 0.0}, Ask: wiretest.Ask{Path: "/chatapi/" + rival + "/client/" + client + "/message-not-read-count"}},
	}
}

func (w api) Malformed(*wiretest.Site) []wiretest.Refusal {
	ask := func(name, body string, status int) wiretest.Refusal {
		return wiretest.Refusal{
			Name: name, Status: status, Says: says(status, ""),
			Ask: wiretest.Ask{Method: "POST", Path: "/chatapi/" + token("acme") + w.path, Body: body},
		}
	}
	return []wiretest.Refusal{
		ask("too large", question("anna", strings.Repeat("x", wiretest.MaxBody), ""), 413),
		ask("a text too long", question("anna", strings.Repeat("x", chat.MaxText+1), ""), 413),
		ask("cut off", question("anna", "x", "")[:12], 400),
		ask("neither query nor event", `{"clientId":"anna"}`, 400),
		ask("no client", `{"query":"x"}`, 400),
		ask("empty", "", 400),
	}
}
