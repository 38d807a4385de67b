package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

// maxFile is the largest configuration file in bytes.
const maxFile = 1 << 20

// fileValue is what a configuration file says about one setting.
type fileValue struct {
	value  reflect.Value
	origin string // file:line:column: key
}

// readFile reads a configuration file: values by the name of the flag, and an
// error with everything that is wrong with its form. Values that were right
// are returned beside an error.
func readFile(path string) (map[string]fileValue, error) {
	src, err := readLimited(path)
	if err != nil {
		return nil, fmt.Errorf("the configuration file can't be read: %w; check --config", err)
	}
	return parseFile(path, src)
}

// readLimited takes one byte more than a file may have, which is then refused.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return src, errors.Join(err, f.Close())
}

func parseFile(path string, src []byte) (map[string]fileValue, error) {
	docs, syntax := yamlfile.Load(src, maxFile)
	decoder := yamlfile.NewDecoder(yamlfile.Schema{Secret: func(key string) bool { return key == "database" }})
	values := map[string]fileValue{}
	if len(docs) > 0 {
		readKeys(decoder, path, docs[0], values)
	}
	for _, doc := range docs[min(1, len(docs)):] {
		decoder.Refuse(doc, yamlfile.Place{}, "a configuration file has one document; remove the --- and what follows")
	}
	problems := decoder.Problems()
	if syntax != nil {
		problems = append(problems, *syntax)
	}
	return values, yamlfile.NewError(path, problems)
}

// readKeys reads the keys, in which _ and - are the same.
func readKeys(decoder *yamlfile.Decoder, path string, root *yaml.Node, values map[string]fileValue) {
	known := map[string]field{}
	var names []string
	for _, f := range fields() {
		if f.inFile() {
			known[f.name] = f
			names = append(names, f.name)
		}
	}
	first := map[string]int{} // the line of each setting
	decoder.EachKey(root, yamlfile.Place{}, func(key, value *yaml.Node, at yamlfile.Place) {
		name := strings.ReplaceAll(key.Value, "_", "-")
		f, ok := known[name]
		if !ok {
			decoder.Refuse(key, at, "%s", yamlfile.UnknownKey(name, names))
			return
		}
		if line, twice := first[name]; twice {
			decoder.Refuse(key, at, "is written twice, first on line %d (_ and - are the same); remove one", line)
			return
		}
		first[name] = key.Line
		before := len(decoder.Problems())
		target := reflect.New(f.kind).Elem()
		decoder.Decode(value, at, target)
		if len(decoder.Problems()) == before {
			values[f.name] = fileValue{target, fmt.Sprintf("%s:%d:%d: %s", path, value.Line, value.Column, f.name)}
		}
	})
}
