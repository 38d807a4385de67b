package setupfile

import (
	"reflect"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

// maxID is the largest id: JavaScript reads it exactly.
const maxID = 1<<53 - 1

// schema is the setup file in the words of the core's types.
func schema(lookup func(string) (string, bool)) yamlfile.Schema {
	return yamlfile.Schema{
		Hidden: hidden,
		Secret: secret,
		Expand: func(text string) (string, error) { return expand(text, lookup) },
		Custom: custom,
		Single: func(owner reflect.Type) bool { return owner == reflect.TypeFor[chat.SegmentWhen]() },
	}
}

// hidden names what only the database keeps.
func hidden(owner reflect.Type, key string) bool {
	switch owner {
	case reflect.TypeFor[chat.Bot]():
		return key == "token_hash" || key == "scenario" || key == "uuid"
	case reflect.TypeFor[chat.Operator]():
		return key == "password_hash" || key == "disabled"
	case reflect.TypeFor[chat.Integration]():
		return key == "previous_secret" || key == "previous_until"
	case reflect.TypeFor[chat.APIKey]():
		return key == "key_hash"
	}
	return key == "created_at"
}

// secret goes by the last word of a key, so that a new secret is one without
// being listed here.
func secret(key string) bool {
	words := strings.Split(key, "_")
	return slices.Contains([]string{"token", "secret", "password", "key", "headers"}, words[len(words)-1])
}

// custom reads the types whose form in the file is not that of their fields.
func custom(d *yamlfile.Decoder, n *yaml.Node, at yamlfile.Place, v reflect.Value) bool {
	switch target := v.Addr().Interface().(type) {
	case *chat.TaskRoute:
		readTaskRoute(d, n, at, target)
	case *chat.ID:
		readID(d, n, at, target)
	case *chat.Duration:
		d.Decode(n, at, reflect.ValueOf((*time.Duration)(target)).Elem())
	default:
		return false
	}
	return true
}

func readTaskRoute(d *yamlfile.Decoder, n *yaml.Node, at yamlfile.Place, route *chat.TaskRoute) {
	if n.Kind == yaml.MappingNode {
		d.Refuse(n, at, "must be the name of a route or a list of points; write it as [{bot: name}, {anyone: true}]")
		return
	}
	target := reflect.ValueOf(&route.Name)
	if n.Kind == yaml.SequenceNode {
		target = reflect.ValueOf(&route.Points)
	}
	d.Decode(n, at, target.Elem())
}

func readID(d *yamlfile.Decoder, n *yaml.Node, at yamlfile.Place, id *chat.ID) {
	number := int64(1)
	d.Decode(n, at, reflect.ValueOf(&number).Elem())
	if number < 1 || number > maxID {
		d.Refuse(n, at, "an id is a number from 1 to %d; leave it out to get one", int64(maxID))
		return
	}
	*id = chat.ID(number)
}
