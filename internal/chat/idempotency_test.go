package chat_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestOneKeyOneMessage sends one message 100 times at once.
func TestOneKeyOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const times = 100
	sends := map[string]func(k *talk) (chat.Accepted, error){
		"client": func(k *talk) (chat.Accepted, error) { return k.ClientMessage(k.ctx, k.bridge(), keyed(k, "key", "hi")) },
		"operator": func(k *talk) (chat.Accepted, error) {
			return k.OperatorMessage(k.ctx, k.operator("ann"), chat.OperatorMessage{
				ConversationID: k.id, Key: "key", Content: chat.Content{Text: "hi"},
			})
		},
	}
	for name, send := range sends {
		t.Run(name, func(t *testing.T) {
			k := w.talk(t, "shop")
			k.says("hello")
			before := k.conv()
			got := make([]chat.Accepted, times)
			var wg sync.WaitGroup
			for i := range got {
				wg.Go(func() {
					var err error
					if got[i], err = send(k); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			made := 0
			for i, a := range got {
				if !a.Duplicate {
					made++
				}
				if got[i].Duplicate = false; got[i] != got[0] {
					t.Errorf("one call got %+v, another %+v", got[i], got[0])
				}
			}
			if after := k.conv(); made != 1 || after.Messages != before.Messages+1 || after.Seq != before.Seq+1 {
				t.Errorf("%d calls made a message, and the conversation grew by %d", made, after.Messages-before.Messages)
			}
			if a := got[0]; a.ConversationID != k.id || a.MessageID != k.conv().LastMessageID || a.Seq != k.conv().Seq ||
				a.At != k.conv().LastAt || a.CreatedAt != before.CreatedAt {
				t.Errorf("what the calls got, %+v, is not what is stored: %+v", a, k.conv().Conversation)
			}
		})
	}
}

// keyed is a client's message under a key.
func keyed(k *talk, key, text string) chat.ClientMessage {
	m := chat.ClientMessage{Incoming: k.incoming(), Content: chat.Content{Text: text}}
	m.Key = key
	return m
}

// TestKeyOfAnotherRequest: a key stands for one request of one caller.
func TestKeyOfAnotherRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	original, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, "key", "hi"))
	k.must(err)
	k.id = original.ConversationID
	elsewhere := w.talk(t, "app")

	changed := map[string]func(m *chat.ClientMessage){
		"another text":         func(m *chat.ClientMessage) { m.Content.Text = "ho" },
		"an attachment":        func(m *chat.ClientMessage) { m.Content.Attachments = []chat.Attachment{{URL: "http://a/b"}} },
		"another payload":      func(m *chat.ClientMessage) { m.Payload = []byte(`{"a":1}`) },
		"another client":       func(m *chat.ClientMessage) { m.ExternalID = "somebody else" },
		"another task":         func(m *chat.ClientMessage) { m.TaskID = elsewhere.incoming().TaskID },
		"another conversation": func(m *chat.ClientMessage) { m.ConversationKey = "second" },
	}
	for name, change := range changed {
		t.Run(name, func(t *testing.T) {
			m := keyed(k, "key", "hi")
			change(&m)
			_, err := w.ClientMessage(w.ctx, w.bridge(), m)
			wantCode(t, err, chat.CodeConflict)
			if chat.ErrorField(err) != "Idempotency-Key" {
				t.Errorf("the error names %q", chat.ErrorField(err))
			}
		})
	}
	if k.conv().Messages != 1 {
		t.Errorf("the conflicts made %d messages", k.conv().Messages-1)
	}

	again, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, "key", "hi"))
	k.must(err)
	want := original
	if want.Duplicate = true; again != want {
		t.Errorf("the repetition got %+v, want %+v", again, want)
	}
	for _, other := range []chat.Actor{w.key("k-other"), w.channel("messenger")} {
		a, err := w.ClientMessage(w.ctx, other, keyed(k, "key", "another caller's words"))
		if err != nil || a.Duplicate {
			t.Errorf("the key of one caller met that of another: %+v, %v", a, err)
		}
	}
	first, err := w.OperatorMessage(w.ctx, w.operator("ann"), chat.OperatorMessage{ConversationID: k.id, Key: "key", Content: chat.Content{Text: "hi"}})
	if err != nil || first.Duplicate {
		t.Errorf("an operator's key met that of a caller: %+v, %v", first, err)
	}
	_, err = w.OperatorMessage(w.ctx, w.operator("ann"), chat.OperatorMessage{ConversationID: k.id, Key: "key", Content: chat.Content{Text: "ho"}})
	wantCode(t, err, chat.CodeConflict)
}

// TestRepetitionAfterTheWorldWentOn: a repeated call is answered by what it
// made, though the task takes nothing new by now.
func TestRepetitionAfterTheWorldWentOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	original, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, "key", "hi"))
	k.must(err)
	k.id = original.ConversationID
	k.closes("ann")
	stopped := company("acme", "")
	stopped.Tasks[0].Status = chat.TaskStopped
	w.apply(t, stopped)
	again, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, "key", "hi"))
	if err != nil || again.MessageID != original.MessageID || !again.Duplicate {
		t.Errorf("got %+v, %v, want the duplicate of %+v", again, err, original)
	}
}

// TestForgottenKeys: keys live as long as the retention says.
func TestForgottenKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.talk(t, "shop")
	const retention = 24 * time.Hour
	send := func() chat.Accepted {
		a, err := w.ClientMessage(w.ctx, w.bridge(), keyed(k, "key", "hi"))
		k.must(err)
		return a
	}
	send()
	w.clock.advance(retention)
	k.must(w.Prune(w.ctx, retention))
	if !send().Duplicate {
		t.Error("a key was forgotten too early")
	}
	w.clock.advance(time.Second)
	k.must(w.Prune(w.ctx, retention))
	if send().Duplicate {
		t.Error("a key outlived the retention")
	}
}
