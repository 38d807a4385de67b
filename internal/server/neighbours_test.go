package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

const neighboursSetup = `
tenant: local
channels: [{name: messenger, kind: page_messenger}]
tasks: [{name: shop, channel: messenger, selarti_id: 1721129985149x478019552540622850}]
operators: [{login: ann, name: Anna, password: correct-horse-1, role: operator}]
`

// startNode runs what of a server knows the others, on a PostgreSQL.
func startNode(t *testing.T, url string) *core {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := openDatabase(t.Context(), config.Storage{Database: url}, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	live := hub.New()
	c := &core{store: store, hub: live, bus: busOf(store, live), engine: delivery.New(delivery.Options{Log: log}), formats: served()}
	a := &app{log: log, core: c}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- supervise(ctx, []worker{{"store", store.Run}}, []worker{{"node", func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}}})
	}()
	<-store.Ready()
	if err := c.serve(ctx, log); err != nil {
		t.Fatal(err)
	}
	neighbours, err := a.meet(ctx)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 1)
	go func() { heard <- supervise(ctx, neighbours) }()
	t.Cleanup(func() {
		stop()
		for _, end := range []chan error{heard, ended} {
			if err := <-end; err != nil {
				t.Error(err)
			}
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestNeighboursHearOfEachOther: a setup applied on one node counts on the
// other, and who follows a conversation there hears what is said to it here.
func TestNeighboursHearOfEachOther(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here, there := startNode(t, url), startNode(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "setup.yaml")
	write(t, file, neighboursSetup)
	setups, _, err := LoadSetup(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.apply(ctx, setups, chat.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	version := here.service.Catalog().Version
	for there.service.Catalog().Version != version { // the sweep is under way
		if ctx.Err() != nil {
			t.Fatal("the other node did not hear of the setup")
		}
		<-time.After(time.Millisecond)
	}

	catalog := here.service.Catalog()
	task := catalog.TaskBySelartiID(catalog.TenantByName("local").ID, "1721129985149x478019552540622850")
	bridge := chat.Actor{Kind: chat.ActorAPIKey, TenantID: task.TenantID, ID: 1, Scopes: chat.Scopes()}
	say := func(text string) chat.Accepted {
		t.Helper()
		in := chat.ClientMessage{Incoming: chat.Incoming{TaskID: task.ID, ExternalID: "anna"}, Content: chat.Content{Text: text}}
		accepted, err := here.service.ClientMessage(ctx, bridge, in)
		if err != nil {
			t.Fatal(err)
		}
		return accepted
	}
	first := say("one")
	var texts []string
	for entry, err := range there.service.Follow(ctx, bridge, first.ConversationID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Message == nil {
			continue
		}
		texts = append(texts, entry.Message.Content.Text)
		if len(texts) == 3 {
			break
		}
		say(entry.Message.Content.Text + "+") // only heard of by the sweep
	}
	if got := strings.Join(texts, " "); got != "one one+ one++" {
		t.Errorf("who follows on the other node heard %q", got)
	}
}

// TestASharedDatabaseKeepsItsClaims: a node that starts lets no claims go: they
// may be another's.
func TestASharedDatabaseKeepsItsClaims(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here := startNode(t, url)
	const tenant, endpoint, conversation = 1, 2, 3
	update := func(c *core, fn func(tx chat.Tx) error) {
		t.Helper()
		if err := c.store.Update(t.Context(), chat.PriorityNormal, fn); err != nil {
			t.Fatal(err)
		}
	}
	update(here, func(tx chat.Tx) error {
		if err := tx.WakeLane(tenant, endpoint, conversation, 1); err != nil {
			return err
		}
		_, err := tx.ClaimLanes(tenant, endpoint, 1, tx.Now().Add(time.Hour))
		return err
	})
	there := startNode(t, url)
	update(there, func(tx chat.Tx) error {
		lanes, err := tx.ClaimLanes(tenant, endpoint, 1, tx.Now().Add(time.Hour))
		if len(lanes) != 0 {
			t.Error("the second node took the lane of the first")
		}
		return err
	})
}
