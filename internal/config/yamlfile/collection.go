package yamlfile

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"
)

// structKeys are the keys of one struct type: in the order of the fields, and
// the field of each.
type structKeys struct {
	names []string
	field map[string]int
}

func (d *Decoder) keysOf(t reflect.Type) structKeys {
	if keys, ok := d.fields[t]; ok {
		return keys
	}
	keys := structKeys{field: map[string]int{}}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || (d.schema.Hidden != nil && d.schema.Hidden(t, name)) {
			continue
		}
		keys.names = append(keys.names, name)
		keys.field[name] = i
	}
	d.fields[t] = keys
	return keys
}

func (d *Decoder) decodeStruct(n *yaml.Node, at Place, v reflect.Value) {
	keys := d.keysOf(v.Type())
	at.single = d.schema.Single != nil && d.schema.Single(v.Type())
	d.EachKey(n, at, func(key, value *yaml.Node, at Place) {
		i, ok := keys.field[key.Value]
		if !ok {
			d.Refuse(key, at, "%s", UnknownKey(key.Value, keys.names))
			return
		}
		d.Decode(value, at, v.Field(i))
	})
}

func (d *Decoder) decodeMap(n *yaml.Node, at Place, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.EachKey(n, at, func(key, value *yaml.Node, at Place) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.Decode(value, at, element)
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), element)
	})
}

// EachKey calls f for each key of a mapping that is a plain word written once;
// the place is the key's.
func (d *Decoder) EachKey(n *yaml.Node, at Place, f func(key, value *yaml.Node, at Place)) {
	if n.Kind != yaml.MappingNode {
		d.Refuse(n, at, "must be keys with values, not %s; write it as \"key: value\" lines", kindName(n))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content) && !d.full(n, at); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		under := at.key(key.Value)
		under.secret = at.secret || (d.schema.Secret != nil && d.schema.Secret(key.Value))
		line, twice := first[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!null" || !standardTag(key):
			d.Refuse(key, at, "a key must be a plain word; write \"key: value\"")
		case key.Tag == "!!merge":
			d.Refuse(key, at, "merge keys (<<) are not supported; write the keys out")
		case twice:
			d.Refuse(key, under, "is written twice, first on line %d; remove one", line)
		default:
			first[key.Value] = key.Line
			f(key, value, under)
		}
	}
}

func (d *Decoder) decodeList(n *yaml.Node, at Place, v reflect.Value) {
	if at.single && n.Kind == yaml.ScalarNode {
		element := reflect.New(v.Type().Elem()).Elem()
		d.decodeScalar(n, at, element)
		v.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), element))
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.Refuse(n, at, "must be a list, not %s; write it as [a, b] or as lines that start with \"- \"", kindName(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), 0, min(len(n.Content), maxValues))
	for i, item := range n.Content {
		if d.values > maxValues {
			break
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.Decode(item, at.item(i), element)
		list = reflect.Append(list, element)
	}
	v.Set(list)
}

// key is the place under a key; keys that aren't plain words are quoted.
func (p Place) key(key string) Place {
	switch {
	case !isWord(key):
		p.Path += "[" + strconv.Quote(key) + "]"
	case p.Path == "":
		p.Path = key
	default:
		p.Path += "." + key
	}
	return p
}

func (p Place) item(i int) Place {
	p.Path = fmt.Sprintf("%s[%d]", p.Path, i)
	return p
}

func isWord(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' {
			return false
		}
	}
	return s != ""
}

func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys with values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "true or false"
	}
	return "text"
}
