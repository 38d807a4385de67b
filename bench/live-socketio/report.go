package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// report is what was measured.
type report struct {
	Connections        int     `json:"connections"`
	WebSocketBytes     int64   `json:"websocket_bytes_per_idle_connection"`
	PollingBytes       int64   `json:"polling_bytes_per_idle_connection"`
	IdleMicros         float64 `json:"idle_cpu_us_per_connection_second"`
	PairsPerCore       float64 `json:"pairs_deliveries_per_cpu_second"`
	PairsPerSecond     float64 `json:"pairs_deliveries_per_second"`
	CoalescedPerCore   float64 `json:"coalesced_deliveries_per_cpu_second"`
	CoalescedPerSecond float64 `json:"coalesced_deliveries_per_second"`
	StormSeconds       float64 `json:"reconnect_storm_seconds"`
}

// table writes the figures beside the bars of the design.
func (r *report) table(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	rows := []struct{ what, got, bar string }{
		{"memory, idle WebSocket", kilobytes(r.WebSocketBytes), "≤ 12 KB"},
		{"memory, idle polling", kilobytes(r.PollingBytes), "≤ 35 KB"},
		{"CPU, idle WebSocket", fmt.Sprintf("%.2f µs/s", r.IdleMicros), ""},
		{"fan-out, 2 a room, by server CPU", fmt.Sprintf("%.0f/s a core", r.PairsPerCore), "≥ 50,000"},
		{"fan-out, 2 a room, by the clock", fmt.Sprintf("%.0f/s", r.PairsPerSecond), ""},
		{fmt.Sprintf("fan-out, coalesced to %d, by server CPU", r.Connections/2), fmt.Sprintf("%.0f/s a core", r.CoalescedPerCore), ""},
		{fmt.Sprintf("fan-out, coalesced to %d, by the clock", r.Connections/2), fmt.Sprintf("%.0f/s", r.CoalescedPerSecond), "≥ 1,000,000"},
		{fmt.Sprintf("%d clients back at once", r.Connections), fmt.Sprintf("%.2f s", r.StormSeconds), "≤ 15 s"},
	}
	for _, row := range rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", row.what, row.got, row.bar) // to a terminal or a pipe: nobody is left to tell
	}
	_ = w.Flush()
}

func kilobytes(bytes int64) string { return fmt.Sprintf("%.1f KB", float64(bytes)/1024) }
