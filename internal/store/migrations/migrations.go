// Package migrations holds the schema: numbered steps of SQL, one text for
// every engine. A step that was released is never edited; a change is a new
// step.
package migrations

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed *.sql
var files embed.FS

// Words are what an engine writes where no SQL serves both. In the files they
// stand as {{id}}, {{bytes}} and {{clustered}}.
type Words struct {
	ID        string // type of an integer primary key
	Bytes     string // type of a column of bytes
	Clustered string // what follows a table that lies in the order of its key
}

// Migration is one step. Versions count from 1 without gaps.
type Migration struct {
	Version int
	Name    string
	SQL     string
}

// List returns the steps in order, in the engine's words. It fails when the
// embedded files are not numbered 0001, 0002, … without gaps.
func List(w Words) ([]Migration, error) {
	entries, err := files.ReadDir(".") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	speak := strings.NewReplacer("{{id}}", w.ID, "{{bytes}}", w.Bytes, "{{clustered}}", w.Clustered)
	list := make([]Migration, 0, len(entries))
	for i, entry := range entries {
		number, name, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".sql"), "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s must be number %04d; renumber the files", entry.Name(), i+1)
		}
		text, err := files.ReadFile(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading migration %s: %w", entry.Name(), err)
		}
		list = append(list, Migration{Version: i + 1, Name: name, SQL: speak.Replace(string(text))})
	}
	return list, nil
}
