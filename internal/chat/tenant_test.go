package chat_test

import (
	"reflect"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestForeignIDs: what belongs to another company does not exist, by any id, in
// any use case (design §4, 10).
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("hello")
	k.hears("hi")
	_, work := k.work("all")
	_, err := w.Settle(w.ctx, chat.Settlement{Work: work, State: chat.DeliveryParked})
	k.must(err)
	var delivery chat.ID
	if list, err := w.Deliveries(w.ctx, w.bridge(), chat.DeliveryFilter{}); err != nil || len(list) != 1 {
		t.Fatalf("%d deliveries, %v", len(list), err)
	} else {
		delivery = list[0].ID
	}
	c := k.conv()
	key, ann := w.key("k-bridge-rival"), w.operator("ann-rival")
	bot := chat.Actor{Kind: chat.ActorBot, TenantID: key.TenantID, ID: w.bot("demo").ID}
	task := k.incoming().TaskID

	for name, do := range map[string]func() error{
		"ClientMessage": func() error {
			_, err := w.ClientMessage(w.ctx, key, keyed(k, "", "hi"))
			return err
		},
		"ClientEvent": func() error {
			_, err := w.ClientEvent(w.ctx, key, chat.ClientEvent{Incoming: k.incoming(), Name: "ping"})
			return err
		},
		"OperatorMessage": func() error {
			_, err := w.OperatorMessage(w.ctx, ann, chat.OperatorMessage{ConversationID: k.id, Content: chat.Content{Text: "hi"}})
			return err
		},
		"Answer": func() error {
			_, err := w.Answer(w.ctx, bot, chat.Answer{ConversationID: k.id, Question: 2, Version: 1, Messages: said("hi")})
			return err
		},
		"Handover":      func() error { return w.Handover(w.ctx, bot, k.id, c.SessionID, 1, chat.Handover{}) },
		"BotFailed":     func() error { _, err := w.BotFailed(w.ctx, bot, work, chat.Settlement{Work: work}); return err },
		"Take":          func() error { _, err := w.Take(w.ctx, ann, k.id); return err },
		"Return":        func() error { _, err := w.Return(w.ctx, ann, k.id); return err },
		"Transfer":      func() error { _, err := w.Transfer(w.ctx, ann, k.id, toQueue); return err },
		"Close":         func() error { _, err := w.Close(w.ctx, ann, k.id, ""); return err },
		"SetFlags":      func() error { _, err := w.SetFlags(w.ctx, key, k.id, map[string]bool{"close": true}); return err },
		"SetStatus":     func() error { _, err := w.SetStatus(w.ctx, key, c.LastMessageID, chat.StatusRead); return err },
		"Rate":          func() error { return w.Rate(w.ctx, key, c.SessionID, 5, "") },
		"ChangeProfile": func() error { _, err := w.ChangeProfile(w.ctx, key, k.id, map[string]string{"name": "x"}); return err },
		"AddTarget":     func() error { return w.AddTarget(w.ctx, key, task, "@eve") },
		"Conversation":  func() error { _, err := w.Conversation(w.ctx, key, k.id); return err },
		"Events":        func() error { _, err := w.Events(w.ctx, key, k.id, 0, 0); return err },
		"Follow": func() error {
			for _, err := range w.Follow(w.ctx, key, k.id, 0) {
				return err
			}
			return nil
		},
		"AddNote":        func() error { _, err := w.AddNote(w.ctx, key, k.id, "note"); return err },
		"MarkRead":       func() error { _, err := w.MarkRead(w.ctx, key, k.id, 1); return err },
		"ClientCard":     func() error { _, err := w.ClientCard(w.ctx, key, c.ClientID); return err },
		"EditClient":     func() error { _, err := w.EditClient(w.ctx, key, c.ClientID, k.id, nil); return err },
		"Delivery":       func() error { _, _, err := w.Delivery(w.ctx, key, delivery); return err },
		"ReplayDelivery": func() error { return w.ReplayDelivery(w.ctx, key, delivery) },
		"PauseEndpoint":  func() error { return w.PauseEndpoint(w.ctx, key, w.endpoint("all").ID, true, "") },
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, do(), chat.CodeNotFound) })
	}
	if got := k.conv(); !reflect.DeepEqual(got, c) {
		t.Errorf("a stranger changed %+v to %+v", c, got)
	}
}

// TestForeignLists hold nothing of another company, whatever they are asked for.
func TestForeignLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("hello")
	_, work := k.work("all")
	_, err := w.Settle(w.ctx, chat.Settlement{Work: work, State: chat.DeliveryParked})
	k.must(err)
	stranger := w.key("k-bridge-rival")
	for _, f := range []chat.ConversationFilter{{}, {ExternalID: k.client}, {TaskID: k.incoming().TaskID}, {Owner: k.conv().Owner}} {
		if list, err := w.Conversations(w.ctx, stranger, f); err != nil || len(list) != 0 {
			t.Errorf("%+v found %d conversations (%v)", f, len(list), err)
		}
		if list, err := w.Conversations(w.ctx, w.bridge(), f); err != nil || len(list) != 1 {
			t.Errorf("%+v found %d of our conversations (%v)", f, len(list), err)
		}
	}
	for _, f := range []chat.DeliveryFilter{{}, {EndpointID: w.endpoint("all").ID}, {ConversationID: k.id}} {
		if list, err := w.Deliveries(w.ctx, stranger, f); err != nil || len(list) != 0 {
			t.Errorf("%+v found %d deliveries (%v)", f, len(list), err)
		}
		if n, err := w.Replay(w.ctx, stranger, f); err != nil || n != 0 {
			t.Errorf("%+v replayed %d (%v)", f, n, err)
		}
	}
	states, err := w.Endpoints(w.ctx, stranger)
	k.must(err)
	for _, e := range states {
		if e.TenantID != stranger.TenantID {
			t.Errorf("a stranger sees the endpoint %s", e.Name)
		}
	}
	if len(states) != 8 {
		t.Errorf("a company has %d endpoints, want 3 channels, 2 bots and 3 integrations", len(states))
	}
}

// TestChannelsKeepToThemselves: whoever knows a channel's token reaches the
// tasks and conversations of that channel and no other of the company.
func TestChannelsKeepToThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	for token, code := range map[string]chat.Code{"messenger": "", "app": chat.CodeNotFound, "site-rival": chat.CodeNotFound} {
		_, err := w.ClientMessage(w.ctx, w.channel(token), keyed(k, "", "hi"))
		wantCode(t, err, code)
		_, err = w.ClientEvent(w.ctx, w.channel(token), chat.ClientEvent{Incoming: k.incoming(), Name: "ping"})
		wantCode(t, err, code)
	}
	k.says("hello")
	for token, code := range map[string]chat.Code{"app": chat.CodeNotFound, "site-rival": chat.CodeNotFound, "messenger": ""} {
		_, err := w.SetStatus(w.ctx, w.channel(token), k.conv().LastMessageID, chat.StatusRead)
		wantCode(t, err, code)
		_, err = w.SetStatus(w.ctx, w.channel(token), k.conv().LastMessageID, chat.StatusNotSent)
		wantCode(t, err, code)
		wantCode(t, w.Rate(w.ctx, w.channel(token), k.conv().SessionID, 5, ""), code)
	}
}

// TestShared: a read-only link shows its conversation and nothing else.
func TestShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("hello")
	got, err := w.Shared(w.ctx, k.conv().ShareToken)
	if err != nil || got.ID != k.id || got.LastMessage.Content.Text != "hello" {
		t.Errorf("the link shows %+v, %v", got, err)
	}
	for _, token := range []string{"", "0", got.ShareToken[:31], got.ID.String()} {
		_, err := w.Shared(w.ctx, token)
		wantCode(t, err, chat.CodeNotFound)
	}
}
