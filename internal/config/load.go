package config

import (
	"errors"
	"os"

	"github.com/alecthomas/kong"
)

// AfterApply reads the configuration file, puts its values where neither a
// flag nor the environment gave one, and checks the whole. The error names
// every problem, one a line, each with the place to change: the flag, the
// variable, or file:line:column. kong calls it once the command line is parsed.
func (c *Config) AfterApply(ctx *kong.Context) error {
	origins := given(ctx)
	var failed error
	if c.File != "" {
		var values map[string]fileValue
		values, failed = readFile(c.File)
		c.fill(values, origins)
	}
	return errors.Join(failed, c.check(origins))
}

// given says where settings came from that weren't left to their default.
func given(ctx *kong.Context) map[string]string {
	origins := map[string]string{}
	for _, f := range fields() {
		if _, set := os.LookupEnv(f.env); set {
			origins[f.name] = f.env
		}
	}
	for _, step := range ctx.Path {
		if step.Flag != nil && !step.Resolved {
			origins[step.Flag.Name] = "--" + step.Flag.Name
		}
	}
	return origins
}

// fill takes the file's values for settings that nothing stronger gave.
func (c *Config) fill(values map[string]fileValue, origins map[string]string) {
	for _, f := range fields() {
		v, inFile := values[f.name]
		if _, stronger := origins[f.name]; inFile && !stronger {
			f.of(c).Set(v.value)
			origins[f.name] = v.origin
		}
	}
}
