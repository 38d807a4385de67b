package chatapi

import (
	"math"
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
	if strings.Trim(text, "0123456789.") == "" && len(text) < 30 {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			if n < secondsBelow {
				n *= 1000
			}
			if micros := math.Floor(n) * 1000; micros < 1e18 {
				return chat.Micros(micros), nil
			}
		}
	}
	return 0, chat.Invalid(name, "is not a moment; write it as 2024-05-01T10:00:00.000 in UTC, or as Unix time in seconds or milliseconds")
}
