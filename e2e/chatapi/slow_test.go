package chatapi_test

import (
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// A bot that is slower than the channel waits: 408, then the answer comes late,
// under an id of its own. Who asks the same again gets it.
func TestSlowBot(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		r := harness.Receive(t, nil)
		c := channel{name: "app", keys: ", sync_timeout: 1s, events_default: outside, webhook_url: " + r.URL}
		s := on.Start(t, setup(c), scenario)
		a := newApp(t, s, c)
		question := `{"clientId":"u","query":"nap","questionId":"q-1"}`
		began := time.Now()
		timeout := harness.Call(t, "POST", a.url, question)
		if took := time.Since(began); took < time.Second {
			t.Errorf("the caller was let go after %v; the channel waits for 1 s", took)
		}
		if timeout.Status != 408 {
			t.Fatalf("a slow bot: %d %s", timeout.Status, timeout.Body)
		}
		same(t, "the timeout", timeout.Body, `{"timestamp":"<now>","status":408,"error":"Request Timeout","exception":"<text>",
			"message":"Request timeout","path":"/chatapi/`+c.token()+`"}`)

		late := hooked(t, r.Wait(t, 1, "the late answer", nil)[0])[0]
		if late.QuestionID == "" || late.QuestionID == "q-1" || late.Data.Answer != "good morning" {
			t.Errorf("the late answer is %+v", late)
		}
		found := a.everything("u", "0")
		if len(found) != 1 || found[0].Type != "botResponse" || found[0].Event.QuestionID != late.QuestionID {
			t.Errorf("/events shows %+v, the webhook had the id %s", found, late.QuestionID)
		}

		again := harness.Call(t, "POST", a.url, question)
		if got := decode[envelope](t, again.Body); again.Status != 200 || got.Data.Answer != "good morning" || got.QuestionID != late.QuestionID {
			t.Errorf("the same question again: %d %s", again.Status, again.Body)
		}
		checkHistory(t, a, "u", "request", "botResponse") // no second turn
		for _, id := range []string{"q-1", late.QuestionID} {
			if status := a.get("/client/u/message/" + id + "/status").JSON(t)["status"]; status != "SENT" {
				t.Errorf("the status of %s is %v", id, status)
			}
		}
	})
}

// checkHistory compares the types of a client's history.
func checkHistory(t *testing.T, a *app, client string, types ...string) {
	t.Helper()
	found := decode[eventList](t, a.get("/client/"+client+"/history").Body)
	ok := len(found.Events) == len(types)
	for i := 0; ok && i < len(types); i++ {
		ok = found.Events[i].Type == types[i]
	}
	if !ok {
		t.Errorf("the history of %s is %+v, want %v", client, found.Events, types)
	}
}
