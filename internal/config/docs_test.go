package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/CONFIG.md anew")

func TestDocs(t *testing.T) {
	const page = "../../docs/CONFIG.md"
	if *update {
		if err := os.WriteFile(page, []byte(Markdown()), 0o644); err != nil { // a page for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Markdown() {
		t.Error("docs/CONFIG.md is not what the tags say; run go test ./internal/config -run TestDocs -update")
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range fields() {
		variable := "TOLMACH_" + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_"))
		if f.name == "" || f.env != variable || seen[f.name] {
			t.Errorf("%q: variable %q, want %q, and a name of its own", f.name, f.env, variable)
		}
		if !strings.HasSuffix(f.help, ".") {
			t.Errorf("%s: %q is no sentence", f.name, f.help)
		}
		seen[f.name] = true
	}
}
