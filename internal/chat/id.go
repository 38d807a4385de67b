package chat

import (
	"strconv"
	"time"
)

// ID names a row of any kind. Ids come from one sequence of the database, rise
// with time, are unique over all kinds and stay below 2^53, so that JavaScript
// reads them exactly.
type ID int64

// Micros is a moment in microseconds since the Unix epoch, UTC: the unit of
// every time the core stores.
type Micros int64

// MicrosOf converts a time.
func MicrosOf(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time converts back, in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Add moves a moment by a duration.
func (m Micros) Add(d time.Duration) Micros { return m + Micros(d.Microseconds()) }

// Sub is the duration from earlier to m.
func (m Micros) Sub(earlier Micros) time.Duration {
	return time.Duration(m-earlier) * time.Microsecond
}

// Duration is a time.Duration that is written as "1h30m" in JSON and in the
// setup file.
type Duration time.Duration

// MarshalText writes the duration in Go's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's notation and refuses negative durations.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return Invalid("", "%q is not a duration; write it as 90s, 15m or 1h30m", text)
	}
	if v < 0 {
		return Invalid("", "%q is negative; a duration counts forward", text)
	}
	*d = Duration(v)
	return nil
}

// String writes the id in decimal.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }
