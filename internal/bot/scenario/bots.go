package scenario

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// Bots answers for every scenario bot of the installation. A bot's file comes
// with the settings; a changed one is parsed at its next question.
type Bots struct {
	http   Doer
	typing func(tenant, conversation chat.ID, who chat.Author)
	log    *slog.Logger

	mu     sync.Mutex
	parsed map[chat.ID]parsedFile
}

type parsedFile struct {
	sum      [sha256.Size]byte
	scenario *Scenario
}

// NewBots makes the bots. Their calls go through http; typing is told while
// one thinks.
func NewBots(http Doer, typing func(tenant, conversation chat.ID, who chat.Author), log *slog.Logger) *Bots {
	return &Bots{http: http, typing: typing, log: log, parsed: map[chat.ID]parsedFile{}}
}

// Turn answers one question. It runs outside any transaction; what it returns
// is carried out by chat.Service.Answer, which checks that the bot still owns
// the session. An error means that the bot failed.
func (b *Bots) Turn(ctx context.Context, w *chat.Work) (chat.Answer, error) {
	sc, err := b.scenario(w.Endpoint.Bot)
	if err != nil {
		return chat.Answer{}, err
	}
	in, err := input(w)
	if err != nil {
		return chat.Answer{}, err
	}
	typing := func() { b.typing(w.Lane.TenantID, w.Lane.ConversationID, chat.AuthorBot) }
	out, err := sc.Turn(ctx, in, Effects{
		HTTP: typingDoer{b.http, typing}, Key: w.WebhookID(),
		Sleep: func(ctx context.Context, d time.Duration) error {
			typing()
			return sleep(ctx, d)
		},
	})
	if err != nil {
		return chat.Answer{}, err
	}
	for _, note := range out.Notes {
		b.log.Warn("scenario.note", "bot", w.Endpoint.Name, "conversation", w.Lane.ConversationID, "note", note)
	}
	return answer(w, out)
}

// scenario returns the parsed file of a bot.
func (b *Bots) scenario(bot *chat.Bot) (*Scenario, error) {
	sum := sha256.Sum256([]byte(bot.Scenario))
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.parsed[bot.ID]; ok && known.sum == sum {
		return known.scenario, nil
	}
	sc, err := Parse(bot.File, []byte(bot.Scenario))
	if err != nil {
		return nil, err
	}
	b.parsed[bot.ID] = parsedFile{sum, sc}
	return sc, nil
}

// input is what the engine sees of a question.
func input(w *chat.Work) (Input, error) {
	asked := &w.Asked
	client := maps.Clone(w.Client.Metadata)
	if client == nil {
		client = map[string]any{}
	}
	for k, v := range w.Client.Profile {
		client[k] = v
	}
	in := Input{
		State: w.Session.State, Vars: w.Conversation.Vars, Client: client, Now: asked.At.Time(),
		Session: map[string]any{
			"id": w.Session.UUID, "new": asked.Data.NewSession, "opened_at": w.Session.OpenedAt.Time(),
			"client_id": w.Conversation.ExternalID, "flags": w.Conversation.Flags.Names(),
			"livechat": w.Session.Livechat != 0, "operator_said": w.OperatorSaid,
		},
	}
	if asked.Message != nil {
		in.Text = asked.Message.Content.Text
	} else {
		in.Event = asked.Data.Name
	}
	var err error
	if len(asked.Data.Payload) > 0 {
		if in.Data, err = decodeJSON(asked.Data.Payload); err != nil {
			return Input{}, fmt.Errorf("the data of the question: %w", err)
		}
	}
	in.Data, err = withHeaders(in.Data, asked.Data.Headers)
	return in, err
}

// withHeaders adds the headers of the call that asked, as data.requestHeaders
// (specs/chatapi.md §2.1), unless the caller's data is no object or has some.
func withHeaders(data any, headers json.RawMessage) (any, error) {
	fields, object := data.(map[string]any)
	if len(headers) == 0 || data != nil && !object {
		return data, nil
	}
	if _, given := fields["requestHeaders"]; given {
		return data, nil
	}
	known, err := decodeJSON(headers)
	if err != nil {
		return nil, fmt.Errorf("the headers of the question: %w", err)
	}
	if fields == nil {
		fields = map[string]any{}
	}
	fields["requestHeaders"] = known
	return fields, nil
}

// answer is what the core must do about an outcome.
func answer(w *chat.Work, out Outcome) (chat.Answer, error) {
	a := chat.Answer{
		ConversationID: w.Lane.ConversationID, Question: w.Asked.Seq, Version: w.Entry.Version,
		Class: out.Class, Confidence: out.Confidence, State: out.State, Close: out.Close,
	}
	if out.Silent {
		a.State = w.Session.State
		return a, nil
	}
	a.Vars = changedVars(w.Conversation.Vars, out.Vars)
	a.Profile = profile(out.Client)
	for _, name := range out.Flags {
		if flag, ok := chat.FlagByName(name); ok {
			a.Flags = append(a.Flags, flag)
		}
	}
	var err error
	if a.Messages, a.Late, err = contents(out); err != nil {
		return chat.Answer{}, err
	}
	if h := out.Handover; h != nil {
		a.Handover = &chat.Handover{Skills: h.Skills, Units: h.Units, Users: h.Users}
		if len(h.Switch) > 0 {
			a.Handover.Switch, err = json.Marshal(h.Switch)
		}
	}
	return a, err
}

// changedVars is the whole new set of variables, nil when nothing changed.
func changedVars(old, set map[string]any) map[string]any {
	if len(set) == 0 {
		return nil
	}
	vars := maps.Clone(old)
	if vars == nil {
		vars = map[string]any{}
	}
	for k, v := range set {
		if v == nil {
			delete(vars, k)
			continue
		}
		vars[k] = v
	}
	return vars
}

// profile turns what a state sets into the texts a profile keeps.
func profile(set map[string]any) map[string]string {
	fields := map[string]string{}
	for k, v := range set {
		if v != nil {
			fields[k] = textOf(v)
		}
	}
	return fields
}

// typingDoer shows that somebody types while a call runs.
type typingDoer struct {
	Doer
	typing func()
}

// Do implements Doer.
func (d typingDoer) Do(req *http.Request) (*http.Response, error) {
	d.typing()
	return d.Doer.Do(req)
}

// sleep waits, or ends early with the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
