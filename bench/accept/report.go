package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// report is what a run found. Times are milliseconds, memory is megabytes.
type report struct {
	Started     string  `json:"started"`
	Engine      string  `json:"engine"`
	Cores       int     `json:"cores"`
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`

	Floor      throughput `json:"floor"`
	Alone      throughput `json:"alone"`
	AloneRatio float64    `json:"alone_ratio"`
	Whole      throughput `json:"whole"`
	WholeDrain float64    `json:"whole_drained_per_second"`
	WholeRatio float64    `json:"whole_ratio"`

	OpenRate      float64 `json:"open_rate"`
	AcceptP50     float64 `json:"accept_p50_ms"`
	AcceptP99     float64 `json:"accept_p99_ms"`
	WebhookP50    float64 `json:"accept_to_webhook_p50_ms"`
	WebhookP99    float64 `json:"accept_to_webhook_p99_ms"`
	Drained       int     `json:"drained"`
	DrainedPerSec float64 `json:"drained_per_second"`

	ReadyMS  float64 `json:"start_to_ready_ms"`
	IdleMB   float64 `json:"idle_mb"`
	LoadedMB float64 `json:"loaded_mb"`
	Verified int     `json:"verified"`

	Overload *overload `json:"overload"`
}

// throughput is one closed loop.
type throughput struct {
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Count     int     `json:"count"`
}

func cores() int { return runtime.GOMAXPROCS(0) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile of sorted durations.
func percentile(sorted []time.Duration, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return milliseconds(sorted[min(len(sorted)-1, int(p*float64(len(sorted))))])
}

func summarise(took []time.Duration, elapsed time.Duration) throughput {
	slices.Sort(took)
	return throughput{
		PerSecond: float64(len(took)) / elapsed.Seconds(), P50: percentile(took, 0.5), P99: percentile(took, 0.99), Count: len(took),
	}
}

// ratio is 0 when the floor was not measured.
func ratio(of, floor throughput) float64 {
	if floor.PerSecond == 0 {
		return 0
	}
	return of.PerSecond / floor.PerSecond
}

func (r *report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d cores, %d connections, %.0f s a run, %d messages verified\n", r.Engine, r.Cores, r.Connections, r.Seconds, r.Verified)
	fmt.Fprintln(w, "what\tper second\tp50 ms\tp99 ms\tof the floor")
	fmt.Fprintf(w, "floor: net/http + group commit\t%.0f\t%.1f\t%.1f\t\n", r.Floor.PerSecond, r.Floor.P50, r.Floor.P99)
	fmt.Fprintf(w, "durable accept, task alone\t%.0f\t%.1f\t%.1f\t%.0f %%\n", r.Alone.PerSecond, r.Alone.P50, r.Alone.P99, 100*r.AloneRatio)
	fmt.Fprintf(w, "durable accept, bot and integration\t%.0f\t%.1f\t%.1f\t%.0f %%\n", r.Whole.PerSecond, r.Whole.P50, r.Whole.P99, 100*r.WholeRatio)
	fmt.Fprintf(w, "the same, until all webhooks were delivered\t%.0f\t\t\t\n", r.WholeDrain)
	fmt.Fprintf(w, "accept at %.0f/s\t\t%.1f\t%.1f\t\n", r.OpenRate, r.AcceptP50, r.AcceptP99)
	fmt.Fprintf(w, "accept → webhook at %.0f/s\t\t%.1f\t%.1f\t\n", r.OpenRate, r.WebhookP50, r.WebhookP99)
	fmt.Fprintf(w, "deliveries, draining %d in order\t%.0f\t\t\t\n", r.Drained, r.DrainedPerSec)
	fmt.Fprintf(w, "start to ready %.0f ms, idle %.0f MB, after load %.0f MB\n", r.ReadyMS, r.IdleMB, r.LoadedMB)
	if x := r.Overload; x != nil {
		fmt.Fprintf(w, "overload: %.0f/s offered for %.0f s: %d accepted and stored, %d refused, peak %.0f MB, 10 s later p99 %.1f ms\n",
			x.Rate, x.Seconds, x.Accepted, x.Refused, x.PeakMB, x.RecoveredMS)
	}
	_ = w.Flush() // to a terminal
}
