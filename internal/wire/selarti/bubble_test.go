package selarti_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/wire/selarti"
)

var vendorForm = regexp.MustCompile(`^\d{13}x\d{15,18}$`)

// These ids are kept by callers for ever: a change here breaks their data.
func TestBubbleIDsNeverChange(t *testing.T) {
	tests := []struct {
		at   chat.Micros
		id   chat.ID
		want string
	}{
		{1721129985149123, 1, "1721129985149x153499251543098280"},
		{1721129985149123, 2, "1721129985149x366977405297667790"},
		{1721129985150000, 1, "1721129985150x116833891137460146"},
		{1770091506007000, 1<<53 - 1, "1770091506007x133758883222886728"},
		{0, 7, "1000000000000x231468112648309124"},
	}
	for _, tt := range tests {
		if got := selarti.BubbleID(tt.at, tt.id); got != tt.want {
			t.Errorf("BubbleID(%d, %d) = %s, want %s", tt.at, tt.id, got, tt.want)
		}
	}
}

func TestBubbleIDLeadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := chat.Micros(rapid.Int64Range(0, 1<<62).Draw(t, "at"))
		id := chat.ID(rapid.Int64Range(1, 1<<53-1).Draw(t, "id"))
		text := selarti.BubbleID(at, id)
		if !vendorForm.MatchString(text) || len(text) != 32 {
			t.Fatalf("%s has not the vendor's form", text)
		}
		ms, got, ok := selarti.ParseBubbleID(text)
		if !ok || got != id || !selarti.SameMilli(ms, at) {
			t.Fatalf("%s leads to %d, %d, %v", text, ms, got, ok)
		}
	})
}

// The time is a part of the name: with another one the digits name another row
// or none.
func TestBubbleIDWithAnInventedTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := chat.Micros(rapid.Int64Range(1_600_000_000_000_000, 1_900_000_000_000_000).Draw(t, "at"))
		other := at + chat.Micros(rapid.Int64Range(1000, 1_000_000_000).Draw(t, "later"))
		id := chat.ID(rapid.Int64Range(1, 1<<40).Draw(t, "id"))
		forged := selarti.BubbleID(other, id)[:13] + selarti.BubbleID(at, id)[13:]
		if ms, got, ok := selarti.ParseBubbleID(forged); ok && (got == id || selarti.SameMilli(ms, at)) {
			t.Fatalf("%s still leads to %d", forged, id)
		}
	})
}

func TestBubbleIDsCantBeCounted(t *testing.T) {
	seen := map[string]bool{}
	for id := chat.ID(1); id <= 1000; id++ {
		text := selarti.BubbleID(1721129985149000, id)
		if seen[text] {
			t.Fatalf("%s twice", text)
		}
		seen[text] = true
	}
	step := func(id chat.ID) string { return selarti.BubbleID(1721129985149000, id)[14:20] }
	if step(1) == step(2) || step(2) == step(3) {
		t.Error("neighbours look alike")
	}
}

func TestParseBubbleIDRefuses(t *testing.T) {
	good := selarti.BubbleID(1721129985149000, 5)
	for name, text := range map[string]string{
		"empty":                "",
		"too short":            good[:31],
		"too long":             good + "0",
		"no x":                 good[:13] + "X" + good[14:],
		"a letter":             good[:31] + "a",
		"a sign":               "+" + good[1:],
		"a space":              " " + good[1:],
		"other digits":         "١" + good[2:],
		"a time below 2001":    "0000000000001" + good[13:],
		"an id beyond 2^53":    "1721129985149x999999999999999999",
		"the vendor's example": "1721129985149x478019552540622850",
	} {
		if ms, id, ok := selarti.ParseBubbleID(text); ok {
			t.Errorf("%s: %q was read as %d, %d", name, text, ms, id)
		}
	}
}

// FuzzParseBubbleID: whatever is read is written back the same.
func FuzzParseBubbleID(f *testing.F) {
	f.Add(selarti.BubbleID(1721129985149000, 5))
	f.Add("1721129985149x478019552540622850")
	f.Add("9999999999999x000000000000000000")
	f.Fuzz(func(t *testing.T, text string) {
		ms, id, ok := selarti.ParseBubbleID(text)
		if ok && selarti.BubbleID(chat.Micros(ms*1000), id) != text {
			t.Fatalf("%q was read as %d, %d", text, ms, id)
		}
	})
}
