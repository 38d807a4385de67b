package selarti_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/e2e/harness"
)

// tally counts how often each webhook came, by its id.
func tally(hooks []harness.Hook) map[string]int {
	times := map[string]int{}
	for _, h := range hooks {
		times[h.ID]++
	}
	return times
}

// Two servers on one PostgreSQL share lanes and timers: everything is said and
// sent once, in order, whichever took the message.
func TestTwoNodesShareTheWork(t *testing.T) {
	r := harness.Receive(t, nil)
	first := harness.PostgreSQL.Start(t, setup(r.URL, "", ""), scenario)
	nodes := []*bridge{logIn(t, first), nil}
	nodes[1] = logIn(t, first.Neighbour(t))
	const conversations, messages = 40, 4
	var all sync.WaitGroup
	for c := range conversations {
		all.Go(func() {
			for m := range messages {
				nodes[(c+m)%2].send(fmt.Sprintf("n%d", c), fmt.Sprintf("echo %d", m))
			}
		})
		all.Go(func() { nodes[c%2].send(fmt.Sprintf("late%d", c), "slow") }) // a timer answers
	}
	all.Wait()
	r.Wait(t, conversations, "the timers' answers", said("", "bot", "done"))
	ours := func(h harness.Hook) bool { return strings.HasPrefix(h.Text("external_chat_id"), "n") }
	checkOrder(t, r.Wait(t, conversations*messages*2, "all webhooks", ours), messages)
	for id, n := range tally(r.Hooks()) {
		if n != 1 {
			t.Errorf("webhook %s came %d times", id, n)
		}
	}
}

// A server that is killed leaves its work to its neighbour: nothing that was
// acknowledged is lost or out of order.
func TestOneOfTwoNodesKilled(t *testing.T) {
	t.Parallel() // it waits for leases to end
	r := harness.Receive(t, nil)
	doomed := harness.PostgreSQL.Start(t, setup(r.URL, "", ""), scenario)
	urls := []string{doomed.URL, doomed.Neighbour(t).URL}
	token := logIn(t, doomed).token // good at either
	const writers, each, killAt = 8, 60, 200
	acknowledged := [writers][]int{}
	var count sync.WaitGroup
	count.Add(killAt)
	var all sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for w := range writers {
		all.Go(func() {
			for n := range each {
				reply, err := harness.TryCall("POST", urls[n%2]+"/api/1.1/wf/send_external_message",
					map[string]any{"task_id": taskID, "chat_id": fmt.Sprintf("w%d", w), "message": fmt.Sprintf("echo %d", n)},
					"Authorization", "Bearer "+token)
				if err != nil || reply.Status != 200 {
					continue // of the one that is gone
				}
				acknowledged[w] = append(acknowledged[w], n)
				mu.Lock()
				if total++; total <= killAt {
					count.Done()
				}
				mu.Unlock()
			}
		})
	}
	count.Wait()
	doomed.Kill()
	all.Wait()
	for w, numbers := range acknowledged {
		if numbers[len(numbers)-1] != each-1 {
			t.Errorf("the neighbour did not take message %d of writer %d", each-1, w)
		}
		checkSeen(t, r, fmt.Sprintf("w%d", w), numbers)
	}
}

// A server that stands still past its leases, with calls under way, and wakes
// up again repeats nothing but these.
func TestOneOfTwoNodesStandsStill(t *testing.T) {
	t.Parallel() // it waits for leases to end
	const conversations = 10
	var held sync.WaitGroup
	held.Add(conversations)
	release := make(chan struct{})
	var mu sync.Mutex
	calls := 0
	r := harness.Receive(t, func(h harness.Hook) int {
		if h.Text("message_type") != "bot" {
			return 200
		}
		mu.Lock()
		calls++
		mine := calls
		mu.Unlock()
		if mine <= conversations {
			held.Done()
			<-release
		}
		return 200
	})
	sleeper := harness.PostgreSQL.Start(t, setup(r.URL, "", ""), scenario)
	b := logIn(t, sleeper)
	for c := range conversations {
		b.send(fmt.Sprintf("s%d", c), "echo 0")
	}
	held.Wait() // the webhook of each answer is under way, and nothing else
	sleeper.Freeze()
	close(release)
	awake := logIn(t, sleeper.Neighbour(t))
	for c := range conversations {
		awake.send(fmt.Sprintf("s%d", c), "echo 1") // behind what the sleeper holds
	}
	r.Wait(t, conversations, "what the sleeper left, and what came behind it", said("", "bot", "1"))
	sleeper.Thaw()
	for c := range conversations {
		b.send(fmt.Sprintf("s%d", c), "echo 2")
	}
	r.Wait(t, conversations, "what was said afterwards", said("", "bot", "2"))

	seen := map[string]bool{}
	var once []harness.Hook
	repeated := 0
	for _, h := range r.Hooks() {
		if seen[h.ID] {
			repeated++
			continue
		}
		seen[h.ID] = true
		once = append(once, h)
	}
	checkOrder(t, once, 3)
	if repeated > conversations {
		t.Errorf("%d webhooks came again; %d were under way", repeated, conversations)
	}
	for id, n := range tally(r.Hooks()) {
		if n > 2 {
			t.Errorf("webhook %s came %d times", id, n)
		}
	}
}
