package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// failureTextLimit bounds what a foreign server can put into an error text, in bytes.
const failureTextLimit = 200

// failure is why an exchange came to nothing, in words for the owner of the endpoint. It holds
// neither our own addresses nor any part of the URL but its host.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.cause }

// explain words an error of the transport. ctx is the context of the exchange.
func explain(ctx context.Context, err error) error {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused
	}
	if cause := context.Cause(ctx); cause != nil && (errors.Is(err, cause) || errors.Is(err, ctx.Err())) {
		err = cause
	}
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	return &failure{text: reason(err), cause: err}
}

func reason(err error) string {
	var (
		dns  *net.DNSError
		op   *net.OpError
		cert *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no complete answer in time"
	case errors.Is(err, context.Canceled):
		return "the exchange was interrupted by the server itself"
	case errors.As(err, &dns):
		return shorten(fmt.Sprintf("the name %q can't be resolved: %s", dns.Name, dns.Err))
	case errors.As(err, &cert):
		return shorten("the endpoint's certificate can't be trusted: " + cert.Err.Error())
	case errors.As(err, &op) && op.Op == "dial":
		return shorten(fmt.Sprintf("can't connect to %v: %v", op.Addr, op.Err))
	case errors.As(err, &op): // op.Error would show our own address
		return shorten(fmt.Sprintf("the connection broke: %v", op.Err))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the endpoint closed the connection before its answer was complete"
	default:
		noise := strings.NewReplacer("net/http: ", "", "HTTP/1.x transport connection broken: ", "")
		return shorten("the exchange failed: " + noise.Replace(err.Error()))
	}
}

// shorten bounds and escapes a text that a foreign server may have shaped.
func shorten(text string) string {
	if len(text) > failureTextLimit {
		text = text[:failureTextLimit] + "…"
	}
	return printable([]byte(text))
}
