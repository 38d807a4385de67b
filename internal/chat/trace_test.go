package chat_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// followed is what a chat.Tracing was told: a line a use case.
type followed struct{ ended []string }

type callKey struct{}

// trace follows the use cases of callers that are in a trace.
func (f *followed) trace(ctx context.Context) (string, func([]chat.Entry, error)) {
	call, _ := ctx.Value(callKey{}).(string)
	return call, func(entries []chat.Entry, err error) {
		line := call + ":"
		for _, e := range entries {
			line += " " + strconv.FormatInt(e.Seq, 10)
		}
		if err != nil {
			line += " " + string(chat.ErrorCode(err))
		}
		f.ended = append(f.ended, line)
	}
}

// tracedWorld is a world whose use cases are followed.
func tracedWorld(t *testing.T) (*world, *followed) {
	t.Helper()
	w, f := newWorld(t), &followed{}
	var err error
	w.Service, err = chat.New(t.Context(), chat.Options{
		Store: w.store, Bus: hub.New(), Waker: w.woken, Passwords: passwords{}, Bots: w.bots,
		Formats: []string{"native"}, Log: slog.New(slog.DiscardHandler), Tracing: f.trace,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, f
}

// from is the context of a caller in a trace.
func from(call string) context.Context {
	return context.WithValue(context.Background(), callKey{}, call)
}

func TestEventsKeepTheTraceOfTheirCall(t *testing.T) {
	w, f := tracedWorld(t)
	key := w.bridge()
	in := chat.ClientMessage{
		Incoming: chat.Incoming{TaskID: w.task("shop").ID, ExternalID: "42", Key: "once"}, Content: chat.Content{Text: "hello"},
	}
	got, err := w.ClientMessage(from("first"), key, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ClientMessage(from("repeated"), key, in); err != nil {
		t.Fatal(err)
	}
	in.Key, in.Content.Text = "another", "hello again"
	if _, err := w.ClientMessage(context.Background(), key, in); err != nil {
		t.Fatal(err)
	}
	in.Key, in.TaskID = "a third", 1<<40
	if _, err := w.ClientMessage(from("astray"), key, in); chat.ErrorCode(err) != chat.CodeNotFound {
		t.Fatalf("a task of nobody: %v", err)
	}
	if want := []string{"first: 1 2", "repeated:", ": 3", "astray: " + string(chat.CodeNotFound)}; !slices.Equal(f.ended, want) {
		t.Errorf("told %q, want %q", f.ended, want)
	}

	err = w.store.View(t.Context(), func(r chat.Reader) error {
		for seq, want := range map[int64]string{1: "first", 2: "first", 3: ""} {
			e, err := r.Event(w.tenant, got.ConversationID, seq)
			if err != nil {
				return err
			}
			if e.Data.Trace != want {
				t.Errorf("event %d keeps %q, want %q", seq, e.Data.Trace, want)
			}
			data, err := json.Marshal(e.Data)
			if err != nil {
				return err
			}
			if strings.Contains(string(data), "trace") != (want != "") {
				t.Errorf("event %d is stored as %s", seq, data)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
