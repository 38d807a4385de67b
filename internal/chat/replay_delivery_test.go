package chat_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// One delivery is replayed by its id, once it is settled, and no other with it.
func TestReplayDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	k.says("two")
	_, work := k.work("all")
	lane := k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked, Until: chat.MicrosOf(w.clock.now().Add(time.Minute))})
	work, err := w.NextWork(w.ctx, *lane)
	k.must(err)
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked})
	list, err := w.Deliveries(w.ctx, w.bridge(), chat.DeliveryFilter{ConversationID: k.id})
	k.must(err)
	if len(list) != 2 {
		t.Fatalf("%d deliveries", len(list))
	}
	before := w.woken.of(w.endpoint("all").ID)
	k.must(w.ReplayDelivery(w.ctx, w.bridge(), list[1].ID))
	if w.woken.of(w.endpoint("all").ID) != before+1 {
		t.Error("the endpoint was not woken")
	}
	wantCode(t, w.ReplayDelivery(w.ctx, w.bridge(), list[1].ID), chat.CodeConflict)
	wantCode(t, w.ReplayDelivery(w.ctx, w.bridge(), 999_999), chat.CodeNotFound)
	_, work = k.work("all")
	if !work.Replay || work.Entry.Seq != list[1].Seq {
		t.Errorf("what is sent again is %d, want %d", work.Entry.Seq, list[1].Seq)
	}
	first, _, err := w.Delivery(w.ctx, w.bridge(), list[0].ID)
	k.must(err)
	if first.State != chat.DeliveryParked {
		t.Errorf("its neighbour is %s", first.State)
	}
}

// A flag's work names the message that led to it, and every work its tenant.
func TestWorkOfAFlag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	a := k.says("call me")
	k.must(k.reply(chat.Answer{Flags: []chat.Flags{chat.FlagGetContact}, Messages: said("I will")}))
	_, work := k.work("tags")
	if work == nil || work.Entry.Kind != chat.EventFlagSet || work.Cause == nil || work.Cause.ID != a.MessageID || work.Cause.At != a.At {
		t.Fatalf("the flag's work is %+v", work)
	}
	if work.Tenant == nil || work.Tenant.ID != w.tenant || work.Tenant.Name != "acme" {
		t.Errorf("its tenant is %+v", work.Tenant)
	}
	if _, work = k.work("all"); work.Cause != nil || work.Tenant == nil {
		t.Errorf("a message's work is %+v", work)
	}
}
