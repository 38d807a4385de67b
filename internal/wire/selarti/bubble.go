package selarti

import (
	"fmt"
	"strconv"

	"github.com/tolmach/tolmach/internal/chat"
)

// A Bubble id is `<13 digits of ms>x<18 digits>`, the form of the vendor's ids
// (specs/selarti.md §1). Ours are computed: the first part is the creation time,
// the second is the int64 id under a fixed permutation of 0…10^18-1 that the
// first part tweaks. So an id is stable for ever on every installation, leads
// back to its row, can't be counted on from a neighbour's, and an invented time
// leads to another row than it claims. It is a name, never a right: whoever
// shows one must be allowed to see what it names.
//
// The permutation is a Feistel network over two halves of nine digits. Changing
// anything in it would change every id ever given out.

const (
	half     = 1_000_000_000 // 10^9: one half of the 18 digits
	rounds   = 4
	maxMilli = 9_999_999_999_999 // the year 2286
	minMilli = 1_000_000_000_000 // September 2001: below it there are no 13 digits
	maxID    = 1<<53 - 1
)

// BubbleID writes the id of a row that was created at the given moment.
func BubbleID(created chat.Micros, id chat.ID) string {
	ms := clampMilli(created)
	left, right := uint64(id)/half, uint64(id)%half
	for round := range uint64(rounds) {
		left, right = right, (left+mix(ms, round, right))%half
	}
	return fmt.Sprintf("%013dx%09d%09d", ms, left, right)
}

// ParseBubbleID reads an id back. ok is false for what BubbleID never writes.
// The caller compares ms with the creation time of the row it finds, by
// SameMilli.
func ParseBubbleID(text string) (ms int64, id chat.ID, ok bool) {
	const form = 13 + 1 + 18
	if len(text) != form || text[13] != 'x' || !digits(text[:13]) || !digits(text[14:]) {
		return 0, 0, false
	}
	ms, _ = strconv.ParseInt(text[:13], 10, 64) // 13 digits always fit
	left, _ := strconv.ParseUint(text[14:23], 10, 64)
	right, _ := strconv.ParseUint(text[23:], 10, 64)
	for round := uint64(rounds); round > 0; round-- {
		left, right = (right+half-mix(uint64(ms), round-1, left)%half)%half, left
	}
	n := left*half + right
	if ms < minMilli || n == 0 || n > maxID {
		return 0, 0, false
	}
	return ms, chat.ID(n), true
}

// SameMilli says whether ms is the time part of ids of rows created then.
func SameMilli(ms int64, created chat.Micros) bool { return ms == int64(clampMilli(created)) }

// clampMilli keeps the time part at 13 digits, whatever the clock said.
func clampMilli(at chat.Micros) uint64 {
	return uint64(min(max(int64(at)/1000, minMilli), maxMilli))
}

// mix is the round function: the finalizer of SplitMix64 over its inputs.
func mix(ms, round, value uint64) uint64 {
	z := ms*0x9e3779b97f4a7c15 ^ (round+1)*0xd1342543de82ef95 ^ value*0xaf251af3b0f025b5
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// TaskID is the id that API callers send for a task: the one the setup file
// gave it, else the computed one.
func TaskID(t *chat.Task) string {
	if t.SelartiID != "" {
		return t.SelartiID
	}
	return BubbleID(t.CreatedAt, t.ID)
}

// taskByID finds a tenant's task by either of its ids, or nil.
func taskByID(c *chat.Catalog, tenant chat.ID, id string) *chat.BoundTask {
	if t := c.TaskBySelartiID(tenant, id); t != nil {
		return t
	}
	ms, n, ok := ParseBubbleID(id)
	if !ok {
		return nil
	}
	if t := c.Task(tenant, n); t != nil && SameMilli(ms, t.CreatedAt) {
		return t
	}
	return nil
}
