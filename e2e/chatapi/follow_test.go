package chatapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tolmach/tolmach/e2e/harness"
)

// The poll loop of the JavaScript client, behind a proxy that loses every third
// answer: everything comes once, and in order.
func TestJavaScriptFollows(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		c := channel{name: "app", keys: ", poll_ceiling: 1s"}
		s := on.Start(t, setup(c), scenario)
		a := newApp(t, s, c)
		lost, front := lossy(t, s.URL)
		printed := make(chan []string, 1)
		go func() { printed <- node(t, "follow.js", front+"/chatapi/"+c.token(), "u") }()
		eventually(t, "the first answer is lost", func() bool { return lost.Load() > 0 })
		const questions = 30
		for n := range questions {
			if n%2 == 0 {
				a.ask("u", fmt.Sprintf("echo %d", n))
			} else {
				a.async("u", fmt.Sprintf("echo %d", n))
			}
		}
		ann := signIn(t, s, "ann")
		a.until("u", "the last answer", func(found []event) bool { return len(found) == 2*questions }, "all", "true")
		ann.say(ann.conversation("u"), "the end")
		var got []string
		for _, line := range <-printed {
			e := decode[struct{ Type, QuestionID, Words string }](t, []byte(line))
			got = append(got, e.Type+" "+e.QuestionID+" "+e.Words)
		}
		var want []string
		for _, e := range a.everything("u", "0", "all", "true") {
			want = append(want, e.key()+" "+e.words())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the client saw\n%s\nin place of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		t.Logf("%d answers were lost", lost.Load())
	})
}

// lossy is a proxy to a server that cuts off every third answer, the first one
// among them, after the server has given it.
func lossy(t *testing.T, server string) (lost *atomic.Int64, address string) {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	lost = &atomic.Int64{}
	var answers atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{}
	proxy.ModifyResponse = func(*http.Response) error {
		if answers.Add(1)%3 == 1 {
			lost.Add(1)
			panic(http.ErrAbortHandler)
		}
		return nil
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(func() {
		front.Close()
		proxy.Transport.(*http.Transport).CloseIdleConnections()
	})
	return lost, front.URL
}
