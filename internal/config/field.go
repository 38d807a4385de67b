package config

import (
	"reflect"
	"strings"
)

// field is one setting as its tags describe it.
type field struct {
	name, env, preset, help, group string
	enum                           []string
	index                          []int
	kind                           reflect.Type
}

// fields lists every setting in the order of the struct.
func fields() []field {
	var all []field
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		f := config.Field(i)
		if _, embedded := f.Tag.Lookup("embed"); !embedded {
			all = append(all, fieldOf(f, "", i))
			continue
		}
		for j := range f.Type.NumField() {
			all = append(all, fieldOf(f.Type.Field(j), f.Tag.Get("group"), i, j))
		}
	}
	return all
}

func fieldOf(f reflect.StructField, group string, index ...int) field {
	setting := field{
		name: f.Tag.Get("name"), env: f.Tag.Get("env"), preset: f.Tag.Get("default"), help: f.Tag.Get("help"),
		group: group, index: index, kind: f.Type,
	}
	if values := f.Tag.Get("enum"); values != "" {
		setting.enum = strings.Split(values, ",")
	}
	return setting
}

// inFile says whether the setting may stand in the configuration file, which
// can't name itself.
func (f field) inFile() bool { return f.name != "config" }

// of is the setting's value in a configuration.
func (f field) of(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(f.index) }
