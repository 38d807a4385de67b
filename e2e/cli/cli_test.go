// Package cli_test drives the built binary's commands with readable scripts.
package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tolmach/tolmach/e2e/harness"
	"github.com/tolmach/tolmach/internal/store/postgres/pgtest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.Clean()
	os.Exit(code)
}

func TestScripts(t *testing.T) { run(t, "testdata", nil) }

// TestScriptsOnPostgreSQL has two empty databases at $ONE and $OTHER.
func TestScriptsOnPostgreSQL(t *testing.T) {
	server := pgtest.Shared(t)
	run(t, "testdata/postgres", map[string]string{"ONE": server.Database(t), "OTHER": server.Database(t)})
}

func run(t *testing.T, dir string, vars map[string]string) {
	binary := harness.Binary(t)
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			for name, value := range vars {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}
