package scenario

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxYAMLDepth bounds how deep the YAML loader itself follows brackets and indentation.
const maxYAMLDepth = 200

// load reads the bytes into one YAML node; nil means that a problem was noted.
func (p *parser) load(src []byte) *yaml.Node {
	if len(src) > maxFile {
		p.refuse(position{1, 1}, "the file is longer than 1 MiB", "split the bot or move data behind an HTTP call")
		return nil
	}
	if !p.readable(src) {
		return nil
	}
	var documents []yaml.Node
	err := yaml.Load(src, &documents, yaml.WithAllDocuments(),
		yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxYAMLDepth), loaderlimits.AliasNone())))
	var broken *yaml.LoadError
	switch {
	case errors.As(err, &broken):
		what := "this isn't valid YAML: " + broken.Message
		if broken.ContextMsg != "" {
			what += " (" + broken.ContextMsg + ")"
		}
		p.refuse(position{broken.Mark.Line, broken.Mark.Column}, what, "correct the YAML here or just above")
	case err != nil:
		p.refuse(position{1, 1}, "this isn't valid YAML: "+err.Error(), "correct the YAML")
	case len(documents) == 0 || len(documents[0].Content) == 0:
		p.refuse(position{1, 1}, "the file is empty", "write `states:` with at least one state")
	case len(documents) > 1:
		p.refuse(place(&documents[1]), "the file holds a second YAML document", "keep one scenario a file and remove what follows `---`")
	default:
		return documents[0].Content[0]
	}
	return nil
}

// readable finds bytes that no YAML file may hold, because the loader reports them without their place.
func (p *parser) readable(src []byte) bool {
	at := position{1, 1}
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		if r == utf8.RuneError && size == 1 {
			p.refuse(at, "the file isn't valid UTF-8", "save it as UTF-8")
			return false
		}
		if unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r) {
			p.refuse(at, "the file holds a control character", "remove it")
			return false
		}
		src = src[size:]
		at.column++
		if r == '\n' {
			at = position{at.line + 1, 1}
		}
	}
	return true
}

// place is where a node stands in the file.
func place(n *yaml.Node) position { return position{n.Line, n.Column} }

// visit follows an alias and charges the node to the file's budget, which is what bounds alias expansion.
// nil means that the budget is used up and a problem was noted.
func (p *parser) visit(n *yaml.Node) *yaml.Node {
	p.nodes++
	if p.nodes > maxNodes {
		if p.nodes == maxNodes+1 {
			p.refuse(place(n), "the file is too large once its aliases are followed", "use fewer aliases")
		}
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// pair is one line of a mapping.
type pair struct {
	key   string
	at    position // of the key
	value *yaml.Node
}

// pairs reads a mapping whose keys are free; what names it in messages. A key may stand once.
func (p *parser) pairs(n *yaml.Node, what string) []pair {
	at := place(n)
	if n = p.visit(n); n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.refuse(at, what+" must be a mapping of keys to values", "write it as `key: value` lines or as {key: value}")
		return nil
	}
	seen := make(map[string]bool, len(n.Content)/2)
	list := make([]pair, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := p.visit(n.Content[i])
		if key == nil {
			return nil
		}
		at := place(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			p.refuse(at, "a key of "+what+" must be a plain word", "write the keys out; merging with << isn't supported")
		case seen[key.Value]:
			p.refuse(at, "the key "+quote(key.Value)+" stands twice", "remove one of them")
		default:
			seen[key.Value] = true
			list = append(list, pair{key.Value, at, n.Content[i+1]})
		}
	}
	return list
}

// record reads a mapping whose keys are fixed and refuses every other key.
func (p *parser) record(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	fields := make(map[string]*yaml.Node, len(known))
	for _, one := range p.pairs(n, what) {
		if !slices.Contains(known, one.key) {
			p.refuse(one.at, "unknown key "+quote(one.key)+" in "+what, "the keys are "+strings.Join(known, ", "))
			continue
		}
		fields[one.key] = one.value
	}
	return fields
}

// list reads a sequence of at least `least` and at most `most` items.
func (p *parser) list(n *yaml.Node, what string, least, most int) []*yaml.Node {
	at := place(n)
	if n = p.visit(n); n == nil {
		return nil
	}
	switch {
	case n.Kind != yaml.SequenceNode:
		p.refuse(at, what+" must be a list", "write each item on a line with `- ` or all as [a, b]")
	case len(n.Content) < least:
		p.refuse(at, what+" is empty", "write at least one item or remove the key")
	case len(n.Content) > most:
		p.refuse(at, what+" has too many items", "keep it short: at most "+strconv.Itoa(most))
	default:
		return n.Content
	}
	return nil
}

// scalar reads a single value as the file spells it, so that `text: 10` is the text 10.
func (p *parser) scalar(n *yaml.Node, what string) (string, bool) {
	at := place(n)
	if n = p.visit(n); n == nil {
		return "", false
	}
	tag := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode:
		p.refuse(at, what+" must be a single value", "write text, in quotes when it begins with a special character")
	case tag == "!!null":
		p.refuse(at, what+" is empty", "write a value or remove the key")
	case !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, tag):
		p.refuse(at, what+" has the YAML tag "+tag, "write plain text without a tag")
	default:
		return n.Value, true
	}
	return "", false
}

// flag reads true or false.
func (p *parser) flag(n *yaml.Node, what string) bool {
	at := place(n)
	if n = p.visit(n); n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		p.refuse(at, what+" must be true or false", "write true or false")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// duration reads a length of time above zero and at most `most`.
func (p *parser) duration(n *yaml.Node, what string, most time.Duration) time.Duration {
	text, ok := p.scalar(n, what)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		p.refuse(place(n), what+" isn't a duration: "+quote(text), "write it as 700ms, 3s or 1h30m")
	case d <= 0 || d > most:
		p.refuse(place(n), what+" is out of range: "+quote(text), "write more than zero and at most "+most.String())
	default:
		return d
	}
	return 0
}
