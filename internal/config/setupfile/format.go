package setupfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"github.com/tolmach/tolmach/internal/chat"
)

// Format writes setups as a setup file, one document each, that Parse reads
// back as the same setups. Secrets are not in it: a reference ${NAME} stands in
// the place of each, and the names are listed in a comment at the top and
// returned in the order of the file. The same setups give the same text, and
// names depend on nothing but the settings' own.
func Format(setups []chat.Setup) (text []byte, variables []string, err error) {
	f := formatter{used: map[string]bool{}}
	var docs bytes.Buffer
	for i := range setups {
		node, err := f.document(&setups[i])
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			docs.WriteString("---\n")
		}
		encoder := yaml.NewEncoder(&docs)
		encoder.SetIndent(2)
		if err := encoder.Encode(node); err != nil {
			return nil, nil, err
		}
		if err := encoder.Close(); err != nil {
			return nil, nil, err
		}
	}
	return append([]byte(f.preface()), docs.Bytes()...), f.variables, nil
}

// formatter writes one file.
type formatter struct {
	variables []string
	used      map[string]bool
}

func (f *formatter) preface() string {
	var b strings.Builder
	b.WriteString("# Settings exported by tolmach. `tolmach apply` brings them in.\n")
	if len(f.variables) > 0 {
		b.WriteString("# Secrets are left out. Set these variables to them before:\n")
		for _, name := range f.variables {
			b.WriteString("#   " + name + "\n")
		}
	}
	return b.String()
}

// lost says, over a list, what its settings had and the file can't say.
var lost = map[string]string{
	"bots":      "Tokens of webhook bots are stored as hashes: one that is new gets a new token, unless you write `token`.",
	"operators": "Passwords are stored as hashes: give new operators theirs with `password`, or by `tolmach user password`.",
	"api_keys":  "Keys are stored as hashes: one that is new gets a new key, unless you write `key`.",
}

func (f *formatter) document(setup *chat.Setup) (*yaml.Node, error) {
	node, err := f.mapping(reflect.ValueOf(setup).Elem(), nil)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(node.Content); i += 2 {
		node.Content[i].HeadComment = lost[node.Content[i].Value]
	}
	return node, nil
}

// node writes any value; path is the words that lead to it.
func (f *formatter) node(v reflect.Value, path []string) (*yaml.Node, error) {
	switch value := v.Interface().(type) {
	case chat.Duration:
		return text(duration(value)), nil
	case chat.TaskRoute:
		if value.Name != "" {
			return text(value.Name), nil
		}
		return f.list(reflect.ValueOf(value.Points), path)
	case json.RawMessage:
		return raw(value)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return f.node(v.Elem(), path)
	case reflect.Struct:
		return f.mapping(v, path)
	case reflect.Slice:
		return f.list(v, path)
	case reflect.Map:
		return f.table(v, path)
	case reflect.String:
		return text(v.String()), nil
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		node := &yaml.Node{}
		return node, node.Encode(v.Interface())
	}
	return nil, fmt.Errorf("%s: a %s can't stand in a setup file", strings.Join(path, "."), v.Type())
}

// mapping writes a struct by its json tags, without what only the database
// keeps.
func (f *formatter) mapping(v reflect.Value, path []string) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for i := range v.NumField() {
		key, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if key == "-" || hidden(v.Type(), key) || options != "" && empty(v.Field(i)) {
			continue
		}
		child, err := f.field(v.Field(i), key, append(path, key))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, text(key), child)
	}
	return node, nil
}

func (f *formatter) field(v reflect.Value, key string, path []string) (*yaml.Node, error) {
	if secret(key) && v.Kind() == reflect.String {
		return f.reference(path), nil
	}
	return f.node(v, path)
}

func empty(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero()
}

// list writes a list; settings are called by their names in what leads on.
func (f *formatter) list(v reflect.Value, path []string) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range v.Len() {
		child, err := f.node(v.Index(i), append(path, called(v.Index(i), i)))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, child)
	}
	if len(node.Content) == 0 || node.Content[0].Kind == yaml.ScalarNode {
		node.Style = yaml.FlowStyle
	}
	return node, nil
}

// called is the name of an item in a list; its id where a name of a variable
// can't show that, its place where there is neither.
func called(v reflect.Value, i int) string {
	if v.Kind() != reflect.Struct {
		return fmt.Sprint(i + 1)
	}
	for _, field := range []string{"Login", "Name"} {
		if name := v.FieldByName(field); name.IsValid() && strings.Trim(variableName([]string{name.String()}), "_") != "" {
			return name.String()
		}
	}
	if id := v.FieldByName("ID"); id.IsValid() && !id.IsZero() {
		return fmt.Sprint(id.Int())
	}
	return fmt.Sprint(i + 1)
}

// table writes a map of texts; values of headers are secrets.
func (f *formatter) table(v reflect.Value, path []string) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range sortedKeys(v) {
		if secret(path[len(path)-1]) {
			node.Content = append(node.Content, text(key), f.reference(append(path, key)))
			continue
		}
		child, err := f.node(v.MapIndex(reflect.ValueOf(key)), append(path, key))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, text(key), child)
	}
	return node, nil
}

// reference stands for a secret.
func (f *formatter) reference(path []string) *yaml.Node {
	base := variableName(path)
	name := base
	for i := 2; f.used[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	f.used[name] = true
	f.variables = append(f.variables, name)
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "${" + name + "}"}
}

// variableName makes CHANNELS_APP_TOKEN of channels, app, token. Letters that
// can't be in a name become underscores.
func variableName(path []string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, strings.Join(path, "_"))
}

// text writes a text that means itself.
func text(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ReplaceAll(s, "$", "$$")}
}

// duration is Go's notation without the zeros at its end: 1h for 1h0m0s.
func duration(d chat.Duration) string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
