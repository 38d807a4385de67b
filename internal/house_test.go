// Package internal_test keeps the house in order: who may import whom, and how
// big things may grow. docs/ARCHITECTURE.md draws the picture it checks.
package internal_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tolmach/tolmach/"

// allowed says which of our packages each room may import, by prefix; a room
// is the longest prefix that fits. What is not listed here may import nothing
// of ours.
var allowed = map[string][]string{
	"internal/chat":             {},
	"internal/store/migrations": {},
	"internal/store/sqldb":      {"internal/chat", "internal/store/migrations"},
	"internal/store/sqlite":     {"internal/chat", "internal/store/sqldb", "internal/store/migrations", "internal/failpoint"},
	"internal/store/postgres":   {"internal/chat", "internal/store/sqldb", "internal/store/migrations", "internal/failpoint"},
	"internal/store/storetest":  {"internal/chat"},
	"internal/hub":              {"internal/chat"},
	"internal/delivery":         {"internal/chat", "internal/failpoint"},
	"internal/webhook":          {},
	"internal/failpoint":        {},
	"internal/tracing":          {"internal/chat", "internal/wire/inbound"},
	"internal/bot":              {"internal/chat"},
	"internal/auth":             {"internal/chat"},
	"internal/config":           {"internal/chat", "internal/config"},
	"internal/wire/inbound":     {"internal/chat"},
	"internal/wire/httpjson":    {"internal/chat", "internal/wire/inbound"},
	"internal/wire/selarti":     {"internal/chat", "internal/auth", "internal/wire/inbound", "internal/wire/httpjson"},
	"internal/wire/chatapi":     {"internal/chat", "internal/wire/inbound", "internal/wire/httpjson"},
	"internal/wire/console":     {"internal/chat", "internal/auth", "internal/wire/inbound", "internal/wire/httpjson"},
	"internal/wire/wiretest":    {""}, // a world for the tests of dialects
	"internal/centrifuge":       {"internal/centrifuge"},
	"internal/engineio":         {"internal/engineio"},
	"internal/socketio":         {"internal/socketio", "internal/engineio"},
	"internal/server":           {""},
	"cmd":                       {""},
	"bench":                     {""},
	"examples":                  {},
	"e2e":                       {"e2e", "internal/store/postgres/pgtest"},
}

func TestImports(t *testing.T) {
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return // tests may lean on whatever makes them real
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		room, known := roomOf(dir)
		if !known {
			t.Errorf("%s: the room %s is in no rule of this test; decide what it may import", path, dir)
			return
		}
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Error(err)
			}
			checkImport(t, path, room, target)
		}
	})
}

// checkImport refuses an import that the room's rule does not name.
func checkImport(t *testing.T, path, room, target string) {
	t.Helper()
	ours, isOurs := strings.CutPrefix(target, module)
	if !isOurs {
		if room == "internal/chat" && strings.Contains(strings.Split(target, "/")[0], ".") {
			t.Errorf("%s imports %s; the core imports the standard library only", path, target)
		}
		return
	}
	if ours == room || strings.HasPrefix(ours, room+"/") {
		return
	}
	for _, prefix := range allowed[room] {
		if prefix == "" || ours == prefix || strings.HasPrefix(ours, prefix+"/") {
			return
		}
	}
	t.Errorf("%s imports %s; the room %s may not (docs/ARCHITECTURE.md)", path, ours, room)
}

// roomOf finds the longest rule that fits a directory.
func roomOf(dir string) (room string, known bool) {
	for candidate := range allowed {
		if (dir == candidate || strings.HasPrefix(dir, candidate+"/")) && len(candidate) > len(room) {
			room, known = candidate, true
		}
	}
	return room, known
}

// The limits; the aims are 250 lines a file, 35 a function.
const (
	maxFileLines        = 600
	maxFuncLines        = 80
	maxInterfaceMethods = 12
)

func TestSizes(t *testing.T) {
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, ".pb.go") {
			return
		}
		if n := countLines(t, path); n > maxFileLines {
			t.Errorf("%s has %d lines; %d is the limit", path, n, maxFileLines)
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join("..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if lines := fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1; lines > maxFuncLines && !isTest(path) {
					t.Errorf("%s: %s has %d lines; %d is the limit", path, n.Name.Name, lines, maxFuncLines)
				}
			case *ast.InterfaceType:
				if n.Methods != nil && ownMethods(n) > maxInterfaceMethods {
					t.Errorf("%s: an interface of %d methods; %d is the limit", path, ownMethods(n), maxInterfaceMethods)
				}
			}
			return true
		})
	})
}

// isTest says whether a file holds tests: contract suites are tests that live
// in ordinary files, and a test may be a long table.
func isTest(path string) bool {
	dir := filepath.Base(filepath.Dir(path))
	return strings.HasSuffix(path, "_test.go") || dir == "storetest" || dir == "hubtest" || dir == "wiretest" || dir == "pgtest"
}

// ownMethods counts what an interface declares itself.
func ownMethods(i *ast.InterfaceType) int {
	n := 0
	for _, f := range i.Methods.List {
		n += len(f.Names)
	}
	return n
}

func TestNamesThatSayNothing(t *testing.T) {
	eachGoFile(t, func(path string) {
		switch base := filepath.Base(filepath.Dir(path)); base {
		case "util", "utils", "common", "models", "helpers", "misc", "types":
			t.Errorf("%s: a package called %s says nothing", path, base)
		}
	})
}

func countLines(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
	}
	return n
}

// eachGoFile visits every Go file of the repository, by its path from the top.
func eachGoFile(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			visit(strings.TrimPrefix(filepath.ToSlash(path), "../"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
