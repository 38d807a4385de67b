// Package examples holds the files that `tolmach demo` writes and the
// documentation explains.
package examples

import "embed"

// Files are setup.yaml and scenario.yaml.
//
//go:embed setup.yaml scenario.yaml
var Files embed.FS
