package setupfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	variable     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	errReference = errors.New("has a ${ that is no reference; write ${NAME} or ${NAME:-default}, and $$ for a dollar sign")
)

// expand replaces the references in a text. Its errors quote names of
// variables, never the text or a value.
func expand(text string, lookup func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), nil
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "{"):
			reference, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return "", errReference
			}
			value, err := resolve(reference, lookup)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			text = after
		default:
			b.WriteByte('$')
			text = rest
		}
	}
}

// resolve finds the value of what stands between ${ and }.
func resolve(reference string, lookup func(string) (string, bool)) (string, error) {
	name, fallback, optional := strings.Cut(reference, ":-")
	if !variable.MatchString(name) || strings.Contains(fallback, "${") {
		return "", errReference
	}
	value, set := "", false
	if lookup != nil {
		value, set = lookup(name)
	}
	switch {
	case !utf8.ValidString(value):
		return "", fmt.Errorf("the variable %s is not UTF-8 text; set it to text", name)
	case optional && value == "":
		return fallback, nil
	case !set:
		return "", fmt.Errorf("the variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	return value, nil
}
