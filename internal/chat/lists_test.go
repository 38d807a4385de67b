package chat_test

import (
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// TestConversationLists are paged by key and filtered.
func TestConversationLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []chat.ID
	for _, task := range []string{"shop", "app", "desk", "site", "app"} {
		k := w.talk(t, task)
		k.says("hello")
		all = append(all, k.id)
	}
	taken := &talk{world: w, t: t, task: "shop", id: all[0]}
	taken.takes("ann")
	list := func(f chat.ConversationFilter) (got []chat.ID) {
		t.Helper()
		found, err := w.Conversations(w.ctx, w.operator("ann"), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			got = append(got, c.ID)
			if c.Client == nil || c.Client.ID != c.ClientID || c.LastMessage == nil || c.LastMessage.ID != c.LastMessageID {
				t.Errorf("listed is %+v", c)
			}
		}
		return got
	}
	app := w.Catalog().ChannelByToken("app").ID
	for name, tt := range map[string]struct {
		filter chat.ConversationFilter
		want   []chat.ID
	}{
		"all":             {chat.ConversationFilter{}, all},
		"first page":      {chat.ConversationFilter{Limit: 2}, all[:2]},
		"second page":     {chat.ConversationFilter{Limit: 2, After: all[1]}, all[2:4]},
		"last page":       {chat.ConversationFilter{Limit: 2, After: all[3]}, all[4:]},
		"after the end":   {chat.ConversationFilter{After: all[4]}, nil},
		"too many":        {chat.ConversationFilter{Limit: 1 << 30}, all},
		"of the queue":    {chat.ConversationFilter{Owner: chat.Owner{Kind: chat.OwnerQueue}}, all[2:3]},
		"of any operator": {chat.ConversationFilter{Owner: chat.Owner{Kind: chat.OwnerOperator}}, all[:1]},
		"of ann":          {chat.ConversationFilter{Owner: chat.Owner{Kind: chat.OwnerOperator, ID: w.operator("ann").ID}}, all[:1]},
		"of bob":          {chat.ConversationFilter{Owner: chat.Owner{Kind: chat.OwnerOperator, ID: w.operator("bob").ID}}, nil},
		"of a client":     {chat.ConversationFilter{ExternalID: "client-4"}, all[3:4]},
		"of a task":       {chat.ConversationFilter{TaskID: w.task("app").ID}, []chat.ID{all[1], all[4]}},
		"of a channel":    {chat.ConversationFilter{ChannelID: app}, []chat.ID{all[1], all[2], all[4]}},
		"of both":         {chat.ConversationFilter{ChannelID: app, Owner: chat.Owner{Kind: chat.OwnerQueue}}, all[2:3]},
	} {
		if got := list(tt.filter); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestEventPages go on where the last one ended, at most 250 at once.
func TestEventPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "app")
	k.says("hello")
	many := make([]string, 100)
	for range 3 {
		k.must(k.reply(chat.Answer{Messages: said(many...)}))
	}
	page := func(after int64, limit, want int) {
		t.Helper()
		got, err := w.Events(w.ctx, w.bridge(), k.id, after, limit)
		k.must(err)
		if len(got) != want || want > 0 && (got[0].Seq != after+1 || got[want-1].Seq != after+int64(want)) {
			t.Errorf("after %d at most %d: %d entries, want %d", after, limit, len(got), want)
		}
	}
	page(0, 0, chat.MaxPage)
	page(0, 1000, chat.MaxPage)
	page(0, -1, chat.MaxPage)
	page(10, 7, 7)
	page(250, 0, 52)
	page(302, 0, 0)
	page(1<<40, 0, 0)
}

// witness is a bus that looks at what it is told.
type witness struct {
	*hub.Hub
	seen func(n chat.Notice)
}

func (b *witness) Publish(n chat.Notice) {
	if b.seen != nil {
		b.seen(n)
	}
	b.Hub.Publish(n)
}

// TestNobodyIsToldBeforeTheCommit: what the bus tells is in the log by then,
// and what is refused is told to nobody (design §4, 2).
func TestNobodyIsToldBeforeTheCommit(t *testing.T) {
	t.Parallel()
	bus := &witness{Hub: hub.New()}
	w := settled(t, bus)
	k := w.talk(t, "shop")
	told := int64(0)
	bus.seen = func(n chat.Notice) {
		for _, e := range n.Entries {
			stored, err := w.Events(w.ctx, w.system(), n.ConversationID, e.Seq-1, 1)
			if err != nil || len(stored) != 1 || stored[0].ID != e.ID || e.MessageID != 0 && stored[0].Message == nil {
				t.Errorf("entry %d was told and is stored as %+v, %v", e.Seq, stored, err)
			}
			told = e.Seq
		}
	}
	k.says("hello")
	k.hears("hi", "how are you?")
	k.handsOver()
	if told != k.conv().Seq {
		t.Errorf("told was %d of %d entries", told, k.conv().Seq)
	}
	bus.seen = func(n chat.Notice) { t.Errorf("a refused use case tells %+v", n) }
	woken := w.woken.of(w.endpoint("all").ID)
	wantCode(t, k.reply(chat.Answer{Messages: said("late")}), chat.CodeForbidden)
	wantCode(t, returns(&talk{world: w, t: t, id: 1 << 40}), chat.CodeNotFound)
	if w.woken.of(w.endpoint("all").ID) != woken {
		t.Error("a refused use case woke an endpoint")
	}
}
