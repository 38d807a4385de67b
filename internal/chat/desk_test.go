package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestNotes are in the log, and nothing else follows from them.
func TestNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	before, asked := k.conv(), w.woken.of(w.endpoint("demo").ID)
	e, err := w.AddNote(w.ctx, w.operator("ann"), k.id, "he is a friend")
	k.must(err)
	if e.Kind != chat.EventNoteAdded || e.Data.Note != "he is a friend" || e.Author != chat.AuthorOperator || e.AuthorID != w.operator("ann").ID || e.BotID != 0 {
		t.Errorf("the note is %+v", e)
	}
	after := k.conv()
	if after.Seq != before.Seq+1 || after.Owner != before.Owner || after.Messages != before.Messages || after.Unread != before.Unread {
		t.Errorf("a note changed %+v to %+v", before.Conversation, after.Conversation)
	}
	if w.woken.of(w.endpoint("demo").ID) != asked {
		t.Error("a note woke the bot")
	}
	k.closes("ann")
	_, err = w.AddNote(w.ctx, w.bridge(), k.id, "later")
	k.must(err)
	if k.session() != nil {
		t.Error("a note opened a session")
	}
	for text, code := range map[string]chat.Code{"": chat.CodeMissing, " \n": chat.CodeMissing, strings.Repeat("x", 4001): chat.CodeTooLarge} {
		_, err := w.AddNote(w.ctx, w.operator("ann"), k.id, text)
		wantCode(t, err, code)
	}
}

// TestNotesGoWhereTheyAreAskedFor: to no webhook but one of their kind.
func TestNotesGoWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) {
		s.Integrations = append(s.Integrations, chat.Integration{Name: "notes", Format: "native", URL: "http://127.0.0.1:1/", Events: []string{"note.added"}})
		s.Tasks[0].Integrations = append(s.Tasks[0].Integrations, "notes")
	})
	k := w.talk(t, "shop")
	k.says("hello")
	all := w.woken.of(w.endpoint("all").ID)
	_, err := w.AddNote(w.ctx, w.operator("ann"), k.id, "note")
	k.must(err)
	if w.woken.of(w.endpoint("all").ID) != all || w.woken.of(w.endpoint("notes").ID) != 1 {
		t.Error("the note went to the wrong webhook")
	}
}

// TestMarkRead: unread falls to what came after, and never rises.
func TestMarkRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "desk")
	var seqs []int64
	for range 4 {
		seqs = append(seqs, k.says("hello").Seq)
	}
	read := func(seq, unread int64, told bool) {
		t.Helper()
		before := k.conv().Seq
		c, err := w.MarkRead(w.ctx, w.operator("ann"), k.id, seq)
		k.must(err)
		if c.Unread != unread || k.conv().Unread != unread {
			t.Errorf("read to %d: %d unread, want %d", seq, k.conv().Unread, unread)
		}
		log := k.log()
		last := log[len(log)-1]
		switch {
		case !told && last.Seq != before:
			t.Errorf("read to %d: nothing changed, and the log tells %+v", seq, last.Event)
		case told && (last.Seq != before+1 || last.Kind != chat.EventMessageStatus || last.Data.Status != chat.StatusRead ||
			last.Data.Through != min(seq, before) || last.MessageID != 0 || last.AuthorID != w.operator("ann").ID):
			t.Errorf("read to %d: the log tells %+v", seq, last.Event)
		}
	}
	read(0, 4, false)
	read(seqs[1], 2, true)
	read(seqs[1], 2, false)
	read(seqs[0], 2, false)
	read(1<<50, 0, true)
	read(1<<50, 0, false)
	k.says("again")
	read(seqs[3], 1, false)
	k.writes("ann", "hi")
	read(seqs[0], 0, false)
}

// TestCannedReplies belong to somebody, or to everybody.
func TestCannedReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, bob, sue, rival := w.operator("ann"), w.operator("bob"), w.operator("sue"), w.operator("ann-rival")
	add := func(a chat.Actor, in chat.CannedEdit, code chat.Code) chat.ID {
		t.Helper()
		c, err := w.AddCannedReply(w.ctx, a, in)
		wantCode(t, err, code)
		if err != nil {
			return 0
		}
		return c.ID
	}
	list := func(a chat.Actor) (names []string) {
		t.Helper()
		all, err := w.CannedReplies(w.ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			names = append(names, c.Shortcut+"="+c.Text)
		}
		return names
	}
	own := add(ann, chat.CannedEdit{Shortcut: " hi ", Text: "Hello"}, "")
	shared := add(sue, chat.CannedEdit{Shortcut: "hi", Text: "Good day", Shared: true}, "")
	add(bob, chat.CannedEdit{Shortcut: "hi", Text: "Hey"}, "")
	for name, tt := range map[string]struct {
		actor chat.Actor
		in    chat.CannedEdit
		code  chat.Code
	}{
		"the same shortcut":     {ann, chat.CannedEdit{Shortcut: "hi", Text: "x"}, chat.CodeConflict},
		"the same shared one":   {w.operator("root"), chat.CannedEdit{Shortcut: "hi", Text: "x", Shared: true}, chat.CodeConflict},
		"shared by an operator": {ann, chat.CannedEdit{Shortcut: "a", Text: "x", Shared: true}, chat.CodeForbidden},
		"by an API key":         {w.bridge(), chat.CannedEdit{Shortcut: "a", Text: "x"}, chat.CodeForbidden},
		"no shortcut":           {ann, chat.CannedEdit{Shortcut: " ", Text: "x"}, chat.CodeMissing},
		"no text":               {ann, chat.CannedEdit{Shortcut: "a", Text: "\n"}, chat.CodeMissing},
		"a long shortcut":       {ann, chat.CannedEdit{Shortcut: strings.Repeat("x", 65), Text: "x"}, chat.CodeTooLarge},
		"a long text":           {ann, chat.CannedEdit{Shortcut: "a", Text: strings.Repeat("x", 64<<10+1)}, chat.CodeTooLarge},
	} {
		t.Run(name, func(t *testing.T) { add(tt.actor, tt.in, tt.code) })
	}
	if got, want := list(ann), []string{"hi=Hello", "hi=Good day"}; !slices.Equal(got, want) {
		t.Errorf("ann has %v, want %v", got, want)
	}
	if got, want := list(w.bridge()), []string{"hi=Good day"}; !slices.Equal(got, want) {
		t.Errorf("an API key sees %v, want %v", got, want)
	}
	if got := list(rival); len(got) != 0 {
		t.Errorf("a stranger sees %v", got)
	}
	edit := chat.CannedEdit{Shortcut: "hi", Text: "Changed"}
	for who, tt := range map[string]struct {
		actor chat.Actor
		id    chat.ID
		code  chat.Code
	}{
		"a colleague's own": {bob, own, chat.CodeNotFound}, "everybody's": {bob, shared, chat.CodeForbidden}, "a stranger's": {rival, own, chat.CodeNotFound},
	} {
		_, err := w.ChangeCannedReply(w.ctx, tt.actor, tt.id, edit)
		wantCode(t, err, tt.code)
		if err := w.DeleteCannedReply(w.ctx, tt.actor, tt.id); chat.ErrorCode(err) != tt.code {
			t.Errorf("deleting %s: %v", who, err)
		}
	}
	if _, err := w.ChangeCannedReply(w.ctx, ann, own, edit); err != nil {
		t.Error(err)
	}
	if err := w.DeleteCannedReply(w.ctx, sue, shared); err != nil {
		t.Error(err)
	}
	if got, want := list(ann), []string{"hi=Changed"}; !slices.Equal(got, want) {
		t.Errorf("ann has %v, want %v", got, want)
	}
}

// TestCannedRepliesAreBounded per company.
func TestCannedRepliesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.store.Update(w.ctx, chat.PriorityNormal, func(tx chat.Tx) error {
		for i := range chat.MaxCanned {
			id, err := tx.NextID()
			if err != nil {
				return err
			}
			if err := tx.AddCannedReply(&chat.CannedReply{ID: id, TenantID: w.tenant, OperatorID: 1, Shortcut: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.AddCannedReply(w.ctx, w.operator("ann"), chat.CannedEdit{Shortcut: "one more", Text: "x"})
	wantCode(t, err, chat.CodeTooLarge)
	if _, err = w.AddCannedReply(w.ctx, w.operator("ann-rival"), chat.CannedEdit{Shortcut: "one more", Text: "x"}); err != nil {
		t.Errorf("another company: %v", err)
	}
}

// TestClientCard shows a client and lets colleagues correct him.
func TestClientCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	_, err := k.send(chat.ClientMessage{
		Incoming: chat.Incoming{Profile: map[string]string{"name": "Anna", "phone": "1"}}, Content: chat.Content{Text: "hi"},
	})
	k.must(err)
	again := &talk{world: w, t: t, task: "shop", client: k.client, key: "another"}
	again.says("hi")
	client := k.conv().ClientID
	card, err := w.ClientCard(w.ctx, w.operator("ann"), client)
	k.must(err)
	messenger := w.Catalog().ChannelByToken("messenger").ID
	if !slices.Equal(card.ExternalIDs, []chat.ExternalID{{Scope: messenger, ExternalID: k.client}}) || card.Client.Title() != "Anna" ||
		len(card.Conversations) != 2 || card.Conversations[0].ID != again.id || card.Conversations[1].ID != k.id {
		t.Errorf("the card is %+v", card)
	}
	edited, err := w.EditClient(w.ctx, w.operator("ann"), client, k.id, map[string]string{"name": "Anna Petrova", "phone": "", "unknown": ""})
	k.must(err)
	last := k.log()[k.conv().Seq-1]
	if edited.Title() != "Anna Petrova" || edited.Profile["phone"] != "" || last.Kind != chat.EventClientChanged ||
		last.Data.Title != "Anna Petrova" || last.Data.Contacts != "" || last.AuthorID != w.operator("ann").ID {
		t.Errorf("the client is %+v, the log tells %+v", edited, last.Event)
	}
	seq := k.conv().Seq
	_, err = w.EditClient(w.ctx, w.operator("ann"), client, k.id, map[string]string{"name": "Anna Petrova"})
	k.must(err)
	if k.conv().Seq != seq {
		t.Error("the log tells of no change")
	}
	stranger := w.talk(t, "shop")
	stranger.says("hi")
	many := map[string]string{}
	for i := range chat.MaxProfileFields {
		many[fmt.Sprint(i)] = "x"
	}
	for field, do := range map[string]func() error{
		"conversation": func() error {
			_, err := w.EditClient(w.ctx, w.operator("ann"), client, stranger.id, map[string]string{"name": "x"})
			return err
		},
		"profile": func() error { _, err := w.EditClient(w.ctx, w.operator("ann"), client, k.id, many); return err },
	} {
		if err := do(); chat.ErrorField(err) != field {
			t.Errorf("%v, want the field %s", err, field)
		}
	}
}

// TestSearch looks at names, contacts, ids and the last message, whatever the
// case, and at a bounded number of conversations.
func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []chat.ID
	for i, m := range []chat.ClientMessage{
		{Incoming: chat.Incoming{Profile: map[string]string{"name": "Анна ПЕТРОВА"}}, Content: chat.Content{Text: "one"}},
		{Incoming: chat.Incoming{Profile: map[string]string{"phone": "+7 900"}}, Content: chat.Content{Text: "Ёлка"}},
		{Content: chat.Content{Text: "three"}},
	} {
		k := w.talk(t, []string{"shop", "app", "desk"}[i])
		_, err := k.send(m)
		k.must(err)
		all = append(all, k.id)
		if i > 0 {
			k.flags(map[string]bool{"interest": true, "success": i == 2})
		}
	}
	for name, tt := range map[string]struct {
		f    chat.ConversationSearch
		want []chat.ID
	}{
		"all":             {chat.ConversationSearch{}, all},
		"a name":          {chat.ConversationSearch{Text: "петров"}, all[:1]},
		"contacts":        {chat.ConversationSearch{Text: "7 900"}, all[1:2]},
		"an external id":  {chat.ConversationSearch{Text: "CLIENT-3"}, all[2:]},
		"the last text":   {chat.ConversationSearch{Text: "ёЛК"}, all[1:2]},
		"a common part":   {chat.ConversationSearch{Text: "client-"}, all},
		"nothing":         {chat.ConversationSearch{Text: "nobody said it"}, nil},
		"a flag":          {chat.ConversationSearch{Flags: chat.FlagInterest}, all[1:]},
		"two flags":       {chat.ConversationSearch{Flags: chat.FlagInterest | chat.FlagSuccess}, all[2:]},
		"a flag and text": {chat.ConversationSearch{Flags: chat.FlagInterest, Text: "client-2"}, all[1:2]},
		"with an owner": {chat.ConversationSearch{Text: "client-", ConversationFilter: chat.ConversationFilter{
			Owner: chat.Owner{Kind: chat.OwnerQueue},
		}}, all[2:]},
	} {
		found, next, err := w.SearchConversations(w.ctx, w.operator("ann"), tt.f)
		var got []chat.ID
		for _, l := range found {
			got = append(got, l.ID)
		}
		if err != nil || next != 0 || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, next %d, %v; want %v", name, got, next, err, tt.want)
		}
	}
}

// TestSearchIsBounded: what is not found among 2,000 is looked for on the next
// page.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const count = 2010
	var last chat.ID
	err := w.store.Update(w.ctx, chat.PriorityNormal, func(tx chat.Tx) error {
		for i := range count {
			id, err := tx.NextID()
			if err != nil {
				return err
			}
			if err := tx.CreateClient(&chat.Client{ID: id, TenantID: w.tenant}); err != nil {
				return err
			}
			c := &chat.Conversation{ID: id, TenantID: w.tenant, ClientID: id, ShareToken: fmt.Sprint(i), ExternalID: fmt.Sprint("number ", i+1)}
			if err := tx.CreateConversation(c); err != nil {
				return err
			}
			last = id
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f := chat.ConversationSearch{Text: fmt.Sprint("number ", count)}
	found, next, err := w.SearchConversations(w.ctx, w.bridge(), f)
	if err != nil || len(found) != 0 || next == 0 {
		t.Fatalf("the first page has %d, next %d, %v", len(found), next, err)
	}
	f.After = next
	found, next, err = w.SearchConversations(w.ctx, w.bridge(), f)
	if err != nil || len(found) != 1 || found[0].ID != last || next != 0 {
		t.Errorf("the second page has %d, next %d, %v", len(found), next, err)
	}
}

// TestEndedLogins: what ends a session, ends it.
func TestEndedLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tokens := map[string]string{}
	var all []string
	for name, login := range map[string]string{"stays": "ann", "signed out": "ann", "new password": "bob", "disabled": "sue", "expires": "root"} {
		life := time.Hour
		if name == "expires" {
			life = time.Minute
		}
		password := map[string]string{"ann": "ann's password"}[login]
		if password == "" {
			password = login + "'s password"
			w.must(t, w.EditOperator(w.ctx, owner, login, chat.OperatorEdit{Password: &password}))
		}
		token, _, err := w.Login(w.ctx, login, password, life)
		w.must(t, err)
		tokens[name] = token
		all = append(all, token)
	}
	ended, err := w.EndedLogins(w.ctx, all)
	if err != nil || len(ended) != 0 {
		t.Errorf("%d have ended before anything happened: %v", len(ended), err)
	}
	yes, password := true, "another password"
	w.must(t, w.Logout(w.ctx, tokens["signed out"]))
	w.must(t, w.EditOperator(w.ctx, owner, "bob", chat.OperatorEdit{Password: &password}))
	w.must(t, w.EditOperator(w.ctx, owner, "sue", chat.OperatorEdit{Disabled: &yes}))
	w.clock.advance(2 * time.Minute)
	ended, err = w.EndedLogins(w.ctx, append(all, "never was one"))
	w.must(t, err)
	for name, token := range tokens {
		if got, want := slices.Contains(ended, token), name != "stays"; got != want {
			t.Errorf("%s: ended is %v", name, got)
		}
	}
	if !slices.Contains(ended, "never was one") {
		t.Error("an unknown token has not ended")
	}
}

func (w *world) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
