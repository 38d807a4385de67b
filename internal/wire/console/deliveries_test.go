package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestDeliveryFilters(t *testing.T) {
	d := newDesk(t)
	root := d.operator(t, "root")
	one := d.Say(d.Acme, "one", "hi").ConversationID
	d.deliver(t, d.Acme, chat.DeliveryParked, 500)
	two := d.Say(d.Acme, "two", "hi").ConversationID
	d.deliver(t, d.Acme, chat.DeliveryDelivered, 200)
	d.Say(d.Rival, "one", "hi")
	d.deliver(t, d.Rival, chat.DeliveryDelivered, 200)
	all := ids(t, d.get(t, root, "deliveries"))
	if len(all) != 2 {
		t.Fatalf("%d deliveries", len(all))
	}
	endpoint := d.Acme.Task.Integrations[0].ID
	for query, want := range map[string][]int64{
		"state=parked": all[:1], "state=delivered": all[1:], "state=queued": {}, "state=void": {}, "state=retrying": {},
		fmt.Sprint("conversation=", one): all[:1], fmt.Sprint("conversation=", two): all[1:], fmt.Sprint("endpoint=", endpoint): all,
		fmt.Sprint("endpoint=", d.Rival.Task.Integrations[0].ID): {}, fmt.Sprint("after=", all[0]): all[1:], "limit=1": all[:1],
	} {
		if got := ids(t, d.get(t, root, "deliveries?"+query)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for query, field := range map[string]string{"state=lost": "state", "endpoint=all": "endpoint", "conversation=x": "conversation", "id=1": "id"} {
		refused(t, d.get(t, root, "deliveries?"+query), 400, "invalid", field)
	}
}

func TestReplay(t *testing.T) {
	d := newDesk(t)
	root := d.operator(t, "root")
	id := d.Say(d.Acme, "one", "first").ConversationID
	d.Say(d.Acme, "one", "second")
	d.deliver(t, d.Acme, chat.DeliveryParked, 500)
	all := ids(t, d.get(t, root, "deliveries"))
	state := func(n int) any {
		return d.get(t, root, fmt.Sprint("deliveries/", all[n])).Must(http.StatusOK).At("delivery", "state")
	}
	replay := func(body string, queued int) {
		t.Helper()
		a := d.post(t, root, "deliveries/replay", body).Must(http.StatusOK)
		if a.At("queued") != float64(queued) {
			t.Errorf("%s queued %s, want %d", body, a.Body, queued)
		}
	}
	replay(fmt.Sprintf(`{"delivery":%d}`, all[1]), 1)
	if state(0) != "parked" || state(1) != "queued" {
		t.Errorf("the states are %v and %v", state(0), state(1))
	}
	refused(t, d.post(t, root, "deliveries/replay", fmt.Sprintf(`{"delivery":%d}`, all[1])), 409, "conflict", "")
	d.deliver(t, d.Acme, chat.DeliveryDelivered, 200)
	if state(0) != "parked" || state(1) != "delivered" {
		t.Errorf("after it was sent: %v and %v", state(0), state(1))
	}
	endpoint, at := d.Acme.Task.Integrations[0].ID, d.Clock.Now().UTC()
	day := at.Format("2006-01-02")
	replay(fmt.Sprintf(`{"endpoint":%d,"from":"%sT00:00:00Z","to":"%sT01:00:00+00:00"}`, endpoint, day, day), 0) // too early
	replay(fmt.Sprintf(`{"conversation":%d,"from_seq":1000}`, id), 0)
	replay(fmt.Sprintf(`{"conversation":%d,"from_seq":1,"to_seq":1000}`, id), 1) // the parked one
	d.deliver(t, d.Acme, chat.DeliveryParked, 500)
	replay(fmt.Sprintf(`{"endpoint":%d,"state":"delivered","from":"%sT00:00:00Z"}`, endpoint, day), 1)
	d.deliver(t, d.Acme, chat.DeliveryDelivered, 200)
	replay(fmt.Sprintf(`{"endpoint":%d}`, endpoint), 1)
	if state(0) != "queued" {
		t.Errorf("the parked one is %v", state(0))
	}
}

func TestReplayRefuses(t *testing.T) {
	d := newDesk(t)
	root := d.operator(t, "root")
	for body, want := range map[string][3]string{
		``:                                  {"400", "missing", "delivery"},
		`{}`:                                {"400", "missing", "delivery"},
		`{"state":"parked"}`:                {"400", "missing", "delivery"},
		`{"from_seq":1,"endpoint":1}`:       {"400", "missing", "conversation"},
		`{"delivery":1,"endpoint":1}`:       {"400", "invalid", "delivery"},
		`{"delivery":1,"state":"parked"}`:   {"400", "invalid", "delivery"},
		`{"delivery":"1"}`:                  {"400", "invalid", "delivery"},
		`{"endpoint":1,"state":"queued"}`:   {"400", "invalid", "state"},
		`{"endpoint":1,"from":"yesterday"}`: {"400", "invalid", "from"},
		`{"endpoint":1,"to":5}`:             {"400", "invalid", "to"},
		`{"conversation":1,"to_seq":-1}`:    {"400", "invalid", "to_seq"},
		`{"conversations":1}`:               {"400", "invalid", "conversations"},
		`{"delivery":999999}`:               {"404", "not_found", ""},
	} {
		a := d.post(t, root, "deliveries/replay", body)
		if fmt.Sprint(a.Status) != want[0] {
			t.Errorf("%s: %d %s", body, a.Status, a.Body)
			continue
		}
		refused(t, a, a.Status, want[1], want[2])
	}
}

func TestEndpoints(t *testing.T) {
	d := newDesk(t)
	root := d.operator(t, "root")
	id := d.Acme.Task.Integrations[0].ID
	d.Say(d.Acme, "one", "hi")
	hook := func() map[string]any {
		var page struct{ Items []map[string]any }
		d.get(t, root, "endpoints").Must(http.StatusOK).Into(&page)
		for _, e := range page.Items {
			if e["id"] == float64(id) {
				return e
			}
		}
		t.Fatal("the integration is not listed")
		return nil
	}
	if e := hook(); e["kind"] != "integration" || e["name"] != "all" || e["paused"] != false || e["waiting"] != 1.0 || e["oldest_due"] == nil {
		t.Errorf("%v", e)
	}
	paused := d.post(t, root, fmt.Sprintf("endpoints/%d/pause", id), `{"reason":"moving house"}`).Must(http.StatusOK)
	if e := hook(); paused.At("paused") != true || e["paused"] != true || e["reason"] != "moving house" {
		t.Errorf("%s, %v", paused.Body, e)
	}
	resumed := d.post(t, root, fmt.Sprintf("endpoints/%d/resume", id), ``).Must(http.StatusOK)
	if e := hook(); resumed.At("paused") != false || e["paused"] != false || e["reason"] != "" {
		t.Errorf("%s, %v", resumed.Body, e)
	}
	refused(t, d.post(t, root, "endpoints/999999/pause", ""), 404, "not_found", "")
	refused(t, d.post(t, root, fmt.Sprintf("endpoints/%d/pause", id), `{"reason":7}`), 400, "invalid", "reason")
	refused(t, d.post(t, root, fmt.Sprintf("endpoints/%d/resume", id), `{"reason":"x"}`), 400, "invalid", "reason")
}

// Every message counts, of all authors, and each company sees its own.
func TestUsage(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	id := d.Say(d.Acme, "one", "hi").ConversationID
	d.Say(d.Acme, "two", "hi")
	d.Say(d.Rival, "three", "hi")
	d.post(t, ann, path(id, "/messages"), `{"text":"hello"}`).Must(http.StatusOK)
	a := d.get(t, ann, "usage").Must(http.StatusOK)
	want := fmt.Sprintf(`{"items":[{"task":{"id":%d,"name":"shop"},"conversations":2,"messages":3}],"next":null}`+"\n", d.Acme.Task.ID)
	if a.Body != want {
		t.Errorf("%s, want %s", a.Body, want)
	}
}
