package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tolmach/tolmach/internal/chat"
)

// TestPackedRows: every field of every row comes back, whatever fields there
// will be, and shares no memory with what was packed.
func TestPackedRows(t *testing.T) {
	t.Run("client", packs[chat.Client])
	t.Run("conversation", packs[chat.Conversation])
	t.Run("session", packs[chat.Session])
}

func packs[T any](t *testing.T) {
	p := newPacker[T](0)
	for _, sign := range []int64{1, -1} {
		row, n := new(T), sign*1000
		fill(t, reflect.ValueOf(row).Elem(), &n, sign)
		packed, _, err := p.pack(row)
		if err != nil {
			t.Fatal(err)
		}
		a, errA := p.unpack(packed)
		b, errB := p.unpack(packed)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, row) {
			t.Errorf("came back as\n%+v, want\n%+v", a, row)
		}
		spoil(reflect.ValueOf(a).Elem())
		if !reflect.DeepEqual(b, row) {
			t.Error("two copies share memory")
		}
		for cut := range packed {
			if _, err := p.unpack(packed[:cut]); err == nil {
				t.Fatalf("%d of %d bytes were taken for a row", cut, len(packed))
			}
		}
	}
}

// fill gives every field a value of its own.
func fill(t *testing.T, v reflect.Value, n *int64, sign int64) {
	*n += sign
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n, sign)
		}
	case v.CanInt():
		v.SetInt(*n)
	case v.CanUint():
		v.SetUint(uint64(*n * sign))
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("text\x00 %d <&> ы", *n))
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.String:
		v.Set(reflect.ValueOf(map[string]string{"key": fmt.Sprint(*n)}))
	case v.Kind() == reflect.Map:
		v.Set(reflect.ValueOf(map[string]any{"key": fmt.Sprint(*n), "deep": map[string]any{"list": []any{1.5, "<"}}}))
	case v.Type() == reflect.TypeFor[json.RawMessage]():
		v.SetBytes(fmt.Appendf(nil, `{"n": %d}`, *n))
	case v.Type() == reflect.TypeFor[[]chat.ID]():
		v.Set(reflect.ValueOf([]chat.ID{chat.ID(*n), 2}))
	default:
		t.Fatalf("the test can't fill a %s", v.Type())
	}
}

// spoil overwrites what maps and lists hold.
func spoil(v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Map:
			for _, k := range f.MapKeys() {
				if deep, ok := f.MapIndex(k).Interface().(map[string]any); ok {
					deep["list"] = nil
				}
				f.SetMapIndex(k, reflect.Zero(f.Type().Elem()))
			}
		case reflect.Slice:
			f.Index(0).SetZero()
		case reflect.Struct:
			spoil(f)
		}
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent[int](10*(overhead+5), func(v string) int { return len(v) })
	for i := range 1000 {
		r.put(i, "value")
		if _, ok := r.get(7); i > 7 && !ok {
			t.Fatalf("what is used all the time was forgotten after %d", i)
		}
		if n := len(r.young) + len(r.old); n > 20 {
			t.Fatalf("%d are remembered, there is room for 20", n)
		}
		if i > 10 {
			if _, ok := r.get(i - 3); !ok {
				t.Fatalf("%d was forgotten at %d", i-3, i)
			}
		}
	}
	r.put(1, strings.Repeat("x", 5000))
	if _, ok := r.get(1); ok {
		t.Error("what has no room is remembered, or what it was before")
	}
}

// TestRecentUndo: what was undone leaves nothing behind, neither itself nor
// what had been true some time before it.
func TestRecentUndo(t *testing.T) {
	r := newRecent[int](2*overhead, nothing[string])
	r.put(1, "first")
	r.put(2, "")
	r.put(3, "") // 1 and 2 are old now
	r.put(1, "second")
	r.mark()
	r.put(1, "third")
	r.undo()
	if v, ok := r.get(1); ok {
		t.Errorf("%q is remembered of what was undone", v)
	}
}

// TestCacheOfLanes: a lane that was dropped is woken again.
func TestCacheOfLanes(t *testing.T) {
	s, stop := running(t, testOptions(t.TempDir()))
	defer stop()
	for range 3 {
		err := s.Update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
			if err := errors.Join(tx.WakeLane(1, 9, 1, 1), tx.WakeLane(1, 9, 1, 2)); err != nil {
				return err
			}
			l, err := tx.Lane(1, 9, 1)
			if err != nil {
				return err
			}
			return tx.DropLane(l)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestCacheOfABatch: what a use case of a batch wrote counts for the next one,
// and what a failed one wrote for nobody.
func TestCacheOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		var client chat.ID
		g.submit("make", chat.PriorityNormal, func(tx chat.Tx) (err error) {
			client, err = cachedTalk(tx)
			return err
		})
		g.submit("fails", chat.PriorityNormal, func(tx chat.Tx) error {
			return errors.Join(rename(tx, client, "nobody"), tx.WakeLane(1, 9, 1, 1), tx.CancelTimers(1, 1, chat.TimerLate),
				chat.Errorf(chat.CodeClosed, "no"))
		})
		var names []string
		look := func(tx chat.Tx) error {
			c, err := tx.ClientByExternalID(1, 2, "anna")
			if err == nil {
				names = append(names, c.Profile["name"])
			}
			return err
		}
		g.submit("look", chat.PriorityNormal, look)
		g.submit("rename", chat.PriorityNormal, func(tx chat.Tx) error { return rename(tx, client, "Bella") })
		g.submit("look again", chat.PriorityBulk, look)
		g.submit("wake", chat.PriorityNormal, func(tx chat.Tx) error {
			if err := tx.WakeLane(1, 9, 1, 1); err != nil {
				return err
			}
			_, err := tx.Lane(1, 9, 1)
			return err
		})
		g.pass()
		g.want("", "make", "look", "rename", "look again", "wake")
		if !slices.Equal(names, []string{"Anna", "Bella"}) {
			t.Errorf("the batch saw %v, want Anna and Bella", names)
		}
	})
}

// TestCacheAfterALostCommit: what was not committed is not known.
func TestCacheAfterALostCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, nil)
		var client chat.ID
		g.submit("make", chat.PriorityNormal, func(tx chat.Tx) (err error) {
			client, err = cachedTalk(tx)
			return err
		})
		g.pass()
		g.close()
		g.submit("rename", chat.PriorityNormal, func(tx chat.Tx) error { return rename(tx, client, "Bella") })
		g.submit("spoils", chat.PriorityNormal, func(chat.Tx) error {
			return g.store.writer.conn.Script(`CREATE TABLE debt (id INTEGER PRIMARY KEY, of INTEGER
				REFERENCES debt (id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO debt VALUES (1, 2)`)
		})
		g.pass()
		g.want(chat.CodeUnavailable, "rename")
		g.close()
		g.submit("look", chat.PriorityNormal, wantName(client, "Anna"))
		g.pass()
		g.want("", "look")
	})
}

// TestCacheBesideOthers: what a statement wrote that the cache knows nothing
// of, or another process, is seen.
func TestCacheBesideOthers(t *testing.T) {
	o := testOptions(t.TempDir())
	s, stop := running(t, o)
	defer stop()
	var client chat.ID
	update := func(fn func(tx chat.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), chat.PriorityNormal, fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(cached chat.Tx) (err error) {
		client, err = cachedTalk(cached)
		return err
	})
	const change = `UPDATE clients SET profile = '{"name":"Clara"}'`
	update(func(cached chat.Tx) error {
		_, err := cached.(*tx).guard.Exec(change)
		return errors.Join(err, wantName(client, "Clara")(cached))
	})
	update(func(cached chat.Tx) error { return rename(cached, client, "Dora") })
	other, err := connectWith("file:"+o.Path, writerPragmas)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := other.Script(change); err != nil {
		t.Fatal(err)
	}
	update(wantName(client, "Clara"))
}

// TestCacheKnowsTenants: a row that is known is nobody else's all the same.
func TestCacheKnowsTenants(t *testing.T) {
	s, stop := running(t, testOptions(t.TempDir()))
	defer stop()
	err := s.Update(context.Background(), chat.PriorityNormal, func(cached chat.Tx) error {
		client, err := cachedTalk(cached)
		if err != nil {
			return err
		}
		_, ofClient := cached.Client(2, client)
		_, ofName := cached.ClientByExternalID(2, 2, "anna")
		_, ofTalk := cached.Conversation(2, client+1)
		_, ofKey := cached.ConversationByKey(2, 3, client, "")
		_, ofSession := cached.Session(2, client+2)
		for _, err := range []error{ofClient, ofName, ofTalk, ofKey, ofSession} {
			if chat.ErrorCode(err) != chat.CodeNotFound {
				t.Errorf("another tenant's read gave %v, want CodeNotFound", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// cachedTalk makes a client, Anna, with a conversation and a session, whose
// ids follow hers.
func cachedTalk(tx chat.Tx) (chat.ID, error) {
	id, err := tx.NextID()
	for range 2 {
		if err == nil {
			_, err = tx.NextID()
		}
	}
	if err != nil {
		return 0, err
	}
	return id, errors.Join(
		tx.CreateClient(&chat.Client{ID: id, TenantID: 1, Profile: map[string]string{"name": "Anna"}}),
		tx.LinkExternalID(1, 2, "anna", id),
		tx.CreateConversation(&chat.Conversation{ID: id + 1, TenantID: 1, ClientID: id, TaskID: 3}),
		tx.CreateSession(&chat.Session{ID: id + 2, TenantID: 1, ConversationID: id + 1}),
	)
}

func rename(tx chat.Tx, client chat.ID, name string) error {
	c, err := tx.Client(1, client)
	if err != nil {
		return err
	}
	c.Profile["name"] = name
	return tx.SaveClient(c)
}

func wantName(client chat.ID, name string) func(tx chat.Tx) error {
	return func(tx chat.Tx) error {
		c, err := tx.Client(1, client)
		if err == nil && c.Profile["name"] != name {
			err = fmt.Errorf("the client is %q, want %q", c.Profile["name"], name)
		}
		return err
	}
}
