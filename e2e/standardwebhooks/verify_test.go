// Package standardwebhooks_test shows the signatures of internal/webhook to the reference library
// of Standard Webhooks.
package standardwebhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tolmach/tolmach/internal/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	encoded = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" // base64 that needs no padding
	padded  = "whsec_dGhpcyBzZWNyZXQgZW5kcyB3aXRoIHBhZGRpbmc="
	plain   = "пароль, not base64"
)

// call is what a receiver got.
type call struct {
	headers map[string]string
	body    []byte
}

// send lets the Sender make one call and returns it as it arrived.
func send(t *testing.T, body string, at time.Time, secrets ...string) call {
	t.Helper()
	calls := make(chan call, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		headers := map[string]string{}
		for name := range r.Header {
			headers[name] = r.Header.Get(name)
		}
		calls <- call{headers, got}
	}))
	defer server.Close()
	client := webhook.NewClient(webhook.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	defer client.Close()
	reply := webhook.NewSender(client).Send(context.Background(), webhook.Request{
		URL: server.URL, ID: "evt_42", Body: []byte(body), Secrets: secrets, Now: at,
	})
	if reply.Class != webhook.Delivered {
		t.Fatalf("the call was not delivered: %s", reply.Problem())
	}
	return <-calls
}

// verify asks the library. The error holds its words; nil means that the signature is right.
func verify(t *testing.T, c call, secret string) error {
	t.Helper()
	question, err := json.Marshal(map[string]any{"secret": secret, "headers": c.headers, "body": c.body})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "verify.mjs")
	node.Stdin = bytes.NewReader(append(question, '\n'))
	var stderr strings.Builder
	node.Stderr = &stderr
	said, err := node.Output()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == 1 && len(said) > 0:
		return errors.New(strings.TrimSpace(string(said)))
	default:
		t.Fatalf("node verify.mjs: %v\n%s%s", err, said, stderr.String())
		return nil
	}
}

func TestReferenceLibraryVerifiesOurSignatures(t *testing.T) {
	if _, err := os.Stat("node_modules/standardwebhooks"); err != nil {
		t.Fatal("the npm package is missing: run make test, which installs it")
	}
	const body = `{"text":"Привет, 👋","n":1}`
	now := time.Now() // the library reads the real clock
	for _, tt := range []struct {
		name    string
		empty   bool // no body
		at      time.Time
		signers []string
		spoil   func(*call)
		secret  string
		want    string // what the library says; "" is right
	}{
		{name: "right", signers: []string{encoded}, secret: encoded},
		{name: "right, padded secret", signers: []string{padded}, secret: padded},
		{name: "right, raw secret", signers: []string{plain}, secret: plain},
		{name: "right, empty body", empty: true, signers: []string{encoded}, secret: encoded},
		{name: "right, 4 minutes old", at: now.Add(-4 * time.Minute), signers: []string{encoded}, secret: encoded},
		{name: "rotating, receiver has the newer", signers: []string{encoded, padded}, secret: encoded},
		{name: "rotating, receiver has the older", signers: []string{encoded, padded}, secret: padded},
		{name: "rotating, receiver has neither", signers: []string{encoded, padded}, secret: plain, want: "No matching signature found"},
		{name: "other secret", signers: []string{encoded}, secret: padded, want: "No matching signature found"},
		{name: "not signed", secret: encoded, want: "Missing required headers"},
		{name: "changed byte", signers: []string{encoded}, secret: encoded, spoil: func(c *call) { c.body[2] ^= 1 }, want: "No matching signature found"},
		{name: "changed id", signers: []string{encoded}, secret: encoded, spoil: func(c *call) { c.headers["Webhook-Id"] = "evt_43" }, want: "No matching signature found"},
		{name: "old", at: now.Add(-6 * time.Minute), signers: []string{encoded}, secret: encoded, want: "Message timestamp too old"},
		{name: "from the future", at: now.Add(6 * time.Minute), signers: []string{encoded}, secret: encoded, want: "Message timestamp too new"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at, text := tt.at, body
			if at.IsZero() {
				at = now
			}
			if tt.empty {
				text = ""
			}
			c := send(t, text, at, tt.signers...)
			if tt.spoil != nil {
				tt.spoil(&c)
			}
			switch err := verify(t, c, tt.secret); {
			case tt.want == "" && err != nil:
				t.Errorf("the library refuses: %v", err)
			case tt.want != "" && err == nil:
				t.Error("the library accepts it")
			case tt.want != "" && err.Error() != tt.want:
				t.Errorf("the library refuses for another reason: %v", err)
			}
		})
	}
}
