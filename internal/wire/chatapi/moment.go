package chatapi

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tolmach/tolmach/internal/chat"
)

const timestampLayout = "2006-01-02T15:04:05.000"

var timestampForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[!-~]\d{3}$`)

// timestamp is a moment as the vendor writes it: UTC without a zone, cut to the
// millisecond (specs/chatapi.md §2.2).
func timestamp(m chat.Micros) string { return m.Time().Format(timestampLayout) }

// secondsBelow parts Unix seconds from milliseconds.
const secondsBelow = 1e11

// parseMoment reads a moment in either form: the vendor's timestamp, or Unix
// time in seconds or milliseconds (specs/chatapi.md §4).
func parseMoment(name, text string) (chat.Micros, error) {
	if timestampForm.MatchString(text) {
		form := text[:19] + "." + text[20:] // any character may part the milliseconds
		if t, err := time.Parse(timestampLayout, form); err == nil && t.Year() >= 1970 {
			return chat.MicrosOf(t), nil
		}
		return 0, chat.Invalid(name, "%q is no moment that exists", text)
	}
	if ms, ok := unixTime(text); ok {
		return chat.Micros(ms * 1000), nil
	}
	return 0, chat.Invalid(name, "is not a moment; write it as 2024-05-01T10:00:00.000 in UTC, or as Unix time in seconds or milliseconds")
}

// unixTime reads Unix time, with a fraction or without one, as whole milliseconds.
func unixTime(text string) (ms int64, ok bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n >= 1e15 {
		return 0, false
	}
	if n >= secondsBelow {
		return n, true
	}
	thousandths, err := strconv.ParseInt((fraction + "000")[:3], 10, 64)
	return n*1000 + thousandths, err == nil
}
