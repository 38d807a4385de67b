package migrations_test

import (
	"strings"
	"testing"

	"github.com/tolmach/tolmach/internal/store/migrations"
)

func TestListSpeaksTheEnginesWords(t *testing.T) {
	for engine, words := range map[string]migrations.Words{
		"SQLite":     {ID: "INTEGER", Bytes: "BLOB", Clustered: "WITHOUT ROWID"},
		"PostgreSQL": {ID: "BIGINT", Bytes: "BYTEA"},
	} {
		steps, err := migrations.List(words)
		if err != nil {
			t.Fatal(err)
		}
		all := ""
		for i, step := range steps {
			if step.Version != i+1 || step.Name == "" {
				t.Errorf("%s: step %d is %04d %q", engine, i+1, step.Version, step.Name)
			}
			all += step.SQL
		}
		if i := strings.Index(all, "{{"); i >= 0 {
			t.Errorf("%s: a word is left open: %s", engine, all[i:i+20])
		}
		for _, word := range []string{"id           " + words.ID + " PRIMARY KEY", words.Bytes, words.Clustered} {
			if !strings.Contains(all, word) {
				t.Errorf("%s: %q is nowhere in the schema", engine, word)
			}
		}
	}
}
