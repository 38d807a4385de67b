package yamlfile

import (
	"encoding/json"
	"fmt"
	"reflect"

	yaml "go.yaml.in/yaml/v4"
)

// maxValues bounds how many values one file may hold; what an alias stands for
// counts each time.
const maxValues = 250_000

// Schema says how Go types are written in one kind of file. The names of keys
// are those of the `json` tags.
type Schema struct {
	// Hidden says that a key of a struct is not for files. Nil hides none.
	Hidden func(owner reflect.Type, key string) bool
	// Secret says that values under a key are never quoted. Nil: none are.
	Secret func(key string) bool
	// Expand replaces references in scalar values; its error is the problem's
	// message and must not quote the text. Nil leaves texts as they are.
	Expand func(text string) (string, error)
	// Custom reads values of types with a form of their own and says whether
	// it did. Nil: there are none.
	Custom func(d *Decoder, n *yaml.Node, at Place, v reflect.Value) bool
	// Single says that a struct's lists may be written as one value.
	Single func(owner reflect.Type) bool
}

// Place is where the decoder stands: the path, and what holds below it.
type Place struct {
	Path   string
	secret bool // values are never quoted
	single bool // one value is a list of one
	depth  int
}

// Decoder reads the documents of one file and collects what is wrong.
type Decoder struct {
	schema    Schema
	problems  []Problem
	positions map[string]Position
	values    int
	fields    map[reflect.Type]structKeys
}

// NewDecoder makes the decoder of one file.
func NewDecoder(schema Schema) *Decoder {
	return &Decoder{schema: schema, positions: map[string]Position{}, fields: map[reflect.Type]structKeys{}}
}

// Document reads one document into the struct that v points to, and returns
// the position of every path in it; the empty path is the document itself.
func (d *Decoder) Document(root *yaml.Node, v any) map[string]Position {
	d.positions = map[string]Position{}
	d.Decode(root, Place{}, reflect.ValueOf(v).Elem())
	return d.positions
}

// Problems returns what was wrong so far, in no order.
func (d *Decoder) Problems() []Problem { return d.problems }

// Refuse records a problem at a node.
func (d *Decoder) Refuse(n *yaml.Node, at Place, format string, args ...any) {
	d.problems = append(d.problems, Problem{
		Position: Position{n.Line, n.Column}, Path: at.Path, Message: fmt.Sprintf(format, args...)})
}

var rawJSON = reflect.TypeFor[json.RawMessage]()

// Decode reads one node into a settable value. What is wrong is recorded and
// leaves v as far as it was read.
func (d *Decoder) Decode(n *yaml.Node, at Place, v reflect.Value) {
	where := Position{n.Line, n.Column}
	n, at, ok := d.resolve(n, at)
	if !ok {
		return
	}
	d.positions[at.Path] = where
	if d.schema.Custom != nil && d.schema.Custom(d, n, at, v) {
		return
	}
	switch {
	case v.Type() == rawJSON:
		d.decodeRaw(n, at, v)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.Decode(n, at, v.Elem())
	case isText(v):
		d.decodeScalar(n, at, v)
	case v.Kind() == reflect.Struct:
		d.decodeStruct(n, at, v)
	case v.Kind() == reflect.Slice:
		d.decodeList(n, at, v)
	case v.Kind() == reflect.Map:
		d.decodeMap(n, at, v)
	default:
		d.decodeScalar(n, at, v)
	}
}

// resolve follows an alias and refuses what no value may be: nothing at all, a
// tag of somebody's own, an endless nest.
func (d *Decoder) resolve(n *yaml.Node, at Place) (*yaml.Node, Place, bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	at.depth++
	switch {
	case d.full(n, at):
	case at.depth > maxDepth:
		d.Refuse(n, at, "nested more than %d levels deep; make it flatter", maxDepth)
	case n.Tag == "!!null":
		d.Refuse(n, at, "has no value; give one or remove the line")
	case !standardTag(n):
		d.Refuse(n, at, "has a tag that means nothing here; remove it, or put the value in quotes if it just starts with !")
	default:
		return n, at, true
	}
	return n, at, false
}

// full counts a value and says whether it is one too many; the first of those
// is a problem, the others are passed over.
func (d *Decoder) full(n *yaml.Node, at Place) bool {
	d.values++
	if d.values == maxValues+1 {
		d.Refuse(n, at, "the file holds more than %d values, with aliases written out; split it", maxValues)
	}
	return d.values > maxValues
}

func standardTag(n *yaml.Node) bool {
	switch n.Kind {
	case yaml.MappingNode:
		return n.Tag == "!!map"
	case yaml.SequenceNode:
		return n.Tag == "!!seq"
	}
	switch n.Tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!merge":
		return true
	}
	return false
}
