// Package hubtest is the contract of every chat.Bus.
package hubtest

import (
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// patience bounds how long a test waits for what must happen.
const patience = 5 * time.Second

// Run holds a bus to the contract of chat.Bus. open makes a fresh one.
func Run(t *testing.T, open func(t *testing.T) chat.Bus) {
	t.Run("a subscriber gets its topic in order and nothing else", func(t *testing.T) { order(t, open(t)) })
	t.Run("a tenant's topic gets every conversation of that tenant", func(t *testing.T) { tenantTopic(t, open(t)) })
	t.Run("a client's topic gets all of that client on that channel", func(t *testing.T) { clientTopic(t, open(t)) })
	t.Run("publishing never waits for a reader", func(t *testing.T) { slow(t, open(t)) })
	t.Run("a closed subscription gets nothing more", func(t *testing.T) { closed(t, open(t)) })
	t.Run("everything at once", func(t *testing.T) { parallel(t, open(t)) })
}

func notice(tenant, conversation chat.ID, seq int64) chat.Notice {
	e := chat.Entry{Event: chat.Event{TenantID: tenant, ConversationID: conversation, Seq: seq}}
	return chat.Notice{TenantID: tenant, ConversationID: conversation, Entries: []chat.Entry{e}}
}

// next waits for one notice.
func next(t *testing.T, sub chat.Subscription) chat.Notice {
	t.Helper()
	select {
	case n := <-sub.C():
		return n
	case <-time.After(patience):
		t.Fatal("no notice came")
		return chat.Notice{}
	}
}

func order(t *testing.T, bus chat.Bus) {
	sub := bus.Subscribe(chat.Topic{TenantID: 1, ConversationID: 10})
	defer sub.Close()
	for seq := range int64(20) {
		bus.Publish(notice(2, 10, 900))
		bus.Publish(notice(1, 11, 901))
		bus.Publish(notice(1, 10, seq))
	}
	for want := range int64(20) {
		if got := next(t, sub).Entries[0].Seq; got != want {
			t.Fatalf("got seq %d, want %d", got, want)
		}
	}
}

func tenantTopic(t *testing.T, bus chat.Bus) {
	sub := bus.Subscribe(chat.Topic{TenantID: 1})
	defer sub.Close()
	bus.Publish(notice(1, 10, 1))
	bus.Publish(notice(2, 20, 1))
	bus.Publish(notice(1, 11, 1))
	for _, want := range []chat.ID{10, 11} {
		if got := next(t, sub).ConversationID; got != want {
			t.Fatalf("got a notice of conversation %d, want %d", got, want)
		}
	}
}

func clientTopic(t *testing.T, bus chat.Bus) {
	sub := bus.Subscribe(chat.Topic{TenantID: 1, ChannelID: 5, ExternalID: "anna"})
	defer sub.Close()
	for i, who := range []struct {
		tenant, channel chat.ID
		client          string
	}{{1, 5, "boris"}, {2, 5, "anna"}, {1, 6, "anna"}, {1, 0, ""}, {1, 5, "anna"}, {1, 5, "anna"}} {
		n := notice(who.tenant, chat.ID(10+i), 1)
		n.ChannelID, n.ExternalID = who.channel, who.client
		bus.Publish(n)
	}
	for _, want := range []chat.ID{14, 15} {
		if got := next(t, sub).ConversationID; got != want {
			t.Fatalf("got a notice of conversation %d, want %d", got, want)
		}
	}
}

func slow(t *testing.T, bus chat.Bus) {
	sub := bus.Subscribe(chat.Topic{TenantID: 1, ConversationID: 10})
	defer sub.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for seq := range int64(10_000) {
			bus.Publish(notice(1, 10, seq))
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("Publish waits for a reader that doesn't read")
	}
	if first := next(t, sub).Entries[0].Seq; first != 0 {
		t.Errorf("the first notice kept is %d, want the oldest", first)
	}
}

func closed(t *testing.T, bus chat.Bus) {
	gone, stays := bus.Subscribe(chat.Topic{TenantID: 1}), bus.Subscribe(chat.Topic{TenantID: 1})
	defer stays.Close()
	gone.Close()
	bus.Publish(notice(1, 10, 1))
	next(t, stays)
	select {
	case n, open := <-gone.C():
		t.Errorf("a closed subscription got %+v (channel open: %v)", n, open)
	default:
	}
}

func parallel(t *testing.T, bus chat.Bus) {
	var wg sync.WaitGroup
	for worker := chat.ID(1); worker <= 8; worker++ { // 0 would be the tenant's own topic
		wg.Go(func() {
			for i := range int64(200) {
				sub := bus.Subscribe(chat.Topic{TenantID: 1, ConversationID: worker})
				bus.Publish(notice(1, worker, i))
				if got := next(t, sub).Entries[0].Seq; got != i {
					t.Errorf("got seq %d, want %d", got, i)
				}
				sub.Close()
			}
		})
	}
	wg.Wait()
}
