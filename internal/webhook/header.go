package webhook

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// CheckHeader reports whether an owner may set a static header on the calls to an endpoint. It
// can't be one of ours (webhook-*, User-Agent, Content-Type), Host, Content-Length or a hop-by-hop
// one (specs/delivery.md). The error does not repeat the value.
func CheckHeader(name, value string) error {
	if err := checkHeaderSyntax(name, value); err != nil {
		return err
	}
	if reservedHeader(name) {
		return fmt.Errorf("the header %s is set by the server and can't be replaced", name)
	}
	return nil
}

func checkHeaderSyntax(name, value string) error {
	if name == "" || strings.ContainsFunc(name, notToken) {
		return fmt.Errorf("the header name %q must consist of letters, digits and hyphens", shorten(name))
	}
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("the value of the header %s has a line break or another control character", name)
		}
	}
	return nil
}

// notToken tells the characters that RFC 9110 §5.6.2 keeps out of a header name.
func notToken(c rune) bool {
	letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func reservedHeader(name string) bool {
	// CGI and its children see no difference between Webhook_Id and webhook-id.
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if strings.HasPrefix(name, "webhook-") {
		return true
	}
	switch name {
	case "user-agent", "content-type", "host", "content-length",
		"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
		"te", "trailer", "transfer-encoding", "upgrade":
		return true
	default:
		return false
	}
}

// setOwnHeaders adds the owner's headers in the order of their names, and leaves the reserved out.
func setOwnHeaders(h http.Header, own map[string]string) error {
	names := make([]string, 0, len(own))
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := checkHeaderSyntax(name, own[name]); err != nil {
			return err
		}
		if !reservedHeader(name) {
			h.Set(name, own[name])
		}
	}
	return nil
}
