package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v4"
)

const (
	maxExprNodes   = 1_000  // of one expression's syntax tree
	maxExpressions = 20_000 // of a file; each takes some kilobytes
)

// expression is one compiled expression.
type expression struct {
	source  string
	at      position
	program *vm.Program
}

// baseNames are what every expression sees; `into` adds one more.
var baseNames = []string{"text", "event", "data", "match", "vars", "client", "session", "now"}

// environment is the types of the names that an expression sees, for its check.
func environment(into string) types.Map {
	object := types.TypeOf(map[string]any{})
	env := types.Map{
		"text": types.String, "event": types.String, "data": types.Any, "match": types.TypeOf([]string{}),
		"vars": object, "client": object, "session": object, "now": types.TypeOf(time.Time{}),
		meterName: types.Any,
	}
	if into != "" {
		env[into] = types.Any
	}
	return env
}

// condition reads a `when`.
func (p *parser) condition(n *yaml.Node, into string) *expression {
	source, ok := p.scalar(n, "`when`")
	if !ok {
		return nil
	}
	if strings.Contains(source, "{{") {
		p.refuse(place(n), "`when` is an expression already", "write it without {{ }}")
		return nil
	}
	return p.expression(source, place(n), into, true)
}

// dialect is what an expression is compiled with, besides its source.
type dialect struct {
	source    string
	into      string
	condition bool
}

// expression compiles what stands between {{ and }} or in a `when`. The same expression is compiled once a file.
func (p *parser) expression(source string, at position, into string, condition bool) *expression {
	if p.expressions++; p.expressions > maxExpressions {
		if p.expressions == maxExpressions+1 {
			p.refuse(at, "there are more than 20,000 expressions", "split the bot or move data behind an HTTP call")
		}
		return nil
	}
	d := dialect{strings.TrimSpace(source), into, condition}
	if known := p.compiled[d]; known != nil {
		return &expression{d.source, at, known}
	}
	program, err := compile(d)
	if err != nil {
		p.refuse(at, "the expression "+quote(d.source)+" doesn't compile: "+err.Error(), "correct it; it sees "+strings.Join(visible(into), ", "))
		return nil
	}
	p.compiled[d] = program
	return &expression{d.source, at, program}
}

func visible(into string) []string {
	if into == "" {
		return baseNames
	}
	return append(slices.Clone(baseNames), into)
}

// compile compiles twice: as written, which finds every mistake of the author with its types still known, and again
// with the guards inside, which know no types.
func compile(d dialect) (program *vm.Program, err error) {
	// The compiler of a foreign language meets hostile files here; a crash of it must stay an error of the file.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is malformed")
		}
	}()
	switch {
	case d.source == "":
		return nil, errors.New("it is empty")
	case len(d.source) > maxExpression:
		return nil, fmt.Errorf("it is longer than %d bytes", maxExpression)
	}
	options := append(functions(), expr.Env(environment(d.into)), expr.Optimize(false), expr.MaxNodes(maxExprNodes))
	if d.condition {
		options = append(options, expr.AsBool())
	}
	if _, err = expr.Compile(d.source, options...); err != nil {
		return nil, plainError(err)
	}
	guard := &guard{}
	program, err = expr.Compile(d.source, append(options, expr.Patch(guard))...)
	if err == nil {
		err = guard.refused
	}
	return program, plainError(err)
}

// plainError drops the picture that the compiler draws under an error, and says the column in words.
func plainError(err error) error {
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s at character %d", oneLine(at.Message), at.Column+1)
	}
	return err
}

// run evaluates the expression. The error may quote a client's words, so it never goes into a note as it is.
func (e *expression) run(env map[string]any) (any, error) { return vm.Run(e.program, env) }

// reason says why an expression failed, in words that quote nothing.
func reason(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, errBudget):
		return "it needs too much time or memory"
	case strings.Contains(text, "memory budget"):
		return "it needs too much time or memory"
	case strings.Contains(text, "index out of range"):
		return "there is no item with this number"
	case strings.Contains(text, "from <nil>"):
		return "it asks a missing value for a field"
	case strings.Contains(text, "<nil>"), strings.Contains(text, "is nil"):
		return "it calculates with a missing value"
	default:
		return "it can't be calculated from these values"
	}
}
