// Package chatapi_test holds the built binary to specs/chatapi.md: to its
// examples, by two clients that were written from it alone, and to what it
// promises when servers die, bots are slow and many write at once.
package chatapi_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tolmach/tolmach/e2e/harness"
)

// messages is how many questions TestMixedTraffic asks. 10,000 of them, with the
// race detector, take minutes, so go test asks fewer.
var messages = flag.Int("messages", 1000, "questions of TestMixedTraffic")

func TestMain(m *testing.M) {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 64 // the busy tests would go through all ports otherwise
	flag.Parse()
	code := m.Run()
	harness.Clean()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
