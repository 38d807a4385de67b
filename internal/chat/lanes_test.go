package chat_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// next claims the lane of an endpoint in the conversation and says what is to
// be sent: the texts of messages, the names of tags, "" for nothing.
func (k *talk) next(endpoint string) (*chat.Work, string) {
	k.t.Helper()
	_, w := k.work(endpoint)
	switch {
	case w == nil:
		return nil, ""
	case w.Entry.Message != nil:
		return w, w.Entry.Message.Content.Text
	default:
		return w, w.Entry.Data.Flag
	}
}

// sends settles what comes next, one after the other, and compares.
func (k *talk) sends(endpoint string, want ...string) {
	k.t.Helper()
	var got []string
	for w, what := k.next(endpoint); w != nil; w, what = k.next(endpoint) {
		got = append(got, what)
		k.settles(chat.Settlement{Work: w, State: chat.DeliveryDelivered})
	}
	if !slices.Equal(got, want) {
		k.t.Errorf("%s was sent %q, want %q", endpoint, got, want)
	}
	if l := k.lane(endpoint); l != nil {
		k.t.Errorf("%s has caught up and its lane is still there: %+v", endpoint, l)
	}
}

// TestLanesTellInOrder: each endpoint gets what it wants, in the order of the
// log, and its lane ends with it.
func TestLanesTellInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *chat.Setup) {
		no := false
		s.Integrations = append(s.Integrations,
			chat.Integration{Name: "no echo", Format: "native", URL: "http://127.0.0.1:1/", Events: []string{chat.AllMessages}, EchoUser: &no},
			chat.Integration{Name: "ends", Format: "native", URL: "http://127.0.0.1:1/", Events: []string{"session.closed", "success"}})
		s.Tasks[0].Integrations = append(s.Tasks[0].Integrations, "no echo", "ends")
	})
	k := w.talk(t, "shop")
	k.says("one")
	k.must(k.reply(chat.Answer{Messages: said("two", "three"), Flags: []chat.Flags{chat.FlagSuccess}}))
	k.writes("ann", "four")
	k.says("five")
	k.flags(map[string]bool{"close": true, "success": false})
	k.says("six")
	k.closes("ann")

	k.sends("all", "one", "two", "three", "four", "five", "six")
	k.sends("no echo", "two", "three", "four")
	k.sends("tags", "success", "close")
	k.sends("unserved")
	var ends []chat.EventKind
	for _, work := k.work("ends"); work != nil; _, work = k.work("ends") {
		ends = append(ends, work.Entry.Kind)
		k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	}
	if !slices.Equal(ends, []chat.EventKind{chat.EventFlagSet, chat.EventSessionClosed}) {
		t.Errorf("subscribed events are %v", ends)
	}
	if n := w.woken.of(w.endpoint("unserved").ID); n != 0 {
		t.Errorf("an endpoint of a format that is not served was woken %d times", n)
	}
	k.says("seven")
	k.sends("all", "seven")
}

// TestQuestionsGoToTheirBot, and lose their meaning when the session has left
// it (specs/delivery.md).
func TestQuestionsGoToTheirBot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, between := range map[string]func(k *talk){
		"":                    func(*talk) {},
		"taken":               func(k *talk) { k.takes("ann") },
		"taken and returned":  func(k *talk) { k.takes("ann"); k.must(returns(k)) },
		"closed":              func(k *talk) { k.closes("ann") },
		"closed and reopened": func(k *talk) { k.closes("ann"); k.says("again") },
		"muted":               func(k *talk) { k.flags(map[string]bool{"close": true}) },
	} {
		k := w.talk(t, "app")
		k.says("hello")
		between(k)
		work, what := k.next("demo")
		if work == nil || what != "hello" || work.Asked.Seq != work.Entry.Seq {
			t.Fatalf("%s: the bot is asked %+v", name, work)
		}
		if work.Stale() != (name != "") {
			t.Errorf("%q: the question is stale: %v", name, work.Stale())
		}
		k.settles(chat.Settlement{Work: work, State: chat.DeliveryVoid})
		if name == "closed and reopened" {
			k.sends("demo", "again")
		}
		k.sends("demo")
	}
}

// TestWorkHasWhatItTakes to build a call: the event as it was, and everything
// around it as it is now.
func TestWorkHasWhatItTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	question := k.says("buy")
	k.must(k.reply(chat.Answer{Flags: []chat.Flags{chat.FlagSuccess}}))
	k.flags(map[string]bool{"interest": true})
	work, what := k.next("tags")
	if what != "success" || work.Entry.Flags != chat.FlagSuccess || work.Cause == nil || work.Cause.ID != question.MessageID {
		t.Errorf("the tag is %q with %v, caused by %+v", what, work.Entry.Flags.Names(), work.Cause)
	}
	if work.Tenant.Name != "acme" || work.Task.Name != "shop" || work.Conversation.ID != k.id || work.Client.ID != k.conv().ClientID ||
		work.Endpoint.Name != "tags" || !work.Session.Open() || work.Delivery != nil || work.Replay || work.GapID != "" {
		t.Errorf("the work is %+v", work)
	}
	want := "msg_" + work.Endpoint.ID.String() + "_" + work.Entry.ID.String()
	if work.WebhookID() != want {
		t.Errorf("the webhook id is %q, want %q", work.WebhookID(), want)
	}
}

// TestRetries keep the lane in its place and the bytes as they were; only those
// that count are counted.
func TestRetries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	k.says("two")
	now := chat.MicrosOf(w.clock.now())
	for i, counts := range []bool{true, false, true} {
		work, what := k.next("all")
		if what != "one" {
			t.Fatalf("try %d sends %q", i, what)
		}
		if i > 0 && (string(work.Delivery.Body) != "body" || work.Delivery.Attempts != i || work.Lane.Attempts != min(i, 1)) {
			t.Errorf("try %d finds %+v and the lane %+v", i, work.Delivery, work.Lane)
		}
		retryAt := now.Add(time.Duration(i+1) * time.Minute)
		next := k.settles(chat.Settlement{
			Work: work, State: chat.DeliveryRetrying, Body: []byte("body"), RetryAt: retryAt, Counts: counts,
			Attempt: &chat.Attempt{At: now, Status: 500 + i, Error: "try " + strconv.Itoa(i)},
		})
		if next != nil || k.lane("all").DueAt != retryAt {
			t.Errorf("after try %d the lane is %+v", i, k.lane("all"))
		}
		if _, what := k.next("all"); what != "" {
			t.Errorf("%q is sent before its time", what)
		}
		w.clock.advance(time.Minute)
	}
	work, _ := k.next("all")
	if work.Lane.Attempts != 2 {
		t.Errorf("%d tries counted, want 2", work.Lane.Attempts)
	}
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered, Body: []byte("body"), Attempt: &chat.Attempt{Status: 200}})
	d, tries, err := w.Delivery(w.ctx, w.bridge(), work.Delivery.ID)
	k.must(err)
	if d.State != chat.DeliveryDelivered || d.Attempts != 4 || d.LastStatus != 200 || d.LastError != "" || d.Body != nil || d.Seq != 2 {
		t.Errorf("the delivery is %+v", d)
	}
	if len(tries) != 4 || tries[0].Number != 1 || tries[0].Status != 500 || tries[2].Error != "try 2" || tries[3].Status != 200 {
		t.Errorf("the tries are %+v", tries)
	}
	if work, what := k.next("all"); what != "two" || work.Lane.Attempts != 0 || work.Delivery != nil {
		t.Errorf("then %q is sent with %+v", what, work)
	}
}

// TestParkedEventsAreTold by the next one, and the lane goes on.
func TestParkedEventsAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	for _, text := range []string{"one", "two", "three", "four"} {
		k.says(text)
	}
	var parked []string
	for i, want := range []string{"one", "two", "three", "four"} {
		work, what := k.next("all")
		if what != want {
			t.Fatalf("got %q, want %q", what, want)
		}
		gap := ""
		if i == 1 || i == 2 {
			gap = parked[i-1]
		}
		if work.GapID != gap {
			t.Errorf("%q tells the gap %q, want %q", what, work.GapID, gap)
		}
		state := chat.DeliveryDelivered
		if i < 2 {
			state = chat.DeliveryParked
		}
		parked = append(parked, work.WebhookID())
		k.settles(chat.Settlement{Work: work, State: state, Body: []byte(what)})
	}
	if l := k.lane("all"); l != nil {
		t.Errorf("the lane is still there: %+v", l)
	}
}

// TestReplay sends what was chosen again, in the order of the log and before
// anything new, the same bytes under the same id.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	other := w.talk(t, "shop")
	ids := map[string]string{}
	for i, text := range []string{"one", "two", "three", "four"} {
		k.says(text)
		work, _ := k.next("all")
		ids[text] = work.WebhookID()
		state := chat.DeliveryParked
		if i == 2 {
			state = chat.DeliveryDelivered
		}
		k.settles(chat.Settlement{Work: work, State: state, Body: []byte("body of " + text)})
	}
	other.says("elsewhere")
	work, _ := other.next("all")
	other.settles(chat.Settlement{Work: work, State: chat.DeliveryParked})

	woken := w.woken.of(w.endpoint("all").ID)
	n, err := w.Replay(w.ctx, w.bridge(), chat.DeliveryFilter{ConversationID: k.id})
	if err != nil || n != 3 || w.woken.of(w.endpoint("all").ID) == woken {
		t.Errorf("replayed %d, %v", n, err)
	}
	if again, err := w.Replay(w.ctx, w.bridge(), chat.DeliveryFilter{ConversationID: k.id}); again != 0 || err != nil {
		t.Errorf("what waits already was replayed again: %d, %v", again, err)
	}
	k.says("five")
	var got []string
	for work, what := k.next("all"); work != nil; work, what = k.next("all") {
		got = append(got, what)
		if what != "five" && (!work.Replay || work.WebhookID() != ids[what] || string(work.Delivery.Body) != "body of "+what) {
			t.Errorf("%q is sent as %+v", what, work.Delivery)
		}
		k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	}
	if !slices.Equal(got, []string{"one", "two", "four", "five"}) {
		t.Errorf("sent were %q", got)
	}
	if l := other.lane("all"); l != nil {
		t.Errorf("the other conversation was replayed too: %+v", l)
	}
	list, err := w.Deliveries(w.ctx, w.bridge(), chat.DeliveryFilter{State: chat.DeliveryParked})
	if err != nil || len(list) != 1 || list[0].ConversationID != other.id {
		t.Errorf("parked are %+v, %v", list, err)
	}
	other.must(w.ReplayDelivery(w.ctx, w.bridge(), list[0].ID))
	wantCode(t, w.ReplayDelivery(w.ctx, w.bridge(), list[0].ID), chat.CodeConflict)
	other.sends("all", "elsewhere")

	delivered, err := w.Deliveries(w.ctx, w.bridge(), chat.DeliveryFilter{ConversationID: k.id, Limit: 1})
	k.must(err)
	k.must(w.ReplayDelivery(w.ctx, w.bridge(), delivered[0].ID))
	k.sends("all", "one") // and nothing that came after it
}

// TestReplayOfMany works in chunks and misses none.
func TestReplayOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	const many = 70
	for range many {
		k.says("x")
	}
	for work, _ := k.next("all"); work != nil; work, _ = k.next("all") {
		k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked})
	}
	n, err := w.Replay(w.ctx, w.bridge(), chat.DeliveryFilter{EndpointID: w.endpoint("all").ID})
	if err != nil || n != many || k.lane("all").Replays != many {
		t.Errorf("replayed %d, %v; the lane is %+v", n, err, k.lane("all"))
	}
}

// TestBlockedLane: with on_park: block the lane stops at a parked event until it
// is replayed with success.
func TestBlockedLane(t *testing.T) {
	t.Parallel()
	w := newWorld(t, blocked)
	k := w.talk(t, "shop")
	k.says("one")
	k.says("two")
	work, _ := k.next("all")
	k.settles(chat.Settlement{Work: work, State: chat.DeliveryParked})
	k.says("three")
	if _, what := k.next("all"); what != "" {
		t.Errorf("a blocked lane sends %q", what)
	}
	replay := func(state chat.DeliveryState, want string) {
		t.Helper()
		if n, err := w.Replay(w.ctx, w.bridge(), chat.DeliveryFilter{}); n != 1 || err != nil {
			t.Fatalf("replayed %d, %v", n, err)
		}
		work, what := k.next("all")
		if what != want {
			t.Fatalf("replayed is %q, want %q", what, want)
		}
		k.settles(chat.Settlement{Work: work, State: state})
	}
	replay(chat.DeliveryParked, "one")
	if _, what := k.next("all"); what != "" {
		t.Errorf("after a replay that failed it sends %q", what)
	}
	replay(chat.DeliveryDelivered, "one")
	k.sends("all", "two", "three")
}

// TestClaimsAreExclusive, end with their time, and fence whoever lost them.
func TestClaimsAreExclusive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var talks []*talk
	for range 5 {
		k := w.talk(t, "shop")
		k.says("hi")
		talks = append(talks, k)
	}
	e := w.endpoint("all")
	claim := func(limit int) []chat.Lane {
		t.Helper()
		lanes, err := w.ClaimLanes(w.ctx, e, limit, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return lanes
	}
	first, second := claim(3), claim(10)
	if len(first) != 3 || len(second) != 2 || len(claim(10)) != 0 {
		t.Fatalf("claimed were %d and %d lanes", len(first), len(second))
	}
	for _, a := range first {
		for _, b := range second {
			if a.ConversationID == b.ConversationID {
				t.Errorf("the lane of %d was claimed twice", a.ConversationID)
			}
		}
	}
	backlogs, err := w.Backlogs(w.ctx, []chat.Endpoint{e, w.endpoint("backup")})
	if b := backlogs[e.ID]; err != nil || b.Lanes != 5 || b.Oldest != first[0].DueAt || backlogs[w.endpoint("backup").ID] != (chat.Backlog{}) {
		t.Errorf("the backlogs are %+v, %v", backlogs, err)
	}
	work, err := w.NextWork(w.ctx, first[0])
	if err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Minute)
	if again := claim(10); len(again) != 5 {
		t.Errorf("after their time %d claims are free, want 5", len(again))
	}
	talks[0].settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	for _, k := range talks {
		if k.lane("all") == nil {
			t.Error("who lost the claim ended the lane")
		}
	}
	if list, err := w.Deliveries(w.ctx, w.bridge(), chat.DeliveryFilter{}); err != nil || len(list) != 0 {
		t.Errorf("who lost the claim left %+v, %v", list, err)
	}
}

// TestEventDuringASettle: what is appended while the last event is on its way
// is not lost with the lane.
func TestEventDuringASettle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	work, _ := k.next("all")
	k.says("two")
	lane := k.settles(chat.Settlement{Work: work, State: chat.DeliveryDelivered})
	if lane == nil {
		t.Fatal("the lane ended")
	}
	k.sends("all", "two")
}

// TestEndpointsThatAreGone leave no lane behind once somebody looks.
func TestEndpointsThatAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	e := w.endpoint("all")
	lanes, err := w.ClaimLanes(w.ctx, e, 1, time.Minute)
	if err != nil || len(lanes) != 1 {
		t.Fatalf("claimed %+v, %v", lanes, err)
	}
	setup := company("acme", "")
	setup.Integrations = setup.Integrations[1:]
	setup.Tasks[0].Integrations = []string{"tags"}
	if _, err := w.Apply(w.ctx, owner, []chat.Setup{setup}, chat.ApplyOptions{Prune: true}); err != nil {
		t.Fatal(err)
	}
	if work, err := w.NextWork(w.ctx, lanes[0]); work != nil || err != nil {
		t.Errorf("the work is %+v, %v", work, err)
	}
	if backlogs, err := w.Backlogs(w.ctx, []chat.Endpoint{e}); err != nil || backlogs[e.ID].Lanes != 0 {
		t.Errorf("the backlog is %+v, %v", backlogs, err)
	}
}

// TestOldDeliveriesGo with their tries after the retention; what waits stays.
func TestOldDeliveriesGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	for _, state := range []chat.DeliveryState{chat.DeliveryDelivered, chat.DeliveryParked, chat.DeliveryVoid, chat.DeliveryRetrying} {
		k.says("x")
		work, _ := k.next("all")
		k.settles(chat.Settlement{Work: work, State: state, Attempt: &chat.Attempt{Status: 1}, RetryAt: 1 << 60})
	}
	w.clock.advance(time.Hour)
	k.must(w.Prune(w.ctx, 2*time.Hour))
	count := func() int {
		t.Helper()
		list, err := w.Deliveries(w.ctx, w.bridge(), chat.DeliveryFilter{})
		k.must(err)
		return len(list)
	}
	if n := count(); n != 4 {
		t.Errorf("%d deliveries are left before their time, want 4", n)
	}
	w.clock.advance(2 * time.Hour)
	k.must(w.Prune(w.ctx, 2*time.Hour))
	if n := count(); n != 1 {
		t.Errorf("%d deliveries are left, want the one that waits", n)
	}
}

// TestEndpointStates is what an owner sees of his endpoints.
func TestEndpointStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	k.says("one")
	all := w.endpoint("all")
	k.must(w.PauseEndpoint(w.ctx, w.bridge(), all.ID, true, "maintenance"))
	state := func(name string) (s chat.EndpointState) {
		t.Helper()
		states, err := w.Endpoints(w.ctx, w.bridge())
		k.must(err)
		for _, s = range states {
			if s.Name == name {
				return s
			}
		}
		t.Fatalf("%s is not among %+v", name, states)
		return s
	}
	if s := state("all"); !s.Health.Paused || s.Health.Reason != "maintenance" || s.Waiting != 1 || s.Oldest == 0 {
		t.Errorf("paused it is %+v", s)
	}
	k.must(w.PauseEndpoint(w.ctx, w.bridge(), all.ID, false, "ignored"))
	if s := state("all"); s.Health.Paused || s.Health.Reason != "" || s.Waiting != 1 {
		t.Errorf("resumed it is %+v", s)
	}
	if s := state("tags"); s.Waiting != 0 || s.Oldest != 0 || s.Health.Paused {
		t.Errorf("one that has nothing to do is %+v", s)
	}
}
