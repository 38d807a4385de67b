package chat_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestProfile merges what callers say: known values win, empty ones don't
// count, and a change is told once.
func TestProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	say := func(profile map[string]string) {
		t.Helper()
		_, err := k.send(chat.ClientMessage{Incoming: chat.Incoming{Profile: profile}, Content: chat.Content{Text: "hi"}})
		k.must(err)
	}
	say(map[string]string{"name": "Eve", "phone": "1"})
	k.expect(0, "opened for demo", "client: hi → demo")
	say(map[string]string{"name": "Eve", "phone": ""})
	say(map[string]string{"name": "Eva", "email": "e@x"})
	_, err := w.ChangeProfile(w.ctx, w.bridge(), k.id, map[string]string{"email": "e@x"})
	k.must(err)
	k.expect(2, "client: hi → demo", "client.changed", "client: hi → demo")
	client, err := w.ChangeProfile(w.ctx, w.bridge(), k.id, map[string]string{"email": "e@y", "name": ""})
	k.must(err)
	want := map[string]string{"name": "Eva", "phone": "1", "email": "e@y"}
	if got := k.conv().Client.Profile; !maps.Equal(got, want) || !maps.Equal(client.Profile, want) {
		t.Errorf("stored is %v, returned %v, want %v", got, client.Profile, want)
	}
	last := k.log()[k.conv().Seq-1]
	if last.Kind != chat.EventClientChanged || last.Data.Title != "Eva" || last.Data.Contacts != "1, e@y" {
		t.Errorf("the change is told as %+v", last.Event)
	}
}

// TestTitleAndContacts are what webhooks show of a profile.
func TestTitleAndContacts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		profile         map[string]string
		title, contacts string
	}{
		{nil, "", ""},
		{map[string]string{"name": "Eve Smith", "first_name": "E"}, "Eve Smith", ""},
		{map[string]string{"first_name": "Lev", "last_name": "Tolstoy", "middle_name": "N"}, "Tolstoy Lev N", ""},
		{map[string]string{"first_name": "Lev"}, "Lev", ""},
		{map[string]string{"username": "@lev", "phone": "1", "email": "l@x"}, "", "1, l@x, @lev"},
		{map[string]string{"contact": "the porter", "phone": "1"}, "", "the porter, 1"},
	} {
		c := chat.Client{Profile: tt.profile}
		if c.Title() != tt.title || c.Contacts() != tt.contacts {
			t.Errorf("%v: %q, %q", tt.profile, c.Title(), c.Contacts())
		}
	}
}

// TestMetadata is merged by key and bounded as a whole; over the limit nothing
// of the message is kept.
func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	send := func(metadata map[string]any) error {
		_, err := k.send(chat.ClientMessage{Incoming: chat.Incoming{Metadata: metadata}, Content: chat.Content{Text: "hi"}})
		return err
	}
	big := strings.Repeat("x", chat.MaxMetadata)
	wantCode(t, send(map[string]any{"big": big}), chat.CodeTooLarge)
	if list, err := w.Conversations(w.ctx, w.system(), chat.ConversationFilter{ExternalID: k.client}); err != nil || len(list) != 0 {
		t.Errorf("a refused message left %d conversations (%v)", len(list), err)
	}
	k.must(send(map[string]any{"a": "1", "b": 2.0}))
	k.must(send(map[string]any{"b": "two", "c": []any{true, nil}}))
	want := map[string]any{"a": "1", "b": "two", "c": []any{true, nil}}
	wantCode(t, send(map[string]any{"d": big[:len(big)-8]}), chat.CodeTooLarge)
	if c := k.conv(); !reflect.DeepEqual(c.Client.Metadata, want) || c.Messages != 2 {
		t.Errorf("after %d messages the metadata is %v, want %v", c.Messages, c.Client.Metadata, want)
	}
}

// TestWhoIsOneClient: the ids of authorised channels are the tenant's own, those
// of others the channel's; a client has one conversation for each task and key.
func TestWhoIsOneClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) {
		no, yes := false, true
		s.Channels = append(s.Channels,
			chat.Channel{Name: "second app", Kind: chat.ChannelChatAPI},
			chat.Channel{Name: "closed app", Kind: chat.ChannelChatAPI, Authorized: &no},
			chat.Channel{Name: "open site", Kind: chat.ChannelWidget, Authorized: &yes})
		for _, c := range []string{"second app", "closed app", "open site"} {
			s.Tasks = append(s.Tasks, chat.Task{Name: c, Channel: c, Bot: "demo"})
		}
	})
	first := w.talk(t, "app")
	first.says("hi")
	for task, same := range map[string]bool{
		"desk": true, "second app": true, "open site": true, "closed app": false, "shop": false, "site": false,
	} {
		k := w.talk(t, task)
		k.client = first.client
		k.says("hi")
		if got := k.conv().ClientID == first.conv().ClientID; got != same || k.id == first.id {
			t.Errorf("%s: one client %v, want %v; conversations %d and %d", task, got, same, k.id, first.id)
		}
	}
	again := *first
	again.says("and again")
	keyed := *first
	keyed.key = "another subject"
	keyed.says("hi")
	if again.id != first.id || keyed.id == first.id || keyed.conv().ClientID != first.conv().ClientID {
		t.Errorf("conversations %d, %d, %d of the clients %d, %d", first.id, again.id, keyed.id, first.conv().ClientID, keyed.conv().ClientID)
	}
}

// TestShareTokens are 128 random bits each (specs/selarti.md §4.4).
func TestShareTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[string]bool{}
	for range 10 {
		k := w.talk(t, "shop")
		k.says("hi")
		if token := k.conv().ShareToken; len(token) != 32 || seen[token] {
			t.Errorf("the share token %q has not 32 digits or was given before", token)
		} else {
			seen[token] = true
		}
	}
}
