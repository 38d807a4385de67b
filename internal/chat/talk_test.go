package chat_test

import (
	"fmt"

	"github.com/tolmach/tolmach/internal/chat"
)

// The cast of acme, each as the actor that package auth would make of it.

func (w *world) system() chat.Actor { return chat.SystemActor(w.tenant) }

func (w *world) operator(login string) chat.Actor {
	o := w.Catalog().OperatorByLogin(login)
	return chat.Actor{Kind: chat.ActorOperator, TenantID: o.TenantID, ID: o.ID, Name: o.DisplayName(), Role: o.Role}
}

// bridge is the API key that messages come through.
func (w *world) bridge() chat.Actor { return w.key("k-bridge") }

func (w *world) key(key string) chat.Actor {
	k := w.Catalog().APIKeyByHash(chat.HashToken(key))
	return chat.Actor{Kind: chat.ActorAPIKey, TenantID: k.TenantID, ID: k.ID, Name: k.Name, Scopes: k.Scopes}
}

func (w *world) channel(token string) chat.Actor {
	c := w.Catalog().ChannelByToken(token)
	return chat.Actor{Kind: chat.ActorChannel, TenantID: c.TenantID, ID: c.ID, Name: c.Name}
}

func (w *world) bot(name string) chat.Actor {
	for _, b := range w.Catalog().Bots() {
		if b.TenantID == w.tenant && b.Name == name {
			return chat.Actor{Kind: chat.ActorBot, TenantID: b.TenantID, ID: b.ID, Name: name}
		}
	}
	return chat.Actor{}
}

func (w *world) task(name string) *chat.BoundTask {
	for _, t := range w.Catalog().Tasks(w.tenant) {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (w *world) endpoint(name string) chat.Endpoint {
	for _, e := range w.Catalog().Endpoints() {
		if e.TenantID == w.tenant && e.Name == name {
			return e
		}
	}
	return chat.Endpoint{}
}

// talk is one client's conversation, seen from all sides.
type talk struct {
	*world
	t      tester
	task   string
	client string // its id in the caller's system
	key    string // of the conversation
	id     chat.ID
}

// talk starts with a client that nobody knows yet.
func (w *world) talk(t tester, task string) *talk {
	return &talk{world: w, t: t, task: task, client: fmt.Sprint("client-", w.clients.Add(1))}
}

// incoming is where the client's messages go.
func (k *talk) incoming() chat.Incoming {
	return chat.Incoming{TaskID: k.world.task(k.task).ID, ExternalID: k.client, ConversationKey: k.key}
}

// send sends a client's message as the bridge.
func (k *talk) send(m chat.ClientMessage) (chat.Accepted, error) {
	k.t.Helper()
	in := k.incoming()
	in.Key, in.Profile, in.Metadata = m.Key, m.Profile, m.Metadata
	m.Incoming = in
	a, err := k.ClientMessage(k.ctx, k.bridge(), m)
	if err == nil {
		k.id = a.ConversationID
	}
	return a, err
}

// says must work.
func (k *talk) says(text string) chat.Accepted {
	k.t.Helper()
	a, err := k.send(chat.ClientMessage{Content: chat.Content{Text: text}})
	k.must(err)
	return a
}

// question is the latest entry that a bot was asked by.
func (k *talk) question() chat.Entry {
	k.t.Helper()
	log := k.log()
	for i := len(log) - 1; i >= 0; i-- {
		if log[i].BotID != 0 {
			return log[i]
		}
	}
	k.t.Fatalf("nobody was asked anything:\n%v", k.story())
	return chat.Entry{}
}

// reply answers the latest question as the bot that was asked it.
func (k *talk) reply(a chat.Answer) error {
	k.t.Helper()
	return k.replyTo(k.question(), a)
}

// replyTo answers a question under the version it was asked under.
func (k *talk) replyTo(q chat.Entry, a chat.Answer) error {
	a.ConversationID, a.Question, a.Version = k.id, q.Seq, q.Version
	if q.Kind == chat.EventOwnerChanged {
		a.Question = q.Data.Question
	}
	_, err := k.Answer(k.ctx, chat.Actor{Kind: chat.ActorBot, TenantID: q.TenantID, ID: q.BotID}, a)
	return err
}

// hears is a bot's plain answer, which must work.
func (k *talk) hears(texts ...string) {
	k.t.Helper()
	k.must(k.reply(chat.Answer{Messages: said(texts...)}))
}

func said(texts ...string) []chat.Content {
	var list []chat.Content
	for _, text := range texts {
		list = append(list, chat.Content{Text: text})
	}
	return list
}

// writes is a message of an operator, which must work.
func (k *talk) writes(login, text string) chat.Accepted {
	k.t.Helper()
	a, err := k.OperatorMessage(k.ctx, k.operator(login), chat.OperatorMessage{ConversationID: k.id, Content: chat.Content{Text: text}})
	k.must(err)
	return a
}

// takes makes an operator the owner, which must work.
func (k *talk) takes(login string) {
	k.t.Helper()
	_, err := k.Take(k.ctx, k.operator(login), k.id)
	k.must(err)
}

// handsOver lets the bot that was asked last give the session to people.
func (k *talk) handsOver() {
	k.t.Helper()
	k.must(k.reply(chat.Answer{Handover: &chat.Handover{}}))
}

func (k *talk) closes(login string) {
	k.t.Helper()
	_, err := k.Close(k.ctx, k.operator(login), k.id, "")
	k.must(err)
}

// flags sets and clears flags as the bridge, which must work.
func (k *talk) flags(flags map[string]bool) {
	k.t.Helper()
	_, err := k.SetFlags(k.ctx, k.bridge(), k.id, flags)
	k.must(err)
}

func (k *talk) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatalf("%v", err)
	}
}

// conv is the conversation as it is now.
func (k *talk) conv() chat.Listed {
	k.t.Helper()
	c, err := k.Conversation(k.ctx, k.system(), k.id)
	k.must(err)
	return c
}

// session is the open session, nil when there is none.
func (k *talk) session() *chat.Session {
	k.t.Helper()
	id := k.conv().SessionID
	if id == 0 {
		return nil
	}
	var s *chat.Session
	k.must(k.store.View(k.ctx, func(r chat.Reader) (err error) {
		s, err = r.Session(k.tenant, id)
		return err
	}))
	return s
}

// log is the whole log.
func (k *talk) log() []chat.Entry {
	k.t.Helper()
	if k.id == 0 {
		return nil
	}
	var log []chat.Entry
	for {
		page, err := k.Events(k.ctx, k.system(), k.id, int64(len(log)), 0)
		k.must(err)
		if len(page) == 0 {
			return log
		}
		log = append(log, page...)
	}
}
