package setupfile

import (
	"strings"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

// Positions knows where every value of a setup file stands.
type Positions struct {
	file string
	docs []map[string]yamlfile.Position
}

// Of is the position of a path (`channels[2].kind`) in document doc, counted
// from 0 as the setups that Parse returned. What isn't written stands where
// the nearest thing around it does; an unknown document has no position.
func (p Positions) Of(doc int, path string) yamlfile.Position {
	if doc < 0 || doc >= len(p.docs) {
		return yamlfile.Position{}
	}
	for {
		if at, ok := p.docs[doc][path]; ok || path == "" {
			return at
		}
		path = parent(path)
	}
}

// parent takes the last key or index off a path.
func parent(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:max(strings.LastIndexByte(path, '['), 0)]
	}
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

// Explain makes one error of the problems of a document, sorted by position,
// each with file:line:column. It returns nil when there are none.
func (p Positions) Explain(doc int, problems []chat.Problem) error {
	placed := make([]yamlfile.Problem, 0, len(problems))
	for _, problem := range problems {
		placed = append(placed, yamlfile.Problem{
			Position: p.Of(doc, problem.Path), Path: problem.Path, Message: problem.Message})
	}
	return yamlfile.NewError(p.file, placed)
}
