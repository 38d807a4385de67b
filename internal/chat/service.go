package chat

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Service is the one door: every change of anything is one of its methods,
// each with an explicit Actor. It is safe for concurrent use.
type Service struct {
	store     Store
	bus       Bus
	waker     Waker
	passwords Passwords
	bots      BotDirectory
	formats   map[string]bool
	log       *slog.Logger
	random    io.Reader
	tracing   Tracing
	process   string // names this process among those that share the database
	staffed   int64  // version of the settings at which nobody who is gone has conversations; of the distribution
	waiters   waiters
	readings  readings

	catalog  atomic.Pointer[Catalog]
	reload   sync.Mutex    // one reload at a time
	timerSet chan struct{} // a timer was set: RunTimers looks again
	feeds    feeds         // that somebody follows
	shared   bool          // other processes write to the same database
	freed    *bell         // somebody may be given a conversation: RunDistribution looks again
}

// Waker is told, after a commit, which endpoints have something to read. It
// returns at once and may be told in vain.
type Waker interface {
	Wake(endpoints []ID)
}

// BotDirectory says whether a bot can be asked now. A bot of a kind that this
// server does not run, or whose breaker is open, is passed by (specs/delivery.md).
type BotDirectory interface {
	Available(bot *Bot) bool
}

// Passwords hashes and compares passwords, slowly.
type Passwords interface {
	Hash(password string) (string, error)
	Matches(hash, password string) bool
}

// Options are what a Service needs. Formats lists the webhook formats that are
// served: an integration of another format is stored and sent nothing.
type Options struct {
	Store     Store
	Bus       Bus
	Waker     Waker
	Passwords Passwords
	Bots      BotDirectory
	Formats   []string
	Log       *slog.Logger
	Random    io.Reader // nil: crypto/rand
	Tracing   Tracing   // nil: nothing is followed
	Shared    bool      // other processes write to the same database
}

// New makes a Service and reads the settings.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{
		store: o.Store, bus: o.Bus, waker: o.Waker, passwords: o.Passwords, bots: o.Bots,
		formats: map[string]bool{}, log: o.Log, random: o.Random, tracing: o.Tracing, timerSet: make(chan struct{}, 1),
		shared: o.Shared, freed: newBell(),
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	var err error
	if s.process, err = s.randomHex(8); err != nil {
		return nil, err
	}
	for _, f := range o.Formats {
		s.formats[f] = true
	}
	if err := s.ReloadCatalog(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Catalog returns the settings as they are now.
func (s *Service) Catalog() *Catalog { return s.catalog.Load() }

// Epoch is the log's epoch: positions of another one mean nothing.
func (s *Service) Epoch() string { return s.store.Epoch() }

// ReloadCatalog reads the settings if they are newer than what is known.
func (s *Service) ReloadCatalog(ctx context.Context) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	return s.store.View(ctx, func(r Reader) error {
		version, err := r.SettingsVersion()
		if err != nil {
			return err
		}
		if known := s.catalog.Load(); known != nil && known.Version == version {
			return nil
		}
		tenants, err := r.Tenants()
		if err != nil {
			return err
		}
		settings, err := r.Settings()
		if err != nil {
			return err
		}
		catalog, err := NewCatalog(version, tenants, settings)
		if err != nil {
			return err
		}
		s.catalog.Store(catalog)
		s.freed.ring(everyTenant) // a capacity may have grown
		return nil
	})
}

// Process is the name under which callers wait in this process. Where several
// share a database the store shows them that it lives.
func (s *Service) Process() string { return s.process }

// Secret returns a named secret of the installation, made at its first use.
func (s *Service) Secret(ctx context.Context, name string) ([]byte, error) {
	var secret []byte
	err := s.store.Update(ctx, PriorityNormal, func(tx Tx) error {
		var err error
		secret, err = tx.Secret(name)
		if ErrorCode(err) != CodeNotFound {
			return err
		}
		secret = make([]byte, 32)
		if _, err := io.ReadFull(s.random, secret); err != nil {
			return err
		}
		return tx.SaveSecret(name, secret)
	})
	return secret, err
}

// randomHex returns n random bytes in hex.
func (s *Service) randomHex(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// randomUUID returns a random UUID, version 4.
func (s *Service) randomUUID() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}
