package scenario

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
)

// maxText bounds every text that goes into a turn or comes out of an expression.
const maxText = 64 << 10

var errTooLong = errors.New("memory budget exceeded: the text would be longer than 64 KiB")

// functions replaces the built-in functions that can make much from little, and those that write or read numbers:
// a number looks the same in a reply, in string() and in toJSON(), and whole numbers stay exact.
func functions() []expr.Option {
	return append(guardFunctions(),
		expr.Function("string", func(args ...any) (any, error) { return textOf(args[0]), nil }, new(func(any) string)),
		expr.Function("toJSON", func(args ...any) (any, error) { return jsonOf(args[0]) }, new(func(any) string)),
		expr.Function("fromJSON", fromJSON, new(func(string) any)),
		expr.Function("repeat", repeat, new(func(string, int) string)),
		expr.Function("replace", replace, new(func(string, string, string) string), new(func(string, string, string, int) string)),
		expr.Function("join", join, new(func([]any) string), new(func([]any, string) string),
			new(func([]string) string), new(func([]string, string) string)),
	)
}

// text reads an argument that must be a text.
func text(args []any, i int) (string, error) {
	s, ok := args[i].(string)
	if !ok {
		return "", fmt.Errorf("argument %d must be a text, not %T", i+1, args[i])
	}
	return s, nil
}

func fromJSON(args ...any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	return decodeJSON([]byte(s))
}

func repeat(args ...any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	n, ok := plain(args[1]).(int)
	if !ok || n < 0 {
		return nil, errors.New("repeat wants a whole number that isn't negative")
	}
	if len(s) > 0 && n > maxText/len(s) {
		return nil, errTooLong
	}
	return strings.Repeat(s, n), nil
}

func replace(args ...any) (any, error) {
	var s [3]string
	for i := range s {
		var err error
		if s[i], err = text(args, i); err != nil {
			return nil, err
		}
	}
	most := -1
	if len(args) == 4 {
		n, ok := plain(args[3]).(int)
		if !ok {
			return nil, errors.New("replace wants a whole number")
		}
		most = n
	}
	if found := strings.Count(s[0], s[1]); len(s[0])+found*(len(s[2])-len(s[1])) > maxText && len(s[2]) > len(s[1]) {
		return nil, errTooLong
	}
	return strings.Replace(s[0], s[1], s[2], most), nil
}

func join(args ...any) (any, error) {
	items, ok := plain(args[0]).([]any)
	if !ok {
		return nil, fmt.Errorf("join wants a list, not %T", args[0])
	}
	glue := ""
	if len(args) == 2 {
		var err error
		if glue, err = text(args, 1); err != nil {
			return nil, err
		}
	}
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(glue)
		}
		b.WriteString(textOf(item))
		if b.Len() > maxText {
			return nil, errTooLong
		}
	}
	return b.String(), nil
}
