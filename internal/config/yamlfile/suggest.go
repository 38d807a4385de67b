package yamlfile

import (
	"fmt"
	"slices"
	"strings"
)

// Words beyond maxWord are no typing mistakes; shorter beginnings than minPrefix
// say nothing.
const (
	maxWord   = 64
	minPrefix = 3
)

// UnknownKey says what to do about a key that nobody knows: the nearest known
// key, or all of them.
func UnknownKey(key string, known []string) string {
	if near := Nearest(key, known); near != "" {
		return fmt.Sprintf("unknown key; did you mean %q?", near)
	}
	return "unknown key; the keys here are " + strings.Join(known, ", ")
}

// Nearest is the known word that a mistyped word most likely meant, or "": the
// one with the fewest letters changed, else one that starts it or that it
// starts. The first of equally near words wins.
func Nearest(word string, known []string) string {
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	if len(word) > maxWord {
		return ""
	}
	best, least := "", 1+max(1, len(word)/3)
	for _, candidate := range known {
		if d := distance(word, candidate); d < least {
			best, least = candidate, d
		}
	}
	if best != "" {
		return best
	}
	for _, candidate := range known {
		if min(len(word), len(candidate)) >= minPrefix &&
			(strings.HasPrefix(word, candidate) || strings.HasPrefix(candidate, word)) {
			return candidate
		}
	}
	return ""
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row := make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			replace := last[j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			row[j] = slices.Min([]int{replace, last[j] + 1, row[j-1] + 1})
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
