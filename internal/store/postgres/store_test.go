package postgres

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/tolmach/tolmach/internal/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func options(url string) Options {
	return Options{URL: url, Logger: slog.New(slog.DiscardHandler)}
}

// running is a store that takes work; stop ends it.
func running(t testing.TB, o Options) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(context.Background(), o)
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

// started is a running store that ends with the test.
func started(t testing.TB, url string) *Store {
	t.Helper()
	s, stop := running(t, options(url))
	t.Cleanup(stop)
	return s
}

func update(t testing.TB, s *Store, fn func(tx chat.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), chat.PriorityNormal, fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}
