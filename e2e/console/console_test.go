package console_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// An operator's day: signs in, sees the queue fill, takes a conversation,
// answers, notes, closes, and hears of all of it as it happens.
func TestOperatorsDay(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		s := on.Start(t, setup, scenario)
		ann, c := signIn(t, s, "ann", "correct-horse-1"), bridge(t, s)
		for _, kind := range []string{"WebSocket", "SSE"} {
			l := ann.live(kind, "")
			if hello := l.next(); hello.Type != "hello" || hello.Epoch == "" {
				t.Fatalf("%s: %+v", kind, hello)
			}
			who := "client-" + kind
			c.say(who, "operator")
			given := l.event(func(m message) bool { return m.Event.Kind == "owner.changed" })
			id := ann.conversation(who)
			if given.Conversation != id {
				t.Errorf("%s: the queue got %d, want %d", kind, given.Conversation, id)
			}
			c.say(who, "is anybody there?")
			asked := l.event(func(m message) bool { return m.text() == "is anybody there?" })
			ann.call("POST", ann.path(id, "read"), map[string]any{"seq": asked.Event.Seq})
			l.event(func(m message) bool { return m.Event.Kind == "message.status" })
			ann.call("POST", ann.path(id, "take"), nil)
			ann.call("POST", ann.path(id, "notes"), map[string]any{"text": "a friend"})
			l.event(func(m message) bool { return m.Event.Kind == "note.added" })
			ann.call("POST", ann.path(id, "messages"), map[string]any{
				"text": "I am", "attachments": []any{map[string]any{"kind": "image", "url": "https://example.com/a.png"}},
			})
			l.event(func(m message) bool { return m.text() == "I am" && m.Event.Author == "OPERATOR" })
			found := ann.call("GET", "conversations?owner=me&status=open&flag=operator&text=i+AM", nil)["items"].([]any)
			if len(found) != 1 || found[0].(map[string]any)["unread"] != 0.0 {
				t.Errorf("%s: her conversations are %v", kind, found)
			}
			if load := ann.call("GET", "me", nil)["presence"].(map[string]any)["load"]; load != 1.0 {
				t.Errorf("%s: her load is %v", kind, load)
			}
			ann.call("POST", ann.path(id, "close"), map[string]any{"result": "sold"})
			l.event(func(m message) bool { return m.Event.Kind == "session.closed" })
		}
	})
}

// A page that is cut off again and again, also by a restart of the server, is
// told everything once and in order.
func TestResumeAfterACut(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		s := on.Start(t, setup, scenario)
		sue, c := signIn(t, s, "sue", "correct-horse-3"), bridge(t, s)
		c.say("client", "operator")
		l := sue.live("WebSocket", "?scope=all")
		hello := l.next()
		at, seqs := hello.Position, map[int64][]int64{}
		take := func(n int) {
			for range n {
				m := l.event(func(message) bool { return true })
				at = m.ID
				seqs[m.Conversation] = append(seqs[m.Conversation], m.Event.Seq)
			}
		}
		const clients, each = 5, 20
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				for n := range each {
					c.say(fmt.Sprint("client", i), fmt.Sprint(n))
				}
			})
		}
		for _, kind := range []string{"SSE", "WebSocket", "SSE"} {
			take(15)
			l.cut()
			l = sue.live(kind, fmt.Sprintf("?scope=all&after=%d&epoch=%s", at, hello.Epoch))
		}
		all.Wait()
		l.cut()
		s.Stop()
		s.Restart()
		sue = &operator{t, s.URL + "/console/api/", sue.token}
		l = sue.live("WebSocket", fmt.Sprintf("?scope=all&after=%d&epoch=%s", at, hello.Epoch))
		c.url = s.URL
		c.say("client", "the last")
		for m := l.next(); m.text() != "the last"; m = l.next() {
			switch m.Type {
			case "event":
				seqs[m.Conversation] = append(seqs[m.Conversation], m.Event.Seq)
			case "reload":
				t.Error("it has to reload")
			}
		}
		for i := range clients {
			id := sue.conversation(fmt.Sprint("client", i))
			var want []int64
			for _, e := range sue.call("GET", sue.path(id, "events"), nil)["items"].([]any) {
				want = append(want, int64(e.(map[string]any)["seq"].(float64)))
			}
			got := seqs[id]
			if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) || len(got) < each {
				t.Errorf("client%d: heard %v of %v", i, got, want)
			}
		}
	})
}

// Two operators act at once: one wins, the other is told who did.
func TestTwoActAtOnce(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		s := on.Start(t, setup, scenario)
		people := []*operator{signIn(t, s, "ann", "correct-horse-1"), signIn(t, s, "bob", "correct-horse-2")}
		names, c := []string{"Anna", "Robert"}, bridge(t, s)
		for round := range 10 {
			who := fmt.Sprint("client", round)
			c.say(who, "operator")
			id := people[0].conversation(who)
			var replies [2]harness.Reply
			var both sync.WaitGroup
			for i, o := range people {
				both.Go(func() { replies[i] = o.try("POST", o.path(id, "take"), nil) })
			}
			both.Wait()
			winner := slices.IndexFunc(replies[:], func(r harness.Reply) bool { return r.Status == 200 })
			if winner < 0 {
				t.Fatalf("nobody took it: %s, %s", replies[0].Body, replies[1].Body)
			}
			loser := 1 - winner
			if r := replies[loser]; r.Status != 409 || !strings.Contains(string(r.Body), names[winner]) {
				t.Errorf("the other one is told %d %s, want the name %s", r.Status, r.Body, names[winner])
			}
			// The winner closes while the other tries to give it away.
			both.Go(func() { replies[winner] = people[winner].try("POST", people[winner].path(id, "close"), nil) })
			both.Go(func() {
				replies[loser] = people[loser].try("POST", people[loser].path(id, "transfer"), map[string]any{"queue": true})
			})
			both.Wait()
			if replies[winner].Status != 200 || replies[loser].Status != 409 {
				t.Errorf("close %d, transfer by the other %d %s", replies[winner].Status, replies[loser].Status, replies[loser].Body)
			}
		}
	})
}

// A new password closes the connections of the old one within a second, on
// every node.
func TestPasswordClosesConnections(t *testing.T) {
	harness.OnEach(t, func(t *testing.T, on harness.Engine) {
		s := on.Start(t, setup, scenario)
		other := s
		if on == harness.PostgreSQL {
			other = s.Neighbour(t)
		}
		ann, bob := signIn(t, s, "ann", "correct-horse-1"), signIn(t, s, "bob", "correct-horse-2")
		socket, stream, stays := ann.live("WebSocket", ""), ann.live("SSE", ""), bob.live("WebSocket", "")
		for _, l := range []*line{socket, stream, stays} {
			l.next()
		}
		setPassword(t, other, "ann", "another-horse-1")
		start := time.Now()
		if code := socket.over(); code != 4401 {
			t.Errorf("the close code is %d", code)
		}
		for m := stream.next(); m.Type != "bye"; m = stream.next() {
		}
		stream.over()
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if r := ann.try("GET", "me", nil); r.Status != 401 {
			t.Errorf("the old session answers %d", r.Status)
		}
		bridge(t, s).say("client", "operator")
		stays.event(func(m message) bool { return m.Event.Kind == "owner.changed" })
	})
}

func setPassword(t *testing.T, s *harness.Server, login, password string) {
	t.Helper()
	cmd := exec.Command(harness.Binary(t), "user", "password", login, "--data", filepath.Join(s.Dir, "data"))
	cmd.Stdin = strings.NewReader(password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
