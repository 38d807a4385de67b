package console_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/wiretest"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// The shapes, as the README shows them: ids and times are fixed by the world.
func TestShapes(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	a, err := d.ClientMessage(t.Context(), d.Actor(d.Acme), chat.ClientMessage{
		Incoming: chat.Incoming{
			TaskID: d.Acme.Task.ID, ExternalID: "123456789",
			Profile: map[string]string{"name": "Anna Petrova", "phone": "+998901234567"}, Metadata: map[string]any{"lang": "uz"},
		},
		Content: chat.Content{Text: "Do you deliver on <Sunday> & Monday?"},
	})
	if err != nil {
		t.Fatal(err)
	}
	bot := chat.Actor{Kind: chat.ActorBot, TenantID: d.Acme.Tenant.ID, ID: d.Acme.Task.Stops[0].Bot.ID}
	answer := chat.Answer{
		ConversationID: a.ConversationID, Question: a.Seq, Version: 1, Flags: []chat.Flags{chat.FlagInterest},
		Messages: []chat.Content{{Text: "Where to?", Buttons: []chat.Button{{Text: "Tashkent", Payload: "t"}}}},
	}
	if _, err := d.Answer(t.Context(), bot, answer); err != nil {
		t.Fatal(err)
	}
	golden(t, "conversations", d.get(t, ann, "conversations").Must(http.StatusOK))
	golden(t, "conversation", d.get(t, ann, path(a.ConversationID, "")).Must(http.StatusOK))
	golden(t, "message", d.post(t, ann, path(a.ConversationID, "/messages"), `{"text":"I am Anna","key":"k1","take":true}`).Must(http.StatusOK))
	golden(t, "take", d.post(t, ann, path(a.ConversationID, "/take"), "").Must(http.StatusOK))
	golden(t, "events", d.get(t, ann, path(a.ConversationID, "/events")).Must(http.StatusOK))
	d.deliver(t, d.Acme, chat.DeliveryParked, 500)
	list := d.get(t, ann, "deliveries?limit=1").Must(http.StatusOK)
	golden(t, "deliveries", list)
	golden(t, "delivery", d.get(t, ann, fmt.Sprint("deliveries/", ids(t, list)[0])).Must(http.StatusOK))
	golden(t, "endpoints", d.get(t, ann, "endpoints").Must(http.StatusOK))
	golden(t, "usage", d.get(t, ann, "usage").Must(http.StatusOK))
	golden(t, "error", d.get(t, ann, "conversations?owner=nobody").Must(http.StatusBadRequest))
}

func golden(t *testing.T, name string, a wiretest.Answer) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(a.Body), "", "  "); err != nil {
		t.Fatalf("not JSON: %v: %s", err, a.Body)
	}
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("%s: got %s\nwant %s", name, pretty.Bytes(), want)
	}
}

func TestConversationFilters(t *testing.T) {
	d := newDesk(t)
	ann, sue := d.operator(t, "ann"), d.operator(t, "sue")
	var all []int64
	for _, who := range []string{"bot", "queued", "anna's", "susan's"} {
		all = append(all, int64(d.Say(d.Acme, who, "hi").ConversationID))
	}
	bot, queued, annas, susans := all[0], all[1], all[2], all[3]
	if _, err := d.SetFlags(t.Context(), d.Actor(d.Acme), chat.ID(queued), map[string]bool{"operator": true}); err != nil {
		t.Fatal(err)
	}
	d.post(t, ann, path(chat.ID(annas), "/take"), "").Must(http.StatusOK)
	d.post(t, sue, path(chat.ID(susans), "/take"), "{}").Must(http.StatusOK)
	shop, given := d.Acme.Task.ID, d.Task(d.Acme.Tenant.ID, "given").ID
	for query, want := range map[string][]int64{
		"":                          all,
		"?owner=all":                all,
		"?owner=bot":                {bot},
		"?owner=queue":              {queued},
		"?owner=operator":           {annas, susans},
		"?owner=me":                 {annas},
		"?external_id=queued":       {queued},
		"?external_id=nobody":       {},
		fmt.Sprint("?task=", shop):  all,
		fmt.Sprint("?task=", given): {},
		"?task=999999":              {},
		fmt.Sprint("?channel=", d.Acme.Task.Channel.ID): all,
		"?owner=operator&external_id=anna's":            {annas},
		fmt.Sprint("?after=", queued):                   {annas, susans},
		"?limit=2":                                      {bot, queued},
		"?limit=100000":                                 all,
		fmt.Sprintf("?limit=1&after=%d", bot):           {queued},
	} {
		if got := ids(t, d.get(t, ann, "conversations"+query)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	for query, field := range map[string]string{
		"owner=nobody": "owner", "owner=Queue": "owner", "limit=x": "limit", "limit=-1": "limit", "after=1.5": "after", "after=9007199254740992": "after",
		"task=shop": "task", "channel=%00": "channel", "external_id=%00": "external_id", "external_id=%ff": "external_id", "ownr=me": "ownr",
		"owner=me&owner=bot": "owner",
	} {
		refused(t, d.get(t, ann, "conversations?"+query), 400, "invalid", field)
	}
	refused(t, d.get(t, ann, "conversations?a=%zz"), 400, "invalid", "")
	refused(t, d.get(t, "key-reader", "conversations?owner=me"), 400, "invalid", "owner")
}

// Walking with next visits everything once.
func TestPaging(t *testing.T) {
	d := newDesk(t)
	var all []int64
	for i := range 7 {
		all = append(all, int64(d.Say(d.Acme, fmt.Sprint(i), "hi").ConversationID))
	}
	walk := func(path string) (visited []int64) {
		after := "0"
		for range 20 {
			a := d.get(t, "key-reader", fmt.Sprintf("%s?limit=3&after=%s", path, after)).Must(http.StatusOK)
			visited = append(visited, ids(t, a)...)
			next, more := a.At("next").(float64)
			if !more {
				return visited
			}
			after = fmt.Sprintf("%.0f", next)
		}
		t.Fatal("it never ends")
		return nil
	}
	if got := walk("conversations"); !slices.Equal(got, all) {
		t.Errorf("conversations %v, want %v", got, all)
	}
	conversation := chat.ID(all[0])
	for i := range 5 {
		d.Say(d.Acme, "0", fmt.Sprint(i))
	}
	entries, err := d.Events(t.Context(), d.Actor(d.Acme), conversation, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := walk(strings.TrimSuffix(path(conversation, "/events"), "/")); len(got) != len(entries) || got[len(got)-1] != int64(entries[len(entries)-1].ID) {
		t.Errorf("events %v, want %d of them", got, len(entries))
	}
}

func TestWriting(t *testing.T) {
	d := newDesk(t)
	ann, sue := d.operator(t, "ann"), d.operator(t, "sue")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	owner := func() any { return d.get(t, ann, path(id, "")).Must(http.StatusOK).At("owner", "kind") }

	// Page messenger tasks stay with the bot unless the operator says so.
	first := d.post(t, ann, path(id, "/messages"), `{"text":"one","key":"k1"}`).Must(http.StatusOK)
	if owner() != "bot" {
		t.Errorf("after a plain message the owner is %v", owner())
	}
	again := d.post(t, ann, path(id, "/messages"), `{"text":"one","key":"k1"}`).Must(http.StatusOK)
	if again.At("message_id") != first.At("message_id") || again.At("duplicate") != true || first.At("duplicate") != false {
		t.Errorf("%s, then %s", first.Body, again.Body)
	}
	refused(t, d.post(t, ann, path(id, "/messages"), `{"text":"two","key":"k1"}`), 409, "conflict", "key")
	d.post(t, ann, path(id, "/messages"), `{"text":"two","take":false}`).Must(http.StatusOK)
	if owner() != "bot" {
		t.Errorf("take:false gave it to %v", owner())
	}
	d.post(t, ann, path(id, "/messages"), `{"text":"three","take":true}`).Must(http.StatusOK)
	if owner() != "operator" {
		t.Errorf("take:true left it with %v", owner())
	}
	// A colleague of the same role can't; a supervisor can.
	d.post(t, sue, path(id, "/take"), "").Must(http.StatusOK)
	refused(t, d.post(t, ann, path(id, "/take"), ""), 409, "conflict", "")

	for body, want := range map[string][2]string{
		`{}`: {"missing", "text"}, `{"text":""}`: {"missing", "text"}, `{"text":1}`: {"invalid", "text"}, `{"text":"x","key":1}`: {"invalid", "key"},
		`{"text":"x","take":"yes"}`: {"invalid", "take"}, `{"text":"x","tke":true}`: {"invalid", "tke"}, `{"text":"a\u0000"}`: {"invalid", "text"},
		`{"text":["x"]}`: {"invalid", "text"},
	} {
		refused(t, d.post(t, ann, path(id, "/messages"), body), 400, want[0], want[1])
	}
	refused(t, d.post(t, ann, path(id, "/messages"), `{"text":"`+strings.Repeat("x", 64<<10+1)+`"}`), 413, "too_large", "text")
	refused(t, d.post(t, ann, path(id, "/messages"), `{"text":"x","key":"`+strings.Repeat("x", 257)+`"}`), 413, "too_large", "key")
}

func TestTakeReturnClose(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	taken := d.post(t, ann, path(id, "/take"), "").Must(http.StatusOK)
	if taken.At("owner", "kind") != "operator" || taken.At("owner", "name") != "Anna" || taken.At("flags", "operator") != true {
		t.Errorf("taken: %s", taken.Body)
	}
	returned := d.post(t, ann, path(id, "/return"), "").Must(http.StatusOK)
	if returned.At("owner", "kind") != "bot" || returned.At("owner", "name") != "demo" || returned.At("flags", "operator") != false {
		t.Errorf("returned: %s", returned.Body)
	}
	closed := d.post(t, ann, path(id, "/close"), `{"result":"sold"}`).Must(http.StatusOK)
	if closed.At("owner") != nil || closed.At("session_id") != nil {
		t.Errorf("closed: %s", closed.Body)
	}
	refused(t, d.post(t, ann, path(id, "/close"), ""), 409, "conflict", "")
	refused(t, d.post(t, ann, path(id, "/return"), ""), 409, "conflict", "")
	refused(t, d.post(t, ann, path(id, "/close"), `{"result":"`+strings.Repeat("x", 4001)+`"}`), 413, "too_large", "result")
	refused(t, d.post(t, ann, path(id, "/close"), `{"result":{}}`), 400, "invalid", "result")
	refused(t, d.post(t, ann, path(id, "/take"), `{"force":true}`), 400, "invalid", "force")
	refused(t, d.post(t, ann, path(id, "/take?force=1"), ``), 400, "invalid", "force")
	events := d.get(t, ann, path(id, "/events")).Must(http.StatusOK)
	if !strings.Contains(events.Body, `"result":"sold"`) {
		t.Errorf("the result is not in the log: %s", events.Body)
	}
}

func TestFlags(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	id := d.Say(d.Acme, "client", "hi").ConversationID
	a := d.post(t, ann, path(id, "/flags"), `{"success":true,"close":true,"interest":false}`).Must(http.StatusOK)
	for name, want := range map[string]bool{"success": true, "close": true, "interest": false, "operator": false, "get_contact": false, "is_bot": false} {
		if a.At("flags", name) != want {
			t.Errorf("%s is %v", name, a.At("flags", name))
		}
	}
	if a = d.post(t, ann, path(id, "/flags"), `{"close":false}`).Must(http.StatusOK); a.At("flags", "close") != false || a.At("flags", "success") != true {
		t.Errorf("close was not cleared alone: %s", a.Body)
	}
	for body, field := range map[string]string{`{"won":true}`: "won", `{"success":"yes"}`: "success", `{"success":null}`: "success", `{"success":1}`: "success"} {
		refused(t, d.post(t, ann, path(id, "/flags"), body), 400, "invalid", field)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	d := newDesk(t)
	ann := d.operator(t, "ann")
	for _, p := range []string{"", "nonsense", "conversations/1/nonsense", "deliveries/1/2"} {
		refused(t, d.get(t, ann, p), 404, "not_found", "")
	}
	for p, allow := range map[string]string{"conversations": "GET", "login": "POST", "deliveries/replay": "POST", "conversations/1/messages": "POST"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
			if method == allow {
				continue
			}
			a := wiretest.Ask{Method: method, Path: "/console/api/" + p, Token: ann}.Do(t, d.handler)
			refused(t, a, 405, "method_not_allowed", "")
			if a.Header.Get("Allow") != allow {
				t.Errorf("%s %s allows %q", method, p, a.Header.Get("Allow"))
			}
		}
	}
	for _, p := range []string{"conversations/abc", "conversations/-1", "conversations/1.0", "deliveries/x", "conversations/9007199254740992/events"} {
		refused(t, d.get(t, ann, p), 400, "invalid", "id")
	}
	for _, p := range []string{"conversations/999999", "conversations/0", "deliveries/999999", "conversations/999999/events"} {
		refused(t, d.get(t, ann, p), 404, "not_found", "")
	}
}
