package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tolmach/tolmach/internal/chat"
)

const (
	tenant = chat.ID(5001)
	hook   = chat.ID(6004)
)

// talk makes a client with a conversation and returns the conversation's id.
func talk(tx chat.Tx) (chat.ID, error) {
	client, err := tx.NextID()
	if err != nil {
		return 0, err
	}
	id, err := tx.NextID()
	if err != nil {
		return 0, err
	}
	if err := tx.CreateClient(&chat.Client{ID: client, TenantID: tenant}); err != nil {
		return 0, err
	}
	return id, tx.CreateConversation(&chat.Conversation{ID: id, TenantID: tenant, ClientID: client})
}

func newTalk(t testing.TB, s *Store) (conversation chat.ID) {
	t.Helper()
	update(t, s, func(tx chat.Tx) (err error) {
		conversation, err = talk(tx)
		return err
	})
	return conversation
}

// say appends an event as a use case does and returns its id.
func say(tx chat.Tx, conversation chat.ID) (chat.ID, error) {
	conv, err := tx.Conversation(tenant, conversation)
	if err != nil {
		return 0, err
	}
	client, err := tx.Client(tenant, conv.ClientID)
	if err != nil {
		return 0, err
	}
	id, err := tx.NextID()
	if err != nil {
		return 0, err
	}
	conv.Seq++
	client.LastAt = max(tx.Now(), client.LastAt+1)
	e := chat.Event{ID: id, TenantID: tenant, ConversationID: conv.ID, ClientID: client.ID, Seq: conv.Seq, At: client.LastAt, Kind: chat.EventClientChanged}
	if err := tx.AppendEvent(&e); err != nil {
		return 0, err
	}
	if err := tx.SaveConversation(conv); err != nil {
		return 0, err
	}
	return id, tx.SaveClient(client)
}

// feed is the ids that the feed shows after one.
func feed(t testing.TB, s *Store, after chat.ID) []chat.ID {
	t.Helper()
	var ids []chat.ID
	err := s.View(context.Background(), func(r chat.Reader) error {
		ids = nil
		entries, err := r.Feed(tenant, after, 1000)
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		return err
	})
	if err != nil {
		t.Fatalf("Feed: %v", err)
	}
	return ids
}

// held is a use case that stands still inside its transaction.
type held struct {
	ready chan error
	let   chan error
	ended sync.WaitGroup
	err   error
}

// hold runs a use case alone, waits until it has done its work, and keeps its
// transaction open until end is called; then it does the rest.
func hold(t testing.TB, s *Store, fn func(tx chat.Tx) error, rest ...func(tx chat.Tx) error) *held {
	t.Helper()
	return holdIn(t, s.alone, fn, rest...)
}

// updater is Store.Update, or one of the two ways that it goes.
type updater func(ctx context.Context, priority chat.Priority, fn func(tx chat.Tx) error) error

func holdIn(t testing.TB, update updater, fn func(tx chat.Tx) error, rest ...func(tx chat.Tx) error) *held {
	t.Helper()
	h := &held{ready: make(chan error, 1), let: make(chan error, 1)}
	t.Cleanup(func() { // of a test that failed meanwhile
		select {
		case h.let <- errors.New("the test is over"):
		default:
		}
		h.ended.Wait()
	})
	h.ended.Go(func() {
		h.err = update(context.Background(), chat.PriorityNormal, func(tx chat.Tx) error {
			err := fn(tx)
			h.ready <- err
			if err != nil {
				return err
			}
			err = <-h.let
			for _, last := range rest {
				err = errors.Join(err, last(tx))
			}
			return err
		})
	})
	if err := <-h.ready; err != nil {
		t.Fatalf("the held use case: %v", err)
	}
	return h
}

// end lets it go on with a result, and returns what came of it.
func (h *held) end(result error) error {
	h.let <- result
	h.ended.Wait()
	return h.err
}

// spy is a connection beside the store, for looking at the server.
func spy(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// ask returns the only value of a query.
func ask[T any](t testing.TB, c *pgx.Conn, query string, args ...any) (v T) {
	t.Helper()
	if err := c.QueryRow(context.Background(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// waitUntil asks until the answer is yes: it is a fact that must come about.
func waitUntil(t testing.TB, c *pgx.Conn, query string, args ...any) {
	t.Helper()
	for range 20_000 {
		if ask[bool](t, c, query, args...) {
			return
		}
	}
	t.Fatalf("it did not come about: %s", query)
}

// somebodyWaits is the fact that a use case waits for another one's lock.
const somebodyWaits = `SELECT EXISTS (SELECT FROM pg_stat_activity
	WHERE datname = current_database() AND application_name = 'tolmach' AND wait_event_type = 'Lock')`
