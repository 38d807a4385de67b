package chat_test

import (
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// Every message of every author counts, per task and for its tenant only.
func TestUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two, site := w.talk(t, "shop"), w.talk(t, "shop"), w.talk(t, "site")
	one.says("hello")
	one.hears("hi", "how can I help?")
	one.writes("ann", "and I am Ann")
	two.says("hello")
	site.says("hello")
	got, err := w.Usage(w.ctx, w.bridge())
	one.must(err)
	want := []chat.TaskUsage{
		{TaskID: w.task("shop").ID, Conversations: 2, Messages: 5}, {TaskID: w.task("site").ID, Conversations: 1, Messages: 1},
	}
	slices.SortFunc(want, func(a, b chat.TaskUsage) int { return int(a.TaskID - b.TaskID) })
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	theirs, err := w.Usage(w.ctx, w.key("k-bridge-rival"))
	one.must(err)
	if len(theirs) != 0 {
		t.Errorf("a rival sees %+v", theirs)
	}
	_, err = w.Usage(w.ctx, w.channel("messenger"))
	wantCode(t, err, chat.CodeForbidden)
}
