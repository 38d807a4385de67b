package engineio

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says how a server behaves. The zero value is usable: every field has the default written beside it.
type Config struct {
	PingInterval   time.Duration // 25 s: from one heartbeat to the next
	PingTimeout    time.Duration // 20 s: a connection silent for that long after a heartbeat is closed
	UpgradeTimeout time.Duration // 10 s: from the opening of a probing WebSocket to its upgrade packet
	BodyTimeout    time.Duration // 10 s: for the whole body of a POST
	CloseTimeout   time.Duration // 2 s: what is queued when a connection is closed may still be written for that long

	MaxPayload  int // 1,000,000 bytes: a POST body, a WebSocket message
	MaxQueue    int // 1 MiB waiting for one connection; one that would hold more is closed as slow
	MaxConns    int // 100,000 connections; more are answered 503
	PacketRate  int // 1,000 packets a second from one client, on average
	PacketBurst int // 10,000 packets above that average; a client that sends more is closed

	// Origins lists the origins (scheme://host[:port]) that may connect besides the server's own host, which always may,
	// as may a client that names none. "*" allows every origin.
	Origins []string
	// Cookie, when set, is the name of a cookie with the id of the connection, for routers with sticky sessions.
	Cookie string

	Logger *slog.Logger     // nothing is logged without one
	Now    func() time.Time // time.Now
	NewID  func() string    // 128 random bits in text; ids are secrets
}

func (c Config) withDefaults() Config {
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PingTimeout = cmp.Or(c.PingTimeout, 20*time.Second)
	c.UpgradeTimeout = cmp.Or(c.UpgradeTimeout, 10*time.Second)
	c.BodyTimeout = cmp.Or(c.BodyTimeout, 10*time.Second)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, 2*time.Second)
	c.MaxPayload = cmp.Or(c.MaxPayload, 1_000_000)
	c.MaxQueue = cmp.Or(c.MaxQueue, 1<<20)
	c.MaxConns = cmp.Or(c.MaxConns, 100_000)
	c.PacketRate = cmp.Or(c.PacketRate, 1_000)
	c.PacketBurst = cmp.Or(c.PacketBurst, 10_000)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = rand.Text
	}
	return c
}

func (c Config) check() error {
	for name, d := range map[string]time.Duration{
		"PingInterval": c.PingInterval, "PingTimeout": c.PingTimeout, "UpgradeTimeout": c.UpgradeTimeout,
		"BodyTimeout": c.BodyTimeout, "CloseTimeout": c.CloseTimeout,
	} {
		if d < time.Millisecond {
			return fmt.Errorf("engineio: %s is %v: set at least a millisecond", name, d)
		}
	}
	if min(c.MaxPayload, c.MaxQueue, c.MaxConns, c.PacketRate, c.PacketBurst) < 1 {
		return errors.New("engineio: a limit is negative: set every limit to 1 or more, or to 0 for its default")
	}
	if c.MaxPayload >= 100_000_000 {
		return errors.New("engineio: MaxPayload must stay below 100,000,000 bytes: lengths have eight digits")
	}
	return nil
}

// step is how far the timer wheel moves: fine enough for the shortest interval, coarse enough to cost nothing.
func (c Config) step() time.Duration {
	shortest := min(c.PingInterval, c.PingTimeout, c.CloseTimeout)
	return min(max(shortest/10, time.Millisecond), 100*time.Millisecond)
}
