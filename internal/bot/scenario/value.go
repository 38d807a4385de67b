package scenario

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// value is any YAML value with templates in its texts: a line of `set`, the `json` of a call, a `native` reply.
// Exactly one of template, list and keys is used; without any, plain is the value.
type value struct {
	template *template
	list     []*value
	keys     []string // with fields
	fields   []*value
	isList   bool
	isObject bool
	plain    any
}

// value reads a YAML value; nil means that a problem was noted.
func (p *parser) value(n *yaml.Node, what, into string, depth int) *value {
	at := place(n)
	if depth > maxNesting {
		p.refuse(at, what+" is nested too deeply", "keep lists and objects within 32 levels")
		return nil
	}
	node := p.visit(n)
	if node == nil {
		return nil
	}
	switch {
	case node.Kind == yaml.SequenceNode:
		v := &value{isList: true}
		for _, item := range node.Content {
			v.list = append(v.list, p.value(item, what, into, depth+1))
		}
		return v
	case node.Kind == yaml.MappingNode:
		v := &value{isObject: true}
		for _, one := range p.pairs(node, what) {
			v.keys = append(v.keys, one.key)
			v.fields = append(v.fields, p.value(one.value, what, into, depth+1))
		}
		return v
	case slices.Contains([]string{"!!null", "!!bool", "!!int", "!!float"}, node.ShortTag()):
		v := &value{}
		if err := node.Decode(&v.plain); err != nil {
			p.refuse(at, what+" holds a number that can't be read: "+quote(node.Value), "write a smaller number or put it in quotes")
		}
		v.plain = plain(v.plain)
		return v
	}
	if t := p.template(n, what, into); t != nil {
		return &value{template: t}
	}
	return nil
}

// value renders a value.
func (t *turn) value(v *value) any {
	switch {
	case v.template != nil:
		return t.typed(v.template)
	case v.isList:
		list := make([]any, len(v.list))
		for i, item := range v.list {
			list[i] = t.value(item)
		}
		return list
	case v.isObject:
		object := make(map[string]any, len(v.keys))
		for i, key := range v.keys {
			object[key] = t.value(v.fields[i])
		}
		return object
	}
	return v.plain
}
