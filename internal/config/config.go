// Package config is the configuration of the server: one typed struct with
// visible defaults, filled from flags, the environment and a file, in this
// order of strength. docs/CONFIG.md is made from its tags. What the server is
// set up with, channels, bots and people, is the setup file's: see setupfile.
package config

import "time"

// Config is everything an operator can set. Embed it in a kong command; when
// the command line was parsed, the configuration file has been read and the
// whole has been checked. Every package receives only its own part.
type Config struct {
	File string `name:"config" env:"TOLMACH_CONFIG" placeholder:"FILE" help:"YAML file to read; its keys are the names of the flags."`

	Storage  Storage  `embed:"" group:"Storage"`
	Setup    Setup    `embed:"" group:"Setup"`
	HTTP     HTTP     `embed:"" group:"HTTP"`
	Egress   Egress   `embed:"" group:"Outgoing calls"`
	Delivery Delivery `embed:"" group:"Delivery"`
	Login    Login    `embed:"" group:"Operators' logins"`
	Log      Log      `embed:"" group:"Log and metrics"`
	Metrics  Metrics  `embed:"" group:"Log and metrics"`
	Trace    Trace    `embed:"" group:"Traces"`
}

// Storage is where state is kept.
type Storage struct {
	Data     string `name:"data" env:"TOLMACH_DATA" default:"./data" placeholder:"DIR" help:"Directory of the database and the admin socket. One server at a time may use it."`
	Database string `name:"database" env:"TOLMACH_DATABASE" placeholder:"URL" help:"PostgreSQL, as postgres://user:password@host/name, which several servers may use at once. Left out: SQLite in the data directory."`
}

// Setup names the settings as code.
type Setup struct {
	Apply []string `name:"apply" env:"TOLMACH_APPLY" placeholder:"FILE" help:"Setup files to apply at start and again whenever they or their scenarios change."`
}

// HTTP is the public server.
type HTTP struct {
	Listen          string        `name:"listen" env:"TOLMACH_LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to serve on; port 0 takes a free one."`
	PublicURL       string        `name:"public-url" env:"TOLMACH_PUBLIC_URL" placeholder:"URL" help:"Address that clients and webhooks use, as https://chat.example.com. Left out: made from the listen address."`
	TrustedProxies  []Network     `name:"trusted-proxies" env:"TOLMACH_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."`
	MaxBody         Size          `name:"max-body" env:"TOLMACH_MAX_BODY" default:"256KiB" placeholder:"SIZE" help:"Largest request body."`
	MaxHeader       Size          `name:"max-header" env:"TOLMACH_MAX_HEADER" default:"32KiB" placeholder:"SIZE" help:"Largest request header."`
	MaxConnections  int           `name:"max-connections" env:"TOLMACH_MAX_CONNECTIONS" default:"20000" placeholder:"N" help:"Most connections open at once; more wait to be accepted. Keep the limit of open files above it."`
	HeaderTimeout   time.Duration `name:"header-timeout" env:"TOLMACH_HEADER_TIMEOUT" default:"10s" placeholder:"TIME" help:"Longest wait for the header of a request."`
	ReadTimeout     time.Duration `name:"read-timeout" env:"TOLMACH_READ_TIMEOUT" default:"30s" placeholder:"TIME" help:"Longest wait for the body of a request."`
	WriteTimeout    time.Duration `name:"write-timeout" env:"TOLMACH_WRITE_TIMEOUT" default:"60s" placeholder:"TIME" help:"Longest time for a request and its answer; calls that wait for something may wait beside it, and live connections have deadlines of their own."`
	IdleTimeout     time.Duration `name:"idle-timeout" env:"TOLMACH_IDLE_TIMEOUT" default:"2m" placeholder:"TIME" help:"How long a connection may wait for its next request."`
	ShutdownTimeout time.Duration `name:"shutdown-timeout" env:"TOLMACH_SHUTDOWN_TIMEOUT" default:"10s" placeholder:"TIME" help:"How long running requests and calls may take to end when the server stops."`
}

// Egress guards the calls to webhooks, bots and language models
// (specs/delivery.md).
type Egress struct {
	Allow []Network `name:"egress-allow" env:"TOLMACH_EGRESS_ALLOW" placeholder:"CIDR" help:"Networks that may be called though they aren't public, on any port."`
	Ports []int     `name:"egress-ports" env:"TOLMACH_EGRESS_PORTS" default:"80,443" placeholder:"PORT" help:"Ports that may be called on public addresses."`
}

// Delivery is how long outgoing events live (specs/delivery.md).
type Delivery struct {
	Horizon   time.Duration `name:"delivery-horizon" env:"TOLMACH_DELIVERY_HORIZON" default:"72h" placeholder:"TIME" help:"Age at which an event that can't be delivered is parked."`
	Retention time.Duration `name:"delivery-retention" env:"TOLMACH_DELIVERY_RETENTION" default:"720h" placeholder:"TIME" help:"How long deliveries stay in the delivery log and can be replayed."`
	Lease     time.Duration `name:"delivery-lease" env:"TOLMACH_DELIVERY_LEASE" default:"60s" placeholder:"TIME" help:"With PostgreSQL: how long a server that died keeps the others from its calls under way. It is never shorter than two calls may take and 15s more."`
}

// Login bounds the logins of operators.
type Login struct {
	SessionLife     time.Duration `name:"session-life" env:"TOLMACH_SESSION_LIFE" default:"12h" placeholder:"TIME" help:"How long an operator stays logged in."`
	Tries           int           `name:"login-tries" env:"TOLMACH_LOGIN_TRIES" default:"10" placeholder:"N" help:"Wrong passwords for one login within the window; then further tries are refused until it has passed."`
	TriesPerAddress int           `name:"login-tries-per-address" env:"TOLMACH_LOGIN_TRIES_PER_ADDRESS" default:"50" placeholder:"N" help:"The same for one client address, over all logins."`
	Window          time.Duration `name:"login-window" env:"TOLMACH_LOGIN_WINDOW" default:"15m" placeholder:"TIME" help:"Time in which wrong passwords are counted."`
}

// Log is the form of the log, which goes to the standard error output.
type Log struct {
	Format string `name:"log-format" env:"TOLMACH_LOG_FORMAT" default:"text" enum:"text,json" placeholder:"text|json" help:"Form of the log on the standard error output: text or json."`
	Level  string `name:"log-level" env:"TOLMACH_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error."`
}

// Metrics is the server for Prometheus.
type Metrics struct {
	Listen string `name:"metrics-listen" env:"TOLMACH_METRICS_LISTEN" placeholder:"HOST:PORT" help:"Address to serve /metrics on, for a network that only your monitoring reaches. Left out: /metrics is served with the rest, to callers on this machine only."`
}

// Trace sends traces to a collector.
type Trace struct {
	Endpoint string  `name:"trace-endpoint" env:"TOLMACH_TRACE_ENDPOINT" placeholder:"URL" help:"Collector that takes OpenTelemetry traces as OTLP over HTTP, as http://127.0.0.1:4318; without a path, /v1/traces is added. The address is yours to choose: the guard of outgoing calls (--egress-allow) doesn't apply to it. Left out: no traces."`
	Sample   float64 `name:"trace-sample" env:"TOLMACH_TRACE_SAMPLE" default:"1" placeholder:"RATIO" help:"Share of the traces begun here that are sent, from 0 to 1. A caller that sends a traceparent has decided for its own."`
}
