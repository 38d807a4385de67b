package centrifuge

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Config makes a Server. Handler is required; zero fields get the default their
// comment names.
type Config struct {
	Handler Handler
	// Stream is the history behind channels. Without one no channel is
	// recoverable or has history.
	Stream Stream
	// Logger is where failures of handlers and streams go. Default: nowhere.
	Logger *slog.Logger

	// Version is shown to clients in the connect reply. Default: none.
	Version string
	// Node names this server to clients of HTTP streaming and server-sent events,
	// whose commands must come to the same server. Default: a random id.
	Node string

	// PingInterval is how often a client is pinged; it travels in seconds, rounded
	// up. Default 25 s.
	PingInterval time.Duration
	// PongTimeout is how long an answer may take, less than PingInterval. Default
	// 8 s.
	PongTimeout time.Duration
	// ConnectTimeout bounds the time from the socket to a successful connect
	// command (3502). Default 10 s.
	ConnectTimeout time.Duration
	// CloseTimeout bounds the goodbye: what is being written, the close frame and
	// the client's answer to it. Default 3 s.
	CloseTimeout time.Duration
	// DrainTimeout bounds the goodbye to everybody when Run ends. Default 10 s.
	DrainTimeout time.Duration
	// ExpireGrace is how long an expired connection or subscription may still be
	// refreshed. Default 25 s.
	ExpireGrace time.Duration

	// MaxMessage bounds one frame or request body of a client, in bytes. Default
	// 64 KiB.
	MaxMessage int
	// MaxQueue bounds what waits to be written to one client, in bytes; a slower
	// client is sent away with 3008. Half of it bounds the publications of one
	// recovery and of one page of history. Default 1 MiB.
	MaxQueue int
	// MaxChannels bounds the subscriptions a client may ask for itself (106).
	// Default 128.
	MaxChannels int
	// MaxChannelLength bounds a channel name in bytes (107). Default 255.
	MaxChannelLength int
	// MaxConnections bounds the connections at one time; further ones get HTTP
	// 503. Default: no bound.
	MaxConnections int
	// CommandRate and CommandBurst bound a client's commands: so many a second on
	// average, so many at once; a client beyond that is sent away with 3013.
	// Defaults 500 and 5000.
	CommandRate, CommandBurst int
	// RecoverLimit bounds the publications a client may have missed and still
	// recover. Default 1000.
	RecoverLimit int
	// HistoryLimit bounds the publications of one history reply. Default 1000.
	HistoryLimit int

	// AllowResubscribe answers a client's subscribe to a channel the server has
	// subscribed it to with success instead of 105.
	AllowResubscribe bool
	// CheckOrigin decides about requests of browsers from other sites. Default: no
	// Origin header, or one of the same host.
	CheckOrigin func(*http.Request) bool

	// Now is the clock, time.Now by default.
	Now func() time.Time
	// NewID makes ids of connections and of sessions, which are secrets: unique
	// and not to be guessed. Default: random UUIDs.
	NewID func() string
}

// withDefaults fills what is zero and refuses what can't work.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Handler == nil {
		return cfg, errors.New("centrifuge: Config.Handler is missing")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.CheckOrigin == nil {
		cfg.CheckOrigin = sameHost
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = uuid.NewString
	}
	if cfg.Node == "" {
		cfg.Node = cfg.NewID()
	}
	for field, value := range map[*time.Duration]time.Duration{
		&cfg.PingInterval: 25 * time.Second, &cfg.PongTimeout: 8 * time.Second, &cfg.ConnectTimeout: 10 * time.Second,
		&cfg.CloseTimeout: 3 * time.Second, &cfg.DrainTimeout: 10 * time.Second, &cfg.ExpireGrace: 25 * time.Second,
	} {
		if *field == 0 {
			*field = value
		}
	}
	for field, value := range map[*int]int{
		&cfg.MaxMessage: 64 << 10, &cfg.MaxQueue: 1 << 20, &cfg.MaxChannels: 128, &cfg.MaxChannelLength: 255,
		&cfg.CommandRate: 500, &cfg.CommandBurst: 5000, &cfg.RecoverLimit: 1000, &cfg.HistoryLimit: 1000,
	} {
		if *field == 0 {
			*field = value
		}
		if *field < 0 {
			return cfg, errors.New("centrifuge: a limit of Config is negative")
		}
	}
	if cfg.PongTimeout >= cfg.PingInterval {
		return cfg, fmt.Errorf("centrifuge: Config.PongTimeout (%v) must be less than PingInterval (%v)", cfg.PongTimeout, cfg.PingInterval)
	}
	return cfg, nil
}

func sameHost(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
