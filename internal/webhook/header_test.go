package webhook

import (
	"strings"
	"testing"
)

func TestCheckHeader(t *testing.T) {
	for _, name := range []string{"Authorization", "X-Token", "x_api_key", "Cookie", "Accept", "X-Webhook-Id", "Idempotency-Key"} {
		if err := CheckHeader(name, "va lue\tü"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range reservedNames {
		if CheckHeader(name, "x") == nil {
			t.Errorf("%s may be set", name)
		}
	}
	for _, name := range []string{"", " ", "a b", "X-Token ", "X:Y", "X\r\nY", "Имя", "a\x00", "(x)"} {
		if CheckHeader(name, "x") == nil {
			t.Errorf("the name %q may be set", name)
		}
	}
	for _, value := range []string{"s3cr3t\r\nX: y", "s3cr3t\n", "s3cr3t\x00", "s3cr3t\x7f"} {
		err := CheckHeader("X-Token", value)
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the value %q: %v", value, err)
		}
	}
}

// reservedNames are the headers of specs/delivery.md that no owner replaces, and spellings of them.
var reservedNames = []string{
	"webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Id", "WEBHOOK-SIGNATURE", "webhook_signature", "webhook-future",
	"User-Agent", "user-agent", "User_Agent", "Content-Type", "content-type",
	"Host", "host", "Content-Length", "content-length", "Transfer-Encoding", "transfer-encoding",
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Upgrade",
}
