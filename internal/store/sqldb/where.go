package sqldb

import (
	"fmt"
	"strings"
)

// where collects the conditions of a list that is paged by id.
type where struct {
	text strings.Builder
	args []any
}

func newWhere(first string, args ...any) *where {
	w := &where{args: args}
	w.text.WriteString(first)
	return w
}

// and adds a condition that lacks only its argument.
func (w *where) and(condition string, arg any) {
	w.args = append(w.args, arg)
	fmt.Fprintf(&w.text, " AND %s $%d", condition, len(w.args))
}

// also adds a whole condition.
func (w *where) also(condition string) { w.text.WriteString(" AND " + condition) }

// page completes the query.
func (w *where) page(from string, limit int) (string, []any) { return w.pageBy("id", from, limit) }

// pageBy is page of a list whose id has another name.
func (w *where) pageBy(id, from string, limit int) (string, []any) {
	w.args = append(w.args, atMost(limit))
	return fmt.Sprintf("%s WHERE %s ORDER BY %s LIMIT $%d", from, w.text.String(), id, len(w.args)), w.args
}
