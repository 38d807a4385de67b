package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds what one check reports: a file that is wrong everywhere needs no longer list.
const maxProblems = 100

// Problem is one mistake in a scenario file.
type Problem struct {
	File         string
	Line, Column int    // from 1
	What         string // what is wrong
	Fix          string // what to do
}

// String is the problem on one line: file:line:column: what is wrong; what to do.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s; %s", p.File, p.Line, p.Column, p.What, p.Fix)
}

// Problems is the error of Parse: every mistake of the file, in file order, at most 100 of them.
type Problems []Problem

// Error prints one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// refuse notes a mistake; the check goes on to find the others.
func (p *parser) refuse(at position, what, fix string) {
	if len(p.problems) > maxProblems {
		return
	}
	if len(p.problems) == maxProblems {
		what, fix = "there are more problems than are shown", "correct these first"
	}
	p.problems = append(p.problems, Problem{p.file, max(at.line, 1), max(at.column, 1), oneLine(what), fix})
}

// verdict is the error of the whole check, nil when the file is good.
func (p *parser) verdict() error {
	if len(p.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return p.problems
}

// oneLine keeps a foreign error message or a quoted piece of the file on one line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

// quote shows a piece of the file in a message, shortened when it is long.
func quote(s string) string { return `"` + shorten(s) + `"` }

func shorten(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return oneLine(s)
}
