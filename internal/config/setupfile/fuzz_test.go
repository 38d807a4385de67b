package setupfile

import (
	"errors"
	"os"
	"testing"
	"testing/fstest"

	"github.com/tolmach/tolmach/internal/config/yamlfile"
)

// FuzzParse checks that any input gives either setups or positioned problems.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/setup.yaml", "testdata/mistakes.yaml", "testdata/scenario.yaml"} {
		seed, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte("a: &a [*a]\n---\n<<: *a\n? [x]\n: ${A:-b}$$"))
	files := fstest.MapFS{"scenario.yaml": {Data: []byte("states: []")}}
	f.Fuzz(func(t *testing.T, src []byte) {
		setups, positions, err := Parse("f.yaml", src, Options{Files: files})
		if err == nil {
			if len(setups) == 0 {
				t.Fatal("no setup and no problem")
			}
			for doc := range setups {
				if at := positions.Of(doc, "channels[0].name"); at.Line < 1 || at.Column < 1 {
					t.Fatalf("document %d has no position: %v", doc, at)
				}
			}
			return
		}
		var refusal *yamlfile.Error
		if !errors.As(err, &refusal) || len(refusal.Problems) == 0 {
			t.Fatalf("an error without problems: %v", err)
		}
		for _, p := range refusal.Problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Fatalf("an incomplete problem: %+v", p)
			}
		}
	})
}
