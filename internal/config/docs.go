package config

import (
	"fmt"
	"strings"
)

const docsHead = `# Configuration of the server

<!-- Made from the tags of internal/config; do not edit. To renew: go test ./internal/config -run TestDocs -update -->

` + "`tolmach serve`" + ` takes its settings from flags, then from the environment, then from a file, then from the defaults below:
the first that gives a value wins. Everything is checked at start, and all problems are told at once, each with the
flag, the variable or the line and column to change.

The file is YAML and is named by ` + "`--config`" + ` or ` + "`TOLMACH_CONFIG`" + `. Its keys are the names of the flags, with ` + "`-` or `_`" + `
between the words; unknown keys are refused.

` + "```yaml" + `
listen: 0.0.0.0:8080
public-url: https://chat.example.com
trusted-proxies: [10.0.0.0/8]
apply: [setup.yaml]
` + "```" + `

Durations are written as ` + "`90s`, `15m` or `1h30m`" + `, sizes as ` + "`262144`, `256KiB` or `10MiB`" + `, networks as ` + "`10.0.0.0/8`" + ` or one address.
Lists are YAML lists in the file; a flag may be repeated, or takes its values with commas as the variable does. File names
are relative to the directory the server is started in. Channels, bots, tasks and people are the setup file's matter, not
this one's.
`

// Markdown is the text of docs/CONFIG.md: every setting with its flag,
// variable, key in the file, default and meaning.
func Markdown() string {
	var b strings.Builder
	b.WriteString(docsHead)
	group := "no group is called so"
	for _, f := range fields() {
		if f.group != group {
			group = f.group
			title := group
			if title == "" {
				title = "Where the configuration is"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| Flag | Environment | File | Default | Meaning |\n| --- | --- | --- | --- | --- |\n", title)
		}
		key := ""
		if f.inFile() {
			key = f.name
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code("--"+f.name), code(f.env), code(key), code(f.preset),
			strings.ReplaceAll(f.help, "|", "\\|"))
	}
	return b.String()
}

// code marks a word as typed; nothing is shown as a dash.
func code(s string) string {
	if s == "" {
		return "–"
	}
	return "`" + s + "`"
}
