package chatapi_test

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// subscribers is how many wait at a server for news.
func subscribers(t testing.TB, s *harness.Server) int {
	t.Helper()
	metrics := harness.Call(t, "GET", s.URL+"/metrics", nil)
	found := regexp.MustCompile(`(?m)^tolmach_hub_subscribers (\d+)`).FindSubmatch(metrics.Body)
	if found == nil {
		t.Fatalf("no metric of subscribers: %d", metrics.Status)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A server that is told to stop lets polls end at once, with nothing, and
// questions under way have their answers.
func TestStop(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		c := channel{name: "app"}
		s := on.Start(t, setup(c), scenario)
		a := newApp(t, s, c)
		a.ask("u", "hello")
		before := subscribers(t, s)
		const polls = 5
		type ended struct {
			reply harness.Reply
			err   error
			at    time.Time
		}
		call := func(into chan<- ended, method, url string, body any) {
			r, err := harness.TryCall(method, url, body)
			into <- ended{r, err, time.Now()}
		}
		polled, asked := make(chan ended, polls), make(chan ended, 1)
		for _, path := range []string{"u", "u", "u&cid=A", "stranger", "stranger&all=true&ts=0"} {
			go call(polled, "GET", a.url+"/events?clientId="+path, nil)
		}
		go call(asked, "POST", a.url, object{"clientId": "u", "query": "nap"})
		eventually(t, "the polls and the question wait", func() bool { return subscribers(t, s) == before+polls+1 })

		stopped := make(chan struct{})
		go func() { defer close(stopped); s.Stop() }()
		var last time.Time
		for range polls {
			e := <-polled
			if e.err != nil || e.reply.Status != 200 {
				t.Errorf("a poll ended with %d %s %v", e.reply.Status, e.reply.Body, e.err)
				continue
			}
			same(t, "a poll", e.reply.Body, `{"hasMore":false,"events":[]}`)
			last = e.at
		}
		e := <-asked
		if e.err != nil || e.reply.Status != 200 || decode[envelope](t, e.reply.Body).Data.Answer != "good morning" {
			t.Errorf("the question under way ended with %d %s %v", e.reply.Status, e.reply.Body, e.err)
		} else if !last.Before(e.at) {
			t.Error("the polls waited for the question")
		}
		<-stopped
	})
}
