package sqlite_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/store/sqlite"
	"github.com/tolmach/tolmach/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) (chat.Store, func()) {
		s, stop := start(t, options(filepath.Join(dir, "tolmach.db")))
		return s, stop
	})
}

func options(path string) sqlite.Options {
	return sqlite.Options{Path: path, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
}

// start opens a store and its writer; stop ends both.
func start(t testing.TB, o sqlite.Options) (s *sqlite.Store, stop func()) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	return s, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}
