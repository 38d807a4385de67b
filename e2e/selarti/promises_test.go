package selarti_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tolmach/tolmach/e2e/harness"
)

// One key a hundred times in parallel is one message and one webhook.
func TestOneKeyOneMessage(t *testing.T) { harness.OnEach(t, testOneKeyOneMessage) }

func testOneKeyOneMessage(t *testing.T, on harness.Engine) {
	r := harness.Receive(t, nil)
	s := on.Start(t, setup(r.URL, "", ""), scenario)
	b := logIn(t, s)
	var wg sync.WaitGroup
	ids := make([]string, 100)
	for i := range ids {
		wg.Go(func() {
			reply := b.post(map[string]any{"task_id": taskID, "chat_id": "k", "message": "echo once"}, "Idempotency-Key", "key-1")
			if reply.Status != 200 {
				t.Errorf("try %d answered %d %s", i, reply.Status, reply.Body)
				return
			}
			ids[i] = fmt.Sprint(reply.JSON(t)["response"].(map[string]any)["message_id"])
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || !bubble.MatchString(id) {
			t.Fatalf("message ids differ: %q and %q", id, ids[0])
		}
	}
	b.send("k", "echo marker")
	r.Wait(t, 1, "the marker", said("k", "bot", "marker"))
	for _, author := range []string{"user", "bot"} {
		n := 0
		for _, h := range r.Hooks() {
			if said("k", author, "")(h) && strings.HasSuffix(h.Text("message_text"), "once") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d webhooks of %s, want 1", n, author)
		}
	}
	if reply := b.post(map[string]any{"task_id": taskID, "chat_id": "k", "message": "another"}, "Idempotency-Key", "key-1"); reply.Status != 409 && reply.Status != 400 {
		t.Errorf("the key of another message answered %d %s", reply.Status, reply.Body)
	}
}

// A receiver that answers 500 for one conversation delays no other.
func TestOneIllConversation(t *testing.T) { harness.OnEach(t, testOneIllConversation) }

func testOneIllConversation(t *testing.T, on harness.Engine) {
	r := harness.Receive(t, func(h harness.Hook) int {
		if h.Text("external_chat_id") == "ill" {
			return 500
		}
		return 200
	})
	b := logIn(t, on.Start(t, setup(r.URL, "", ""), scenario))
	b.send("ill", "echo x")
	r.Wait(t, 1, "the first failure", func(h harness.Hook) bool { return h.Status == 500 })
	start := time.Now()
	for i := range 20 {
		b.send(fmt.Sprintf("well-%d", i), "echo y")
	}
	r.Wait(t, 20, "the others", said("", "bot", "y"))
	t.Logf("20 conversations beside an ill one took %v", time.Since(start))
	r.Wait(t, 3, "the ill one is tried again", said("ill", "", ""))
}

// A dead endpoint delays no live one.
func TestDeadEndpoint(t *testing.T) { harness.OnEach(t, testDeadEndpoint) }

func testDeadEndpoint(t *testing.T, on harness.Engine) {
	dead := harness.Receive(t, nil)
	dead.Shut()
	r := harness.Receive(t, nil)
	second := "  - name: dead\n    format: selarti\n    url: " + dead.URL + "/dead\n    events: [all_messages]\n"
	b := logIn(t, on.Start(t, setup(r.URL, second, ""), scenario))
	for i := range 50 {
		b.send(fmt.Sprintf("c%d", i), "echo z")
	}
	r.Wait(t, 50, "the live endpoint", said("", "bot", "z"))
}

// Order holds for 200 conversations in parallel with a flapping receiver.
func TestOrderWithFlappingReceiver(t *testing.T) { harness.OnEach(t, testOrderWithFlappingReceiver) }

func testOrderWithFlappingReceiver(t *testing.T, on harness.Engine) {
	var flap atomic.Int64
	r := harness.Receive(t, func(harness.Hook) int {
		if flap.Add(1)%7 == 0 || rand.IntN(10) == 0 {
			return http.StatusBadGateway
		}
		return 200
	})
	b := logIn(t, on.Start(t, setup(r.URL, "", ""), scenario))
	const conversations, messages = 200, 4
	var wg sync.WaitGroup
	for c := range conversations {
		wg.Go(func() {
			for m := range messages {
				b.send(fmt.Sprintf("o%d", c), fmt.Sprintf("echo %d", m))
			}
		})
	}
	wg.Wait()
	ok := func(h harness.Hook) bool { return h.Status == 200 }
	hooks := r.Wait(t, conversations*messages*2, "all webhooks", ok)
	checkOrder(t, hooks, messages)
}

// checkOrder demands each conversation's messages 0…n-1 once, in order, of the
// user and of the bot.
func checkOrder(t *testing.T, accepted []harness.Hook, messages int) {
	t.Helper()
	next := map[string]int{}
	for _, h := range accepted {
		chat := h.Text("external_chat_id") + "/" + h.Text("message_type")
		text := strings.TrimPrefix(h.Text("message_text"), "echo ")
		if text != fmt.Sprint(next[chat]) {
			t.Errorf("%s: got %s, want %d", chat, text, next[chat])
			return
		}
		next[chat]++
	}
	for chat, n := range next {
		if n != messages {
			t.Errorf("%s: %d messages, want %d", chat, n, messages)
		}
	}
}

// A receiver that was down across a restart gets everything, in order.
func TestReceiverDownAcrossRestart(t *testing.T) { harness.OnEach(t, testReceiverDownAcrossRestart) }

func testReceiverDownAcrossRestart(t *testing.T, on harness.Engine) {
	r := harness.Receive(t, nil)
	s := on.Start(t, setup(r.URL, "", ""), scenario)
	r.Shut()
	b := logIn(t, s)
	const conversations, messages = 10, 5
	for m := range messages {
		for c := range conversations {
			b.send(fmt.Sprintf("d%d", c), fmt.Sprintf("echo %d", m))
		}
	}
	s.Stop()
	s.Restart()
	r.Open()
	hooks := r.Wait(t, conversations*messages*2, "everything", func(h harness.Hook) bool { return h.Status == 200 })
	checkOrder(t, hooks, messages)
}

// kill -9 under load, ten times: nothing acknowledged is lost, nothing is out
// of order, and what is repeated was in flight.
func TestKillLosesNothing(t *testing.T) { harness.OnEach(t, testKillLosesNothing) }

func testKillLosesNothing(t *testing.T, on harness.Engine) {
	r := harness.Receive(t, nil)
	s := on.Start(t, setup(r.URL, "", ""), scenario)
	var mu sync.Mutex
	acknowledged := map[string][]int{} // chat → numbers, in order
	const writers = 8
	next := [writers]int{}
	for round := range 10 {
		b := logIn(t, s)
		base := s.URL
		stop := make(chan struct{})
		var wg sync.WaitGroup
		var sent atomic.Int64
		for w := range writers {
			wg.Go(func() {
				chat := fmt.Sprintf("w%d", w)
				for {
					select {
					case <-stop:
						return
					default:
					}
					n := next[w]
					next[w]++
					reply, err := harness.TryCall("POST", base+"/api/1.1/wf/send_external_message",
						map[string]any{"task_id": taskID, "chat_id": chat, "message": fmt.Sprintf("echo %d", n)}, "Authorization", "Bearer "+b.token)
					if err != nil {
						return // the server is gone
					}
					if reply.Status == 200 {
						mu.Lock()
						acknowledged[chat] = append(acknowledged[chat], n)
						mu.Unlock()
						sent.Add(1)
					}
				}
			})
		}
		want := int64(40 + rand.IntN(120))
		deadline := time.Now().Add(harness.Patience)
		for sent.Load() < want && time.Now().Before(deadline) {
			waitForCall(r)
		}
		s.Kill()
		close(stop)
		wg.Wait()
		t.Logf("round %d: killed after %d acknowledged messages", round+1, sent.Load())
		s.Restart()
	}
	total := 0
	for chat, numbers := range acknowledged {
		total += len(numbers)
		checkSeen(t, r, chat, numbers)
	}
	t.Logf("%d acknowledged messages, all delivered", total)
}

// waitForCall waits until something arrives at the receiver, or a moment.
func waitForCall(r *harness.Receiver) {
	n := len(r.Hooks())
	for range 100 {
		if len(r.Hooks()) > n {
			return
		}
		<-time.After(time.Millisecond)
	}
}

// checkSeen demands that every acknowledged message of a chat came, in order,
// not counting repetitions.
func checkSeen(t *testing.T, r *harness.Receiver, chat string, numbers []int) {
	t.Helper()
	last := fmt.Sprintf("echo %d", numbers[len(numbers)-1])
	r.Wait(t, 1, chat+": the last message", said(chat, "user", last))
	var seen []string
	ids := map[string]bool{}
	repeated := 0
	for _, h := range r.Hooks() {
		if !said(chat, "user", "")(h) {
			continue
		}
		if ids[h.ID] {
			repeated++
			continue
		}
		ids[h.ID] = true
		seen = append(seen, h.Text("message_text"))
	}
	i := 0
	for _, text := range seen {
		if i < len(numbers) && text == fmt.Sprintf("echo %d", numbers[i]) {
			i++
		}
	}
	if i != len(numbers) {
		t.Errorf("%s: message %d was acknowledged and is lost or out of order", chat, numbers[i])
	}
	if repeated > 10 {
		t.Errorf("%s: %d repetitions over ten kills, want at most one each", chat, repeated)
	}
}
