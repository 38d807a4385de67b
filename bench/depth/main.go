// Command depth measures what the amount of stored data costs: one accept with
// 10 thousand, 100 thousand and 1 million messages stored, and one claim of
// lanes with 2 million deliveries pending in 200 thousand lanes. It works on
// the store and the core directly, without HTTP.
//
// With -engine postgres, where the server is another process, the memory is
// that of this one alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/hub"
)

// options are the flags.
type options struct {
	pending       int
	conversations int
	window        int
	claims        int
	callers       int
	jsonFile      string
	engine        string
	profiles      string
}

func main() {
	var o options
	flag.IntVar(&o.pending, "pending", 2_000_000, "messages stored, each pending at one integration")
	flag.IntVar(&o.conversations, "conversations", 200_000, "conversations, each a lane")
	flag.IntVar(&o.window, "window", 20_000, "messages measured at each depth")
	flag.IntVar(&o.claims, "claims", 300, "claims of 16 lanes measured at the end")
	flag.IntVar(&o.callers, "callers", 64, "callers at once")
	flag.StringVar(&o.engine, "engine", "sqlite", "sqlite, or postgres: the one that scripts/services.sh starts")
	flag.StringVar(&o.jsonFile, "json", "", "file for machine-readable results")
	flag.StringVar(&o.profiles, "profiles", "", "directory for a CPU profile of each depth, for go tool pprof")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// depth is the cost of a message with so many stored.
type depth struct {
	Stored    int     `json:"stored"`
	PerSecond float64 `json:"per_second"`
	CPUMicros float64 `json:"cpu_micros"` // of this process and, if it is another one, the engine, per message
}

// report is what a run found.
type report struct {
	Engine     string  `json:"engine"`
	Depths     []depth `json:"depths"`
	CostRatio  float64 `json:"cost_ratio"` // CPU per message at the deepest of the depths to that at the first
	Pending    int     `json:"pending"`
	Lanes      int     `json:"lanes"`
	ClaimP50   float64 `json:"claim_p50_ms"`
	ClaimP99   float64 `json:"claim_p99_ms"`
	ResidentMB float64 `json:"resident_mb"`
	FileMB     float64 `json:"file_mb"`
}

func run(ctx context.Context, o options) (err error) {
	engine, err := newEngine(ctx, o.engine)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.close(context.WithoutCancel(ctx))) }()
	store, err := engine.open(ctx)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() { _ = store.Run(running) }) // it ends with stop
	defer func() {
		stop()
		writer.Wait()
		_ = store.Close()
	}()
	<-store.Ready()
	b, err := newBench(ctx, engine, store, o)
	if err != nil {
		return err
	}
	r, err := b.measure(ctx)
	if err != nil {
		return err
	}
	if r.FileMB, err = engine.sizeMB(ctx); err != nil {
		return err
	}
	return r.write(o.jsonFile)
}

// bench is a core over a store, with one task whose integration is never
// served, so that everything stays pending.
type bench struct {
	options
	engine  engine
	service *chat.Service
	actor   chat.Actor
	task    chat.ID
	sent    atomic.Int64
}

type nobody struct{}

func (nobody) Wake([]chat.ID)                       {}
func (nobody) Available(*chat.Bot) bool             { return false }
func (nobody) Hash(password string) (string, error) { return password, nil }
func (nobody) Matches(string, string) bool          { return false }

func newBench(ctx context.Context, engine engine, store chat.Store, o options) (*bench, error) {
	service, err := chat.New(ctx, chat.Options{
		Store: store, Bus: hub.New(), Waker: nobody{}, Bots: nobody{}, Passwords: nobody{},
		Formats: []string{"selarti"}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	applied, err := service.Apply(ctx, chat.Actor{Kind: chat.ActorAdmin}, []chat.Setup{{
		Tenant:       "bench",
		Channels:     []chat.Channel{{Name: "m", Kind: chat.ChannelPageMessenger}},
		Integrations: []chat.Integration{{Name: "i", Format: "selarti", URL: "http://127.0.0.1:9/", Events: []string{chat.AllMessages}}},
		Tasks:        []chat.Task{{Name: "t", Channel: "m", Integrations: []string{"i"}}},
	}}, chat.ApplyOptions{})
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, engine: engine, service: service}
	for _, a := range applied {
		if a.Kind == chat.KindTask {
			b.task, b.actor = a.ID, chat.SystemActor(a.TenantID)
		}
	}
	return b, nil
}

// measure fills the store up and stops at the depths.
func (b *bench) measure(ctx context.Context) (*report, error) {
	r := &report{Engine: b.options.engine}
	for _, stored := range []int{10_000, 100_000, 1_000_000} {
		if stored+b.window > b.pending {
			break
		}
		if err := b.fill(ctx, stored); err != nil {
			return nil, err
		}
		d, err := b.stretch(ctx, stored)
		if err != nil {
			return nil, err
		}
		r.Depths = append(r.Depths, d)
	}
	if n := len(r.Depths); n > 1 {
		r.CostRatio = r.Depths[n-1].CPUMicros / r.Depths[0].CPUMicros
	}
	if err := b.fill(ctx, b.pending); err != nil {
		return nil, err
	}
	return r, b.claim(ctx, r)
}

// fill sends until so many messages are stored.
func (b *bench) fill(ctx context.Context, stored int) error {
	var wg sync.WaitGroup
	var first atomic.Pointer[error]
	for range b.callers {
		wg.Go(func() {
			for {
				n := b.sent.Add(1)
				if n > int64(stored) || ctx.Err() != nil {
					b.sent.Add(-1)
					return
				}
				_, err := b.service.ClientMessage(ctx, b.actor, chat.ClientMessage{
					Incoming: chat.Incoming{TaskID: b.task, ExternalID: b.client(uint64(n))},
					Content:  chat.Content{Text: "the quick brown fox jumps over the lazy dog"},
				})
				if err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// client lets every tenth message open a conversation and spreads the others
// over all that are open, the oldest as likely as the newest: every depth does
// the same work, on more data.
func (b *bench) client(n uint64) string {
	every := uint64(b.pending / b.conversations)
	open := n/every + 1
	if n%every == 0 {
		return fmt.Sprintf("c%d", open)
	}
	const mix = 0x9e3779b97f4a7c15 // spreads consecutive numbers
	return fmt.Sprintf("c%d", (n*mix>>20)%open+1)
}

// stretch measures one window on top of what is stored.
func (b *bench) stretch(ctx context.Context, stored int) (depth, error) {
	stop, err := b.profile(stored)
	if err != nil {
		return depth{}, err
	}
	defer stop()
	began := time.Now()
	before, err := b.engine.processorTime(ctx)
	if err != nil {
		return depth{}, err
	}
	if err := b.fill(ctx, stored+b.window); err != nil {
		return depth{}, err
	}
	took := time.Since(began)
	after, err := b.engine.processorTime(ctx)
	return depth{
		Stored: stored, PerSecond: float64(b.window) / took.Seconds(),
		CPUMicros: float64((after - before).Microseconds()) / float64(b.window),
	}, err
}

// profile begins the CPU profile of one depth, if profiles are wanted, and
// returns what ends it. Profiling costs: the figures come without.
func (b *bench) profile(stored int) (stop func(), err error) {
	if b.profiles == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(b.profiles, fmt.Sprintf("cpu-%d.pprof", stored)))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a measurement, looked at by hand
	}, nil
}

// claim measures how long the delivery engine waits for its lanes.
func (b *bench) claim(ctx context.Context, r *report) error {
	var endpoint chat.Endpoint
	for _, e := range b.service.Catalog().Endpoints() {
		if e.Kind == chat.EndpointIntegration {
			endpoint = e
		}
	}
	var took []time.Duration
	for range b.claims {
		start := time.Now()
		lanes, err := b.service.ClaimLanes(ctx, endpoint, 16, time.Hour)
		if err != nil {
			return err
		}
		if len(lanes) != 16 {
			return fmt.Errorf("claimed %d lanes of %d, want 16", len(lanes), b.conversations)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	r.Pending, r.Lanes = int(b.sent.Load()), b.conversations
	r.ClaimP50 = float64(took[len(took)/2].Microseconds()) / 1000
	r.ClaimP99 = float64(took[len(took)*99/100].Microseconds()) / 1000
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	r.ResidentMB = float64(usage.Maxrss) / 1024
	return nil
}

func (r *report) write(file string) error {
	for _, d := range r.Depths {
		fmt.Printf("%9d stored: %6.0f accepts/s, %4.0f µs of CPU each\n", d.Stored, d.PerSecond, d.CPUMicros)
	}
	fmt.Printf("cost of a message, deepest to first: %.2f\n", r.CostRatio)
	fmt.Printf("%d pending in %d lanes: claim of 16 p50 %.2f ms, p99 %.2f ms; peak memory %.0f MB, file %.0f MB\n",
		r.Pending, r.Lanes, r.ClaimP50, r.ClaimP99, r.ResidentMB, r.FileMB)
	if file == "" {
		return nil
	}
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o600)
}
