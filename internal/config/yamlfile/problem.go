// Package yamlfile reads YAML files that people write into Go values, strictly:
// unknown keys, wrong types and malformed values are refused, all at once, each
// with its line and column. It knows nothing of what the files are for; a
// Schema says that.
package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file, both numbers counted from 1; columns count
// characters. The zero Position is an unknown place.
type Position struct {
	Line, Column int
}

// Problem is one mistake in a file. Path leads to it in the words of the file
// (`channels[2].kind`; empty for mistakes of the YAML itself). Message says
// what is wrong and what to do, and quotes no secret.
type Problem struct {
	Position
	Path    string
	Message string
}

// maxShown bounds how many problems one error prints.
const maxShown = 100

// Error is everything that is wrong with one file.
type Error struct {
	File     string
	Problems []Problem
}

// NewError sorts the problems by position. It returns nil when there are none.
func NewError(file string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	sorted := slices.Clone(problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	return &Error{File: file, Problems: sorted}
}

// Error prints one line for each problem: file:line:column: path: message.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i == maxShown {
			fmt.Fprintf(&b, "\n%s: and %d more", e.File, len(e.Problems)-maxShown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Message)
	}
	return b.String()
}
