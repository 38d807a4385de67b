// Package crash_test kills the built binary, over and over, in the middle of
// whatever it does, and holds it to what it said: what was acknowledged is
// stored, once and in order; what is stored is delivered, parked or waits;
// nothing overtakes; and only what was in flight is sent again.
//
// `make crash ROUNDS=100 PGROUNDS=30` runs it for longer than `go test` does.
package crash_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

var (
	rounds   = flag.Int("rounds", 0, "rounds of TestCrash; 0 is one of each kind")
	pgRounds = flag.Int("pgrounds", 0, "rounds of TestCrashPostgreSQL; 0 is three, and no lease is waited for")
	seed     = flag.Uint64("seed", 0, "where the randomness of the rounds begins; 0 is anywhere")
)

// binary is tolmach with its failpoints, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "tolmach-crash")
	if err == nil {
		binary = filepath.Join(dir, "tolmach")
		err = build(binary)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "building tolmach:", err)
	} else if code = m.Run(); code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(dir) // a temporary directory
	os.Exit(code)
}

// build leaves the race detector out: it is e2e's other tests that look for
// races, and what is killed here must be as fast as it is in life.
func build(path string) error {
	out, err := exec.Command("go", "build", "-tags", "failpoints", "-o", path, "github.com/tolmach/tolmach/cmd/tolmach").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
