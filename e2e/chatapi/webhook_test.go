package chatapi_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// said matches the webhook of an answer.
func said(t testing.TB, client, text string) func(harness.Hook) bool {
	return func(h harness.Hook) bool {
		e := hooked(t, h)[0]
		return e.ClientID == client && (text == "" || e.Data.Answer == text)
	}
}

// The webhook gets what nobody was answered in his own call, as an array, in
// order per client, and nothing else.
func TestWebhook(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		r := harness.Receive(t, nil)
		c := channel{name: "app", keys: ", webhook_url: " + r.URL}
		s := on.Start(t, setup(c), scenario)
		a := newApp(t, s, c)
		t.Run("synchronous answers stay away", func(t *testing.T) {
			for n := range 3 {
				if got := a.ask("sync", fmt.Sprintf("echo no %d", n)); got.Data.Answer != fmt.Sprintf("no %d", n) {
					t.Fatalf("answered %q", got.Data.Answer)
				}
			}
			a.async("sync", "echo marker")
			r.Quiet(t, "a synchronous answer", said(t, "sync", "marker"), said(t, "sync", ""))
		})
		t.Run("asynchronous answers in order", func(t *testing.T) { inOrder(t, a, r) })
		t.Run("a reply that comes later", func(t *testing.T) {
			asked := a.ask("waits", "later")
			if asked.Data.Answer != "All right." {
				t.Errorf("answered %q", asked.Data.Answer)
			}
			late := hooked(t, r.Wait(t, 1, "the later reply", said(t, "waits", "It is later."))[0])[0]
			if late.QuestionID == "" || late.QuestionID == asked.QuestionID {
				t.Errorf("the later reply has the id %q of its question", late.QuestionID)
			}
			r.Quiet(t, "the answer", said(t, "waits", "It is later."), said(t, "waits", "All right."))
		})
		t.Run("an operator's reply", func(t *testing.T) {
			a.ask("person", "operator")
			ann := signIn(t, s, "ann")
			ann.say(ann.conversation("person"), "Anna here")
			hook := r.Wait(t, 1, "the operator's reply", said(t, "person", "Anna here"))[0]
			same(t, "the webhook", hook.Body, fmt.Sprintf(`[{"token":%q,"clientId":"person","questionId":"<text>",
				"data":{"nlpClass":"","confidence":"<number>","replies":[{"type":"text","text":"Anna here"}],"answer":"Anna here",
				"newSessionStarted":false,"debugData":[],"endSession":false},"timestamp":"<now>","blockForm":false,
				"operator":{"id":"<number>","name":"Anna"}}]`, c.token()))
		})
	})
}

func inOrder(t *testing.T, a *app, r *harness.Receiver) {
	const clients, each = 4, 15
	asked := make([][]string, clients)
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for n := range each {
				asked[c] = append(asked[c], a.async(fmt.Sprintf("c%d", c), fmt.Sprintf("echo %d", n)))
			}
		})
	}
	all.Wait()
	ours := func(h harness.Hook) bool { return hooked(t, h)[0].ClientID[0] == 'c' }
	came := make([][]string, clients)
	for _, h := range r.Wait(t, clients*each, "the answers", ours) {
		list := hooked(t, h)
		if len(list) != 1 {
			t.Errorf("%d answers in one webhook", len(list))
		}
		var c int
		if _, err := fmt.Sscanf(list[0].ClientID, "c%d", &c); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(len(came[c])); list[0].Data.Answer != want {
			t.Errorf("%s was told %s in place of %s", list[0].ClientID, list[0].Data.Answer, want)
		}
		came[c] = append(came[c], list[0].QuestionID)
	}
	for c := range clients {
		if !slices.Equal(asked[c], came[c]) {
			t.Errorf("c%d asked\n%v and was answered\n%v", c, asked[c], came[c])
		}
	}
}

// What a dead webhook can't be told is parked and NOT_SENT, and is read by
// /events all the same; a replay sends it and lifts the status.
func TestWebhookDead(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		r := harness.Receive(t, nil)
		r.Shut()
		c := channel{name: "app", keys: ", events_default: outside, webhook_url: " + r.URL}
		s := on.Start(t, setup(c), scenario, "--delivery-horizon", "1s") // an older event is parked at its next try
		a := newApp(t, s, c)
		id := a.async("u", "echo lost?")
		a.until("u", "the answer", func(found []event) bool { return len(found) == 1 && found[0].Event.QuestionID == id })
		status := func() string {
			return a.get("/client/u/message/" + id + "/status").JSON(t)["status"].(string)
		}
		eventually(t, "the status is NOT_SENT", func() bool { return status() == "NOT_SENT" })
		found := a.everything("u", "0")
		if len(found) != 1 || found[0].Event.QuestionID != id || found[0].Event.Data.Answer != "lost?" {
			t.Errorf("/events shows %+v", found)
		}
		r.Open()
		root := signIn(t, s, "root")
		if queued := root.call("POST", "/deliveries/replay", object{"conversation": root.conversation("u")}).JSON(t)["queued"]; queued != 1.0 {
			t.Errorf("%v deliveries are queued to be sent again", queued)
		}
		if came := hooked(t, r.Wait(t, 1, "the replay", nil)[0]); came[0].QuestionID != id {
			t.Errorf("the replay sent %+v", came)
		}
		eventually(t, "the status is SENT", func() bool { return status() == "SENT" })
	})
}

// eventually looks at the server until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(harness.Patience); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
