package chat_test

import (
	"flag"
	"log"
	"testing"

	"go.uber.org/goleak"
)

// Each step of a property is a commit to disk under the race detector, so half
// the usual number of runs must do; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "50"); err != nil {
		log.Fatal(err)
	}
	goleak.VerifyTestMain(m)
}
