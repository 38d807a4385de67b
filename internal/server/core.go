package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/delivery"
	"github.com/tolmach/tolmach/internal/hub"
)

// core is the store with the service over it: what the server and the commands
// that work without a server share.
type core struct {
	store   database
	service *chat.Service
	engine  *delivery.Engine
	hub     *hub.Hub
	bus     chat.Bus
	formats map[string]bool
	base    string // public address, for reports
	tracing chat.Tracing
}

// hashers bounds how many passwords are hashed at once.
const hashers = 2

// OperatorLine is one row of `tolmach user list`.
type OperatorLine struct {
	Tenant   string    `json:"tenant"`
	Login    string    `json:"login"`
	Name     string    `json:"name"`
	Role     chat.Role `json:"role"`
	Disabled bool      `json:"disabled"`
}

// serve makes the service over an open, running store.
func (c *core) serve(ctx context.Context, log *slog.Logger) (err error) {
	formats := make([]string, 0, len(c.formats))
	for f := range c.formats {
		formats = append(formats, f)
	}
	_, shared := c.bus.(*hub.Sweeper)
	c.service, err = chat.New(ctx, chat.Options{
		Store: c.store, Bus: c.bus, Waker: c.engine, Bots: c.engine, Passwords: auth.NewPasswords(hashers, rand.Reader),
		Formats: formats, Log: log, Tracing: c.tracing, Shared: shared,
	})
	return err
}

// apply brings documents in and reports.
func (c *core) apply(ctx context.Context, setups []chat.Setup, o chat.ApplyOptions) (*Report, error) {
	applied, err := c.service.Apply(ctx, owner, setups, o)
	if err != nil {
		return nil, err
	}
	return report(c.service.Catalog(), applied, c.base, c.formats), nil
}

func (c *core) operators() []OperatorLine {
	lines := []OperatorLine{}
	catalog := c.service.Catalog()
	for _, o := range catalog.Operators() {
		lines = append(lines, OperatorLine{
			Tenant: catalog.Tenant(o.TenantID).Name, Login: o.Login, Name: o.Name, Role: o.Role, Disabled: o.Disabled,
		})
	}
	slices.SortFunc(lines, func(a, b OperatorLine) int {
		return strings.Compare(a.Tenant+"\x00"+a.Login, b.Tenant+"\x00"+b.Login)
	})
	return lines
}

// offline opens an installation without serving, for one piece of work: it
// takes the lock of the data directory, so that no server runs there, and lets
// everything go afterwards.
func offline(ctx context.Context, where config.Storage, base string, log *slog.Logger, work func(c *core) error) (err error) {
	unlock, err := lockDir(where.Data)
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, unlock()) }()
	h := hub.New()
	c := &core{hub: h, bus: h, engine: delivery.New(delivery.Options{Log: log}), formats: served(), base: base}
	if c.store, err = openDatabase(ctx, where, log, nil); err != nil {
		return err
	}
	defer func() { err = firstOf(err, c.store.Close()) }()
	running, stop := context.WithCancel(ctx)
	var writer sync.WaitGroup
	var ran error
	writer.Go(func() { ran = c.store.Run(running) })
	defer func() {
		stop()
		writer.Wait()
		err = firstOf(err, ran)
	}()
	<-c.store.Ready()
	if err := c.serve(ctx, log); err != nil {
		return err
	}
	return work(c)
}

// firstOf is the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
