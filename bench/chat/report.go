package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// report is what a run found. Times are milliseconds, memory is megabytes; what
// was not measured is null.
type report struct {
	Started string  `json:"started"`
	Engine  string  `json:"engine"`
	Cores   int     `json:"cores"`
	Seconds float64 `json:"seconds"`

	Polls     *polls     `json:"polls"`
	OneClient *oneClient `json:"one_client"`
	Sync      *roundTrip `json:"sync"`
	Live      *live      `json:"live"`
}

// polls are clients who wait, one poll each. The delay is from the event's own
// moment, before its commit.
type polls struct {
	Waiting  int     `json:"waiting"`
	Rate     int     `json:"events_per_second"`
	BeforeMB float64 `json:"before_mb"`
	AddedMB  float64 `json:"added_mb"`
	Operator spread  `json:"operator_to_wake_ms"`
	Bot      spread  `json:"bot_to_wake_ms"`
	Cost     cost    `json:"cpu_us_per_operator_message"` // with its call and the poll's answer
}

// oneClient is many polls of one client, all woken by one event.
type oneClient struct {
	Waiting    int     `json:"waiting"`
	Wakes      int     `json:"wakes"`
	ResidentMB float64 `json:"resident_mb"`
	Delay      spread  `json:"to_wake_ms"`
	Cost       cost    `json:"cpu_us_per_wake"`
}

// roundTrip is from when a question was due until its answer was read.
type roundTrip struct {
	Rate   int    `json:"per_second"`
	Count  int    `json:"count"`
	Errors int    `json:"errors"`
	Took   spread `json:"took_ms"`
	Cost   cost   `json:"cpu_us_each"`
}

// live is what operators' sockets were shown.
type live struct {
	Rate    int    `json:"per_second"`
	Sockets int    `json:"sockets"`
	Count   int    `json:"count"` // messages, each on every socket
	Accept  spread `json:"accept_ms"`
	Delay   spread `json:"accept_to_socket_ms"` // from the acknowledgement; 0 where the socket was first
	Whole   spread `json:"sent_to_socket_ms"`
	Cost    cost   `json:"cpu_us_per_message"` // all sockets together
}

// spread is how times are spread.
type spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// cost is the processor time of the server, in microseconds: it says something
// on a busy machine, too.
type cost float64

// String is nothing where nothing was measured.
func (c cost) String() string {
	if c == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", float64(c))
}

func spreadOf(took []time.Duration) spread {
	if len(took) == 0 {
		return spread{}
	}
	slices.Sort(took)
	at := func(p float64) float64 {
		return float64(took[min(len(took)-1, int(p*float64(len(took))))].Microseconds()) / 1000
	}
	return spread{at(0.5), at(0.99), at(1)}
}

func newReport(o options) *report {
	engine := "sqlite"
	if o.database != "" {
		engine = "postgres"
	}
	return &report{
		Started: time.Now().UTC().Format(time.RFC3339), Engine: engine, Cores: runtime.GOMAXPROCS(0), Seconds: o.seconds.Seconds(),
	}
}

func (r *report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	row := func(what string, s spread, c cost, bar string) {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%s\t%s\n", what, s.P50, s.P99, s.Max, c, bar)
	}
	fmt.Fprintf(w, "%s, %d cores\tp50 ms\tp99 ms\tmax ms\tserver CPU µs\tbar\n", r.Engine, r.Cores)
	if p := r.Polls; p != nil {
		fmt.Fprintf(w, "%d long polls wait, one a client: %.1f MB more than %.0f MB\t\t\t\t\t< 60 MB\n", p.Waiting, p.AddedMB, p.BeforeMB)
		row(fmt.Sprintf("an operator's message → its poll answered, %d/s", p.Rate), p.Operator, p.Cost, "max ≤ 100 ms")
		row(fmt.Sprintf("a bot's message → its poll answered, %d/s", p.Rate), p.Bot, 0, "max ≤ 100 ms")
	}
	if c := r.OneClient; c != nil {
		row(fmt.Sprintf("one message → %d polls of one client answered, %d in all", c.Waiting, c.Wakes), c.Delay, c.Cost, "max ≤ 100 ms")
	}
	if s := r.Sync; s != nil {
		row(fmt.Sprintf("question → answer in its call, %d/s, %d verified, %d errors", s.Rate, s.Count, s.Errors), s.Took, s.Cost, "")
	}
	if l := r.Live; l != nil {
		row(fmt.Sprintf("accept, %d/s", l.Rate), l.Accept, 0, "")
		row(fmt.Sprintf("accept → operator's socket, %d sockets, %d messages verified", l.Sockets, l.Count), l.Delay, l.Cost, "p99 ≤ 50 ms")
		row("sent → operator's socket", l.Whole, 0, "")
	}
	_ = w.Flush() // to a terminal
}
