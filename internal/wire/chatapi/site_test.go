package chatapi_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/chatapi"
	"github.com/tolmach/tolmach/internal/wire/inbound"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

const (
	maxBody = 256 << 10
	mine    = "AbCdEfGh:0123456789abcdef0123456789abcdef01234567" // acme's token
	rivals  = "ZyXwVuTs:fedcba9876543210fedcba9876543210fedcba98"
	at      = "/chatapi/" + mine
)

// site is the dialect served over a world. Its bot is the test.
type site struct {
	*wiretest.World
	http.Handler
	stop context.CancelFunc // the server begins to stop
}

// newSite serves acme's and rival's channels. Answers are waited for for as long
// as it takes, and polls are answered at once, unless edits say otherwise.
func newSite(t testing.TB, edits ...func(*chat.Channel)) *site {
	t.Helper()
	w := wiretest.New(t, func(s *chat.Setup) {
		c := channel("app", mine)
		for _, edit := range edits {
			edit(&c)
		}
		off := channel("off", "off")
		s.Channels = append(s.Channels, c, off, channel("lonely", "lonely"))
		s.Tasks = append(s.Tasks,
			chat.Task{Name: "app", Channel: "app", Bot: "demo"},
			chat.Task{Name: "off", Channel: "off", Bot: "demo", Status: chat.TaskStopped})
	})
	w.Apply(chat.Setup{
		Tenant: "rival", Channels: []chat.Channel{channel("app", rivals)},
		Bots:  []chat.Bot{{Name: "other", Kind: chat.BotScenario, Scenario: "states: []"}},
		Tasks: []chat.Task{{Name: "app", Channel: "app", Bot: "other"}},
	})
	stopping, stop := context.WithCancel(t.Context())
	d := chatapi.New(chatapi.Options{Service: w.Service, MaxBody: maxBody, Now: w.Clock.Now, Stopping: stopping, Log: w.Log.Logger()})
	mux := http.NewServeMux()
	d.Register(mux)
	calls := inbound.New(w.Log.Logger(), w.Clock.Now, func(*http.Request) string { return "192.0.2.1" }, nil)
	return &site{World: w, Handler: calls.Middleware(mux), stop: stop}
}

func channel(name, token string) chat.Channel {
	long, none := chat.Duration(10*time.Minute), chat.Duration(0)
	return chat.Channel{Name: name, Kind: chat.ChannelChatAPI, Token: token, SyncTimeout: &long, PollCeiling: &none}
}

// do asks a method below acme's token.
func (s *site) do(method, path, body string) wiretest.Answer {
	s.T.Helper()
	return wiretest.Ask{Method: method, Path: at + path, Body: body}.Do(s.T, s)
}

// caller is who holds a token.
func (s *site) caller(token string) chat.Actor {
	c := s.Catalog().ChannelByToken(token)
	return chat.Actor{Kind: chat.ActorChannel, TenantID: c.TenantID, ID: c.ID, Name: c.Name}
}

// seen is all that a client's events are now.
func (s *site) seen(token, client string, wait time.Duration, from chat.Micros) []chat.Envelope {
	found, err := s.Poll(s.T.Context(), s.caller(token), chat.Poll{ExternalID: client, All: true, Since: true, From: from, Wait: wait})
	if err != nil {
		s.T.Error(err)
	}
	return found.Envelopes
}

// bot answers a client's next question, once it comes; what it returns waits for
// that to be done.
func (s *site) bot(token, client string, answer chat.Answer) (done func()) {
	s.T.Helper()
	from := chat.Micros(0)
	for _, e := range s.seen(token, client, 0, 0) {
		from = e.Entries[len(e.Entries)-1].At + 1
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, e := range s.seen(token, client, time.Minute, from) {
			if e.Type == chat.EnvelopeRequest {
				s.reply(e.Head(), answer)
			}
		}
	}()
	return func() { <-ended }
}

// reply is the bot's answer to a question.
func (s *site) reply(q *chat.Entry, answer chat.Answer) {
	answer.ConversationID, answer.Question, answer.Version = q.ConversationID, q.Seq, q.Version
	if _, err := s.Answer(s.T.Context(), chat.Actor{Kind: chat.ActorBot, TenantID: q.TenantID, ID: q.BotID}, answer); err != nil {
		s.T.Error(err)
	}
}

// hi is an answer of one text.
var hi = chat.Answer{Messages: []chat.Content{{Text: "Hi!", State: "/Hello"}}, Class: "/Hello", Confidence: 1}

// ask asks acme a question that the bot answers.
func (s *site) ask(client, body string, answer chat.Answer) wiretest.Answer {
	s.T.Helper()
	defer s.bot(mine, client, answer)()
	return s.do("POST", "", body)
}

// later asks a question without waiting and lets the bot answer it; it returns
// the question's id.
func (s *site) later(client, body string, answer chat.Answer) string {
	s.T.Helper()
	done := s.bot(mine, client, answer)
	id, _ := s.do("POST", "/async", body).Must(200).At("questionId").(string)
	done()
	return id
}

// last is the latest of a client's questions.
func (s *site) last(client string) *chat.Entry {
	s.T.Helper()
	list := s.seen(mine, client, 0, 0)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Type == chat.EnvelopeRequest {
			return list[i].Head()
		}
	}
	s.T.Fatalf("%s has asked nothing", client)
	return nil
}

// operator writes to a client, who has asked something before.
func (s *site) operator(client, text string) {
	s.T.Helper()
	o := s.Catalog().OperatorByLogin(s.Acme.Login("ann"))
	_, err := s.OperatorMessage(s.T.Context(), chat.Actor{Kind: chat.ActorOperator, TenantID: o.TenantID, ID: o.ID, Name: o.DisplayName(), Role: o.Role},
		chat.OperatorMessage{ConversationID: s.last(client).ConversationID, Content: chat.Content{Text: text}})
	if err != nil {
		s.T.Fatal(err)
	}
}

// escaped is an id as a client writes it into a path.
func escaped(id string) string { return url.PathEscape(id) }
