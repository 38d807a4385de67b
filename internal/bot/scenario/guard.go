package scenario

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// An expression may be written by a stranger and fed by another, and the virtual machine that runs it counts only
// some of the memory it takes and none of the time. So every node that makes a text or a collection and every round
// of a loop is wrapped in a call that charges the turn's meter. The names hold a space: no author can spell them.
const (
	meterName  = "the meter"
	chargeName = "charge the meter"
	roundName  = "count a round"
	matchName  = "match a pattern"
)

const (
	turnBudget = 16 << 20 // what all expressions of a turn may make, about bytes
	roundCost  = 128
	itemCost   = 16 // of anything that is not a text
)

var errBudget = errors.New("the turn's budget for expressions is used up")

// meter is what is left of a turn's budget.
type meter struct {
	ctx  context.Context
	left int
}

func (m *meter) spend(cost int) error {
	if m.left -= cost; m.left < 0 {
		return errBudget
	}
	return m.ctx.Err()
}

// weigh tells about how many bytes a value takes when it is written out; it stops counting above the limit.
func weigh(v any, limit int) int {
	switch v := v.(type) {
	case string:
		return itemCost + len(v)
	case []any:
		return weighAll(limit, len(v), func(i int) int { return weigh(v[i], limit) })
	case map[string]any:
		sum := itemCost
		for key, one := range v {
			if sum += len(key) + weigh(one, limit-sum); sum > limit {
				break
			}
		}
		return sum
	}
	rest := reflect.ValueOf(v)
	switch rest.Kind() {
	case reflect.Slice, reflect.Array:
		return weighAll(limit, rest.Len(), func(i int) int { return weigh(rest.Index(i).Interface(), limit) })
	case reflect.Map:
		values := rest.MapRange()
		return weighAll(limit, rest.Len(), func(int) int {
			values.Next()
			return itemCost + weigh(values.Value().Interface(), limit)
		})
	}
	return itemCost
}

func weighAll(limit, count int, one func(int) int) int {
	sum := itemCost
	for i := 0; i < count && sum <= limit; i++ {
		sum += one(i)
	}
	return sum
}

// guard wraps the nodes of one expression; refused is what it may not contain.
type guard struct{ refused error }

// Visit implements ast.Visitor.
func (g *guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			g.refused = errors.New("$env isn't available")
		}
	case *ast.PredicateNode:
		n.Node = guarded(roundName, n.Node)
	case *ast.BinaryNode:
		switch n.Operator {
		case "matches":
			*node = guarded(matchName, n.Left, g.constant(n.Right))
		case "+", "..":
			*node = guarded(chargeName, n)
		}
	case *ast.ArrayNode, *ast.MapNode, *ast.BuiltinNode, *ast.CallNode:
		*node = guarded(chargeName, n)
	}
}

// constant compiles a literal regular expression once.
func (g *guard) constant(n ast.Node) ast.Node {
	literal, ok := n.(*ast.StringNode)
	if !ok {
		return n
	}
	re, _, err := compileRegexp(literal.Value)
	if err != nil {
		g.refused = err
		return n
	}
	return &ast.ConstantNode{Value: re}
}

func guarded(function string, arguments ...ast.Node) ast.Node {
	return &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: function},
		Arguments: append([]ast.Node{&ast.IdentifierNode{Value: meterName}}, arguments...),
	}
}

// guardFunctions are what the wrapped nodes call. Their first argument is the meter.
func guardFunctions() []expr.Option {
	return []expr.Option{
		expr.Function(chargeName, func(args ...any) (any, error) {
			m := args[0].(*meter)
			return args[1], m.spend(weigh(args[1], m.left))
		}),
		expr.Function(roundName, func(args ...any) (any, error) {
			return args[1], args[0].(*meter).spend(roundCost)
		}),
		expr.Function(matchName, func(args ...any) (any, error) {
			return matches(args[0].(*meter), args[1], args[2])
		}),
	}
}

// matches is the operator of that name, with a bound on what a computed expression may cost.
func matches(m *meter, text, pattern any) (any, error) {
	if text == nil || pattern == nil {
		return false, nil
	}
	s, ok := text.(string)
	if !ok {
		return nil, fmt.Errorf("matches wants a text, got %T", text)
	}
	if err := m.spend(roundCost + len(s)); err != nil {
		return nil, err
	}
	if re, ok := pattern.(*regexp.Regexp); ok {
		return re.MatchString(s), nil
	}
	source, ok := pattern.(string)
	if !ok {
		return nil, fmt.Errorf("matches wants a regular expression, got %T", pattern)
	}
	re, size, err := compileRegexp(source)
	if err != nil {
		return nil, err
	}
	if err := m.spend(size * itemCost); err != nil {
		return nil, err
	}
	return re.MatchString(s), nil
}
