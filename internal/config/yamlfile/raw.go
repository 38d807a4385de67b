package yamlfile

import (
	"encoding/json"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// decodeRaw turns any YAML into the same JSON.
func (d *Decoder) decodeRaw(n *yaml.Node, at Place, v reflect.Value) {
	before := len(d.problems)
	value := d.jsonValue(n, at)
	if len(d.problems) > before {
		return
	}
	raw, err := json.Marshal(value)
	if err != nil {
		d.Refuse(n, at, "can't be written as JSON; check the numbers in it")
		return
	}
	v.SetBytes(raw)
}

func (d *Decoder) jsonValue(n *yaml.Node, at Place) any {
	switch n.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		d.EachKey(n, at, func(key, value *yaml.Node, at Place) {
			object[key.Value] = d.jsonChild(value, at)
		})
		return object
	case yaml.SequenceNode:
		list := []any{}
		for i, item := range n.Content {
			if d.values > maxValues {
				break
			}
			list = append(list, d.jsonChild(item, at.item(i)))
		}
		return list
	}
	return d.jsonScalar(n, at)
}

// jsonChild reads a value inside; here, unlike elsewhere, null is one.
func (d *Decoder) jsonChild(n *yaml.Node, at Place) any {
	if n.Tag == "!!null" {
		return nil
	}
	n, at, ok := d.resolve(n, at)
	if !ok {
		return nil
	}
	return d.jsonValue(n, at)
}

func (d *Decoder) jsonScalar(n *yaml.Node, at Place) any {
	s, ok := d.scalarOf(n, at, "a value")
	switch {
	case !ok:
		return nil
	case s.expanded:
		return s.text
	case s.tag == "!!bool":
		return strings.EqualFold(s.text, "true")
	case s.tag != "!!int" && s.tag != "!!float":
		return s.text
	case !decimal.MatchString(s.text):
		d.Refuse(n, at, "%s is not a number that JSON knows; write it in decimals, or in quotes", s.quoted)
		return nil
	}
	return json.Number(s.text)
}
