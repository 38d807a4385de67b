package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

func conversationTests() map[string]func(*testing.T, *fixture) {
	return map[string]func(*testing.T, *fixture){
		"a conversation is kept whole and saved whole": conversationWhole,
		"a session is kept whole and saved whole":      sessionWhole,
		"one conversation per client, task and key":    conversationKeys,
		"the share token opens, the empty one does not": func(t *testing.T, f *fixture) {
			f.update(func(tx chat.Tx) error {
				for id, token := range map[chat.ID]string{11: "", 12: "", 13: "secret"} {
					if err := tx.CreateConversation(&chat.Conversation{ID: id, TenantID: ours, ClientID: id, ShareToken: token}); err != nil {
						return err
					}
				}
				return nil
			})
			by := func(token string) func(r chat.Reader) (*chat.Conversation, error) {
				return func(r chat.Reader) (*chat.Conversation, error) { return r.ConversationByShareToken(token) }
			}
			equal(t, "shared", read(f, by("secret")).ID, chat.ID(13))
			f.missing("empty token", func(r chat.Reader) error { _, err := by("")(r); return err })
			f.missing("wrong token", func(r chat.Reader) error { _, err := by("Secret")(r); return err })
		},
		"lists are filtered and paged by id":         conversationLists,
		"lists show the client and the last message": conversationsListed,
		"a client's conversations, the newest first": conversationsOfClient,
	}
}

func wholeConversation() *chat.Conversation {
	return &chat.Conversation{
		ID: 11, TenantID: ours, ClientID: 12, TaskID: task, ChannelID: channel, Key: "an e-mail's subject", ExternalID: "user-1",
		ShareToken: "token", CreatedAt: 13, Seq: 14, Flags: chat.FlagSuccess | chat.FlagIsBot,
		Vars: map[string]any{"city": "Тула", "n": 1.0}, SessionID: 15, Messages: 16, LastAt: 17,
		Owner: chat.Owner{Kind: chat.OwnerOperator, ID: 18}, OwnerSince: 22, LastMessageID: 19, ButtonsID: 20, Unread: 21,
	}
}

func conversationWhole(t *testing.T, f *fixture) {
	c := wholeConversation()
	get := func(r chat.Reader) (*chat.Conversation, error) { return r.Conversation(ours, 11) }
	f.missing("before", func(r chat.Reader) error { _, err := get(r); return err })
	f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.SaveConversation(c) })
	f.update(func(tx chat.Tx) error { return tx.CreateConversation(c) })
	equal(t, "created", read(f, get), c)

	c.Seq, c.Flags, c.Vars, c.SessionID, c.Messages, c.LastAt = 31, 0, map[string]any{}, 0, 32, 33
	c.Owner, c.OwnerSince, c.LastMessageID, c.ButtonsID, c.Unread = chat.Owner{}, 0, 34, 0, 35
	f.update(func(tx chat.Tx) error { return tx.SaveConversation(c) })
	equal(t, "saved", read(f, get), c)

	// The owner comes and goes in one transaction that read the conversation first.
	f.update(func(tx chat.Tx) error {
		stored, err := tx.Conversation(ours, 11)
		if err != nil {
			return err
		}
		for i, owner := range []chat.Owner{{Kind: chat.OwnerQueue}, {Kind: chat.OwnerBot, ID: 4}, {Kind: chat.OwnerBot, ID: 5}} {
			stored.OwnerSince = chat.Micros(i)
			if stored.Owner = owner; tx.SaveConversation(stored) != nil {
				return tx.SaveConversation(stored)
			}
		}
		return nil
	})
	equal(t, "owner", read(f, get).Owner, chat.Owner{Kind: chat.OwnerBot, ID: 5})
	equal(t, "owner's moment", read(f, get).OwnerSince, chat.Micros(2))
}

func sessionWhole(t *testing.T, f *fixture) {
	s := &chat.Session{
		ID: 21, TenantID: ours, ConversationID: 11, UUID: "9a1b…", OpenedAt: 22, ClosedAt: 23,
		Owner: chat.Owner{Kind: chat.OwnerBot, ID: bot}, Version: 24, State: "/order/when", TTL: chat.Duration(time.Hour),
		Tried: []chat.ID{25, 26}, Wish: json.RawMessage(`{"unit":"sales"}`), Result: "sold", Rating: 4, Comment: "добро",
		Livechat: 27, PassedBy: 28,
	}
	get := func(r chat.Reader) (*chat.Session, error) { return r.Session(ours, 21) }
	f.missing("before", func(r chat.Reader) error { _, err := get(r); return err })
	f.refused(chat.CodeNotFound, func(tx chat.Tx) error { return tx.SaveSession(s) })
	f.update(func(tx chat.Tx) error { return tx.CreateSession(s) })
	equal(t, "created", read(f, get), s)

	s.ClosedAt, s.Owner, s.Version, s.State, s.TTL = 0, chat.Owner{Kind: chat.OwnerQueue}, 31, "", 0
	s.Tried, s.Wish, s.Result, s.Rating, s.Comment, s.Livechat, s.PassedBy = nil, nil, "", 0, "", 0, 0
	f.update(func(tx chat.Tx) error { return tx.SaveSession(s) })
	equal(t, "saved", read(f, get), s)
}

func conversationKeys(t *testing.T, f *fixture) {
	first := f.talkOf(ours)
	f.refused(chat.CodeConflict, func(tx chat.Tx) error {
		_, err := newTalk(tx, ours, first.client, "")
		return err
	})
	second := write(f, func(tx chat.Tx) (talk, error) { return newTalk(tx, ours, first.client, "subject") })
	for key, want := range map[string]chat.ID{"": first.conversation, "subject": second.conversation} {
		c := read(f, func(r chat.Reader) (*chat.Conversation, error) {
			return r.ConversationByKey(ours, task, first.client, key)
		})
		equal(t, "under key "+key, c.ID, want)
	}
	f.missing("other key", func(r chat.Reader) error {
		_, err := r.ConversationByKey(ours, task, first.client, "Subject")
		return err
	})
	f.missing("other task", func(r chat.Reader) error {
		_, err := r.ConversationByKey(ours, task+1, first.client, "")
		return err
	})
}

func conversationLists(t *testing.T, f *fixture) {
	queue, operator := chat.Owner{Kind: chat.OwnerQueue}, chat.Owner{Kind: chat.OwnerOperator, ID: 9}
	f.update(func(tx chat.Tx) error {
		for id := chat.ID(1); id <= 12; id++ {
			c := &chat.Conversation{
				ID: id * 10, TenantID: ours, ClientID: id, TaskID: task + id%2, ChannelID: channel + id%3, ExternalID: "even",
				Owner: []chat.Owner{{}, queue, operator, {Kind: chat.OwnerOperator, ID: 8}}[id%4],
			}
			if id%2 == 1 {
				c.ExternalID = "odd"
			}
			if err := tx.CreateClient(&chat.Client{ID: id, TenantID: ours}); err != nil {
				return err
			}
			if err := tx.CreateConversation(c); err != nil {
				return err
			}
		}
		return nil
	})
	cases := map[string]struct {
		filter chat.ConversationFilter
		want   []chat.ID
	}{
		"all":             {chat.ConversationFilter{}, []chat.ID{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120}},
		"first page":      {chat.ConversationFilter{Limit: 3}, []chat.ID{10, 20, 30}},
		"next page":       {chat.ConversationFilter{Limit: 3, After: 30}, []chat.ID{40, 50, 60}},
		"past the end":    {chat.ConversationFilter{Limit: 3, After: 120}, []chat.ID{}},
		"queue":           {chat.ConversationFilter{Owner: queue}, []chat.ID{10, 50, 90}},
		"operators":       {chat.ConversationFilter{Owner: chat.Owner{Kind: chat.OwnerOperator}}, []chat.ID{20, 30, 60, 70, 100, 110}},
		"one operator":    {chat.ConversationFilter{Owner: operator}, []chat.ID{20, 60, 100}},
		"open":            {chat.ConversationFilter{Session: chat.SessionOpen}, []chat.ID{10, 20, 30, 50, 60, 70, 90, 100, 110}},
		"closed":          {chat.ConversationFilter{Session: chat.SessionClosed}, []chat.ID{40, 80, 120}},
		"open, of a task": {chat.ConversationFilter{Session: chat.SessionOpen, TaskID: task, After: 60}, []chat.ID{100}},
		"closed queue":    {chat.ConversationFilter{Session: chat.SessionClosed, Owner: queue}, []chat.ID{}},
		"external id":     {chat.ConversationFilter{ExternalID: "odd"}, []chat.ID{10, 30, 50, 70, 90, 110}},
		"task":            {chat.ConversationFilter{TaskID: task + 1}, []chat.ID{10, 30, 50, 70, 90, 110}},
		"channel":         {chat.ConversationFilter{ChannelID: channel}, []chat.ID{30, 60, 90, 120}},
		"all of it":       {chat.ConversationFilter{ChannelID: channel, TaskID: task, ExternalID: "even", Owner: operator}, []chat.ID{60}},
		"nobody":          {chat.ConversationFilter{Owner: chat.Owner{Kind: chat.OwnerBot}}, []chat.ID{}},
		"page of a queue": {chat.ConversationFilter{Owner: queue, After: 10, Limit: 1}, []chat.ID{50}},
	}
	for name, c := range cases {
		list := read(f, func(r chat.Reader) ([]chat.Listed, error) { return r.Conversations(ours, c.filter) })
		equal(t, name, mapped(list, func(l chat.Listed) chat.ID { return l.ID }), c.want)
	}
}

func conversationsListed(t *testing.T, f *fixture) {
	quiet, loud := f.talkOf(ours), f.talkOf(ours)
	f.say(ours, loud.conversation, "first")
	last := f.say(ours, loud.conversation, "last")
	list := read(f, func(r chat.Reader) ([]chat.Listed, error) { return r.Conversations(ours, chat.ConversationFilter{}) })
	if len(list) != 2 {
		t.Fatalf("%d conversations, want 2", len(list))
	}
	for i, tk := range []talk{quiet, loud} {
		conv := read(f, func(r chat.Reader) (*chat.Conversation, error) { return r.Conversation(ours, tk.conversation) })
		client := read(f, func(r chat.Reader) (*chat.Client, error) { return r.Client(ours, tk.client) })
		equal(t, "conversation", list[i].Conversation, *conv)
		equal(t, "client", list[i].Client, client)
	}
	equal(t, "last message of nothing", list[0].LastMessage, (*chat.Message)(nil))
	equal(t, "last message", list[1].LastMessage, last.Message)
}

func conversationsOfClient(t *testing.T, f *fixture) {
	first := f.talkOf(ours)
	f.talkOf(ours)
	want := []chat.ID{first.conversation}
	for _, key := range []string{"a", "b"} {
		tk := write(f, func(tx chat.Tx) (talk, error) { return newTalk(tx, ours, first.client, key) })
		want = append([]chat.ID{tk.conversation}, want...)
	}
	for _, limit := range []int{1, 2, 3, 9} {
		list := read(f, func(r chat.Reader) ([]chat.Listed, error) { return r.ConversationsOf(ours, first.client, limit) })
		equal(t, "ids", mapped(list, func(l chat.Listed) chat.ID { return l.ID }), want[:min(limit, 3)])
	}
}
