package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

// A process lives for the other nodes from Live on, until it ends.
func TestLive(t *testing.T) {
	url := pgtest.Shared(t).Database(t)
	here, there := started(t, url), started(t, url)
	stands := func(process string, want bool) {
		t.Helper()
		for ctx := t.Context(); ; {
			var lives bool
			err := there.View(ctx, func(r chat.Reader) (err error) {
				lives, err = r.ProcessLives(process)
				return err
			})
			if err != nil {
				t.Fatalf("%q: lives %v, want %v; %v", process, lives, want, err)
			}
			if lives == want {
				return
			}
		}
	}
	stands("one", false)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- here.Live(ctx, "one") }()
	stands("one", true)
	stands("two", false)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	stands("one", false)
}
