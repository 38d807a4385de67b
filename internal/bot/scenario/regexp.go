package scenario

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// Regular expressions are linear in the text but may be large in memory: a{1000} is 7 bytes and 1,000 instructions.
// So one expression and all expressions of a file have a bound.
const (
	maxInstructions     = 2_000
	maxFileInstructions = 1_000_000
)

// expressionPattern is a pattern that began with ~.
type expressionPattern struct{ re *regexp.Regexp }

func (p expressionPattern) match(s subject) []string { return p.re.FindStringSubmatch(s.raw) }

// regexp compiles an expression of a pattern; what says why it can't.
func (p *parser) regexp(source string) (re *regexp.Regexp, what string) {
	switch {
	case source == "":
		return nil, "the expression after ~ is empty"
	case p.instructions > maxFileInstructions:
		return nil, "the expressions of this file are too large together"
	}
	re, size, err := compileRegexp("(?i)" + source)
	if err != nil {
		return nil, err.Error()
	}
	if p.instructions += size; p.instructions > maxFileInstructions {
		return nil, "the expressions of this file are too large together"
	}
	return re, ""
}

// compileRegexp compiles an RE2 expression of bounded size and tells that size in instructions.
func compileRegexp(source string) (*regexp.Regexp, int, error) {
	if len(source) > maxPattern+len("(?i)") {
		return nil, 0, fmt.Errorf("the regular expression is longer than %d bytes", maxPattern)
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, 0, fmt.Errorf("the regular expression is wrong: %w", err)
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, 0, fmt.Errorf("the regular expression is wrong: %w", err)
	}
	size := len(program.Inst)
	if size > maxInstructions {
		return nil, 0, fmt.Errorf("the regular expression is too large (%d instructions, at most %d)", size, maxInstructions)
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, 0, fmt.Errorf("the regular expression is wrong: %w", err)
	}
	return re, size, nil
}
