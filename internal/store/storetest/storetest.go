// Package storetest is the contract of every chat.Store: what the port's
// comments promise, as tests that an engine's own tests run with Run.
package storetest

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/tolmach/tolmach/internal/chat"
)

// Opener opens the store that lives in a directory, makes it take work, and
// returns it with what stops and closes it. The same directory may be opened
// again after that: what was committed is there.
type Opener func(t *testing.T, dir string) (store chat.Store, stop func())

// Run holds the engine to the contract. Every test has a store of its own.
func Run(t *testing.T, open Opener) {
	groups := map[string]map[string]func(*testing.T, *fixture){
		"Transactions":  transactionTests(),
		"Parallel":      parallelTests(),
		"Clients":       clientTests(),
		"Conversations": conversationTests(),
		"Log":           logTests(),
		"Exchanges":     exchangeTests(),
		"Lanes":         laneTests(),
		"Deliveries":    deliveryTests(),
		"Timers":        timerTests(),
		"Keys":          keyTests(),
		"Settings":      settingTests(),
		"Logins":        loginTests(),
		"Presence":      presenceTests(),
		"Canned":        cannedTests(),
		"Tenants":       tenantTests(),
		"Durability":    durabilityTests(),
	}
	for _, group := range sortedKeys(groups) {
		t.Run(group, func(t *testing.T) {
			for _, name := range sortedKeys(groups[group]) {
				t.Run(name, func(t *testing.T) {
					f := &fixture{t: t, open: open, dir: t.TempDir()}
					f.start()
					t.Cleanup(func() { f.stop() })
					groups[group][name](t, f)
				})
			}
		})
	}
}

// fixture is one store under test.
type fixture struct {
	t     *testing.T
	open  Opener
	dir   string
	store chat.Store
	stop  func()
}

func (f *fixture) start() {
	f.t.Helper()
	store, stop := f.open(f.t, f.dir)
	stopped := false
	f.store, f.stop = store, func() {
		if !stopped {
			stopped = true
			stop()
		}
	}
}

// try runs fn in a transaction. What fn checks it returns as an error: it runs
// on the store's goroutine, which a failing test must not end.
func (f *fixture) try(fn func(tx chat.Tx) error) error {
	return f.store.Update(context.Background(), chat.PriorityNormal, fn)
}

// update is try that has to succeed.
func (f *fixture) update(fn func(tx chat.Tx) error) {
	f.t.Helper()
	if err := f.try(fn); err != nil {
		f.t.Fatalf("Update: %v", err)
	}
}

// refused is try that has to fail with the code.
func (f *fixture) refused(want chat.Code, fn func(tx chat.Tx) error) {
	f.t.Helper()
	if err := f.try(fn); chat.ErrorCode(err) != want {
		f.t.Fatalf("Update: got error %v, want code %q", err, want)
	}
}

// missing is a reading that has to find nothing.
func (f *fixture) missing(what string, fn func(r chat.Reader) error) {
	f.t.Helper()
	if err := f.store.View(context.Background(), fn); chat.ErrorCode(err) != chat.CodeNotFound {
		f.t.Fatalf("%s: got error %v, want code %q", what, err, chat.CodeNotFound)
	}
}

// read returns what a reading finds; it has to succeed.
func read[T any](f *fixture, fn func(r chat.Reader) (T, error)) T {
	f.t.Helper()
	var v T
	err := f.store.View(context.Background(), func(r chat.Reader) (err error) {
		v, err = fn(r)
		return err
	})
	if err != nil {
		f.t.Fatalf("View: %v", err)
	}
	return v
}

// write returns what a transaction makes; it has to succeed.
func write[T any](f *fixture, fn func(tx chat.Tx) (T, error)) T {
	f.t.Helper()
	var v T
	f.update(func(tx chat.Tx) (err error) {
		v, err = fn(tx)
		return err
	})
	return v
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// mapped is the list of what of says about each element.
func mapped[T, V any](list []T, of func(T) V) []V {
	out := make([]V, 0, len(list))
	for _, v := range list {
		out = append(out, of(v))
	}
	return out
}
