package sqlite

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

var cuts = flag.Int("cuts", 24, "power cuts of TestPowerCut")

// callers write at the same time, each to a conversation of its own.
const callers = 6

// acknowledged is the mark of one acknowledged message: the number of it in
// its caller's conversation.
type acknowledged struct{ caller, number int }

// deaf is what is outside the core: nobody.
type deaf struct{}

func (deaf) Publish(chat.Notice)                    {}
func (deaf) Subscribe(chat.Topic) chat.Subscription { return deaf{} }
func (deaf) C() <-chan chat.Notice                  { return nil }
func (deaf) Close()                                 {}
func (deaf) Wake([]chat.ID)                         {}
func (deaf) Available(*chat.Bot) bool               { return true }
func (deaf) Hash(password string) (string, error)   { return password, nil }
func (deaf) Matches(hash, password string) bool     { return hash == password }
func (deaf) actor(tenant chat.ID) (actor chat.Actor) {
	return chat.Actor{Kind: chat.ActorAPIKey, TenantID: tenant, ID: 1, Scopes: chat.Scopes()}
}

// core opens the core over a running store.
func core(t testing.TB, s *Store) *chat.Service {
	t.Helper()
	svc, err := chat.New(context.Background(), chat.Options{
		Store: s, Bus: deaf{}, Waker: deaf{}, Bots: deaf{}, Passwords: deaf{}, Formats: []string{"native"},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func setUp(t testing.TB, svc *chat.Service) (tenant, task chat.ID) {
	t.Helper()
	_, err := svc.Apply(context.Background(), chat.Actor{Kind: chat.ActorAdmin}, []chat.Setup{{
		Tenant:       "local",
		Channels:     []chat.Channel{{Name: "messenger", Kind: chat.ChannelPageMessenger, Token: "m"}},
		Bots:         []chat.Bot{{Name: "demo", Kind: chat.BotScenario, Scenario: "states: []"}},
		Integrations: []chat.Integration{{Name: "all", Format: "native", URL: "http://a", Events: []string{chat.AllMessages}}},
		Tasks:        []chat.Task{{Name: "shop", Channel: "messenger", Bot: "demo", Integrations: []string{"all"}}},
	}}, chat.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tenant = svc.Catalog().TenantByName("local").ID
	return tenant, svc.Catalog().Tasks(tenant)[0].ID
}

// life lets callers write for a while on a disk, over a restart, and returns
// what reached it. pages is how many pages the write-ahead log gathers before a
// checkpoint.
func life(t *testing.T, pages, messages int, pragmas string) []op {
	t.Helper()
	d := newDisk(t)
	o := testOptions(t.TempDir())
	o.vfs = d.name
	for from := 0; from < messages; from += messages / 2 {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.writer.conn.Script(fmt.Sprintf(`PRAGMA wal_autocheckpoint = %d; %s`, pages, pragmas)); err != nil {
			t.Fatal(err)
		}
		stop := run(t, s)
		converse(t, d, core(t, s), from, from+messages/2)
		stop()
	}
	return d.recorded()
}

// converse lets every caller send the messages from…to-1, each after the one
// before was acknowledged.
func converse(t *testing.T, d *disk, svc *chat.Service, from, to int) {
	t.Helper()
	tenant, task := setUp(t, svc)
	var work sync.WaitGroup
	for caller := range callers {
		work.Go(func() {
			for n := from; n < to; n++ {
				if err := say(svc, tenant, task, caller, n); err != nil {
					t.Error(err)
					return
				}
				d.mark(acknowledged{caller, n})
			}
		})
	}
	work.Wait()
}

func say(svc *chat.Service, tenant, task chat.ID, caller, number int) error {
	_, err := svc.ClientMessage(context.Background(), deaf{}.actor(tenant), chat.ClientMessage{
		Incoming: chat.Incoming{TaskID: task, ExternalID: fmt.Sprint("caller ", caller), Key: fmt.Sprintf("%d/%d", caller, number)},
		Content:  chat.Content{Text: fmt.Sprint("message ", number)},
	})
	return err
}

// TestPowerCut cuts the power at random moments, half of them right at a sync,
// drops what was not synced (all of it, none, or some sectors), and opens what
// is left: the database is sound, each conversation is a whole piece of what
// its caller wrote, and what was acknowledged before the cut is in it.
func TestPowerCut(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	lives := max(2, *cuts/25)
	done, acked, more, gone := 0, 0, 0, 0
	for i := range lives {
		ops := life(t, []int{20, 4000}[i%2], 30, "")
		for ; done < *cuts*(i+1)/lives; done++ {
			at := moment(ops, random)
			lost, promised, stored := reopen(t, ops[:at], random)
			if lost > 0 {
				t.Errorf("a cut behind operation %d of %d lost %d acknowledged messages", at, len(ops), lost)
			}
			gone += lost
			acked += promised
			more += stored - promised
		}
	}
	t.Logf("%d power cuts in %d lives: %d messages were acknowledged before them, %d of them lost; %d more had reached the disk",
		done, lives, acked, gone, more)
}

// TestPowerCutWouldShow: the same cuts find the loss when commits are not
// synced, so that finding none means something.
func TestPowerCutWouldShow(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 0))
	ops := life(t, 4000, 30, `PRAGMA synchronous = NORMAL`)
	for range 100 {
		if lost, _, _ := reopen(t, ops[:moment(ops, random)], random); lost > 0 {
			return
		}
	}
	t.Error("100 cuts lost nothing though nothing was synced; the disk of this test forgets nothing")
}

// moment is where to cut: anywhere, or around a sync.
func moment(ops []op, random *rand.Rand) int {
	at := 1 + random.IntN(len(ops))
	if random.IntN(2) == 0 {
		return at
	}
	for i := at; i < len(ops); i++ {
		if ops[i].kind == opSync {
			return i + random.IntN(2) // just before it, or just behind
		}
	}
	return at
}

// reopen opens what remains of the operations and counts.
func reopen(t *testing.T, ops []op, random *rand.Rand) (lost, promised, stored int) {
	t.Helper()
	want := [callers]int{}
	for _, o := range ops {
		if a, ok := o.mark.(acknowledged); ok {
			want[a.caller] = a.number + 1
		}
	}
	o := testOptions(t.TempDir())
	restore(t, filepath.Dir(o.Path), remains(ops, random), random)
	s, stop := running(t, o)
	defer stop()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	has := said(t, s)
	for caller, n := range want {
		promised += n
		stored += has[caller]
		lost += max(0, n-has[caller])
	}
	return lost, promised, stored
}

// said counts each caller's messages, which must be 0, 1, … in a log without
// gaps.
func said(t *testing.T, s *Store) (has [callers]int) {
	t.Helper()
	err := s.View(context.Background(), func(r chat.Reader) error {
		tenants, err := r.Tenants()
		if err != nil {
			return err
		}
		for _, tenant := range tenants {
			list, err := r.Conversations(tenant.ID, chat.ConversationFilter{Limit: 1000})
			if err != nil {
				return err
			}
			for i := range list {
				if err := readLog(t, r, &list[i].Conversation, &has); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return has
}

func readLog(t *testing.T, r chat.Reader, c *chat.Conversation, has *[callers]int) error {
	t.Helper()
	entries, err := r.Events(c.TenantID, c.ID, 0, 10_000)
	if err != nil {
		return err
	}
	if int64(len(entries)) != c.Seq {
		t.Errorf("%s: the log has %d events and the conversation is at %d", c.ExternalID, len(entries), c.Seq)
	}
	var caller int
	if _, err := fmt.Sscanf(c.ExternalID, "caller %d", &caller); err != nil {
		return err
	}
	for i, e := range entries {
		if e.Seq != int64(i+1) {
			t.Errorf("%s: event %d follows %d", c.ExternalID, e.Seq, i)
		}
		if e.Message == nil {
			continue
		}
		if want := fmt.Sprint("message ", has[caller]); e.Message.Content.Text != want {
			t.Errorf("%s: %q is stored where %q was sent", c.ExternalID, e.Message.Content.Text, want)
		}
		has[caller]++
	}
	return nil
}
