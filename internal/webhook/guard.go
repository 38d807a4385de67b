// Package webhook is one outgoing HTTP exchange done safely: the guarded client, the signature, the
// Sender of a delivery, and a Receiver to look at what was sent. Retries, lanes and schedules are
// the delivery engine's (specs/delivery.md). The package imports nothing of ours.
package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// Policy says where the server may connect to (specs/delivery.md, "Egress"). The zero Policy allows
// public addresses on ports 80 and 443 only.
type Policy struct {
	// Allow lists networks that may be called besides the public addresses, on any port.
	Allow []netip.Prefix
	// Ports lists ports of public addresses that may be called besides 80 and 443.
	Ports []uint16
	// Roots are the certificate authorities trusted for TLS; nil trusts those of the system.
	Roots *x509.CertPool
	// Resolver looks names up; nil means the system's. What it answers is checked like any address.
	Resolver *net.Resolver
	// ConnsPerHost bounds the connections to one host and port; 0 means 128. A request over the
	// bound waits for a connection within its own deadline.
	ConnsPerHost int
}

// RefusedError tells that the policy forbids an address. Nothing was sent to it: the check comes
// before the connection. Its text names the address and the setting that allows it.
type RefusedError struct {
	Addr netip.AddrPort
	// Err is ssrf.ErrProhibitedIP or ssrf.ErrProhibitedPort, wrapped.
	Err error
}

// Error is made for the owner of the endpoint and holds nothing of its URL but the address.
func (e *RefusedError) Error() string {
	addr := e.Addr.Addr().WithZone("")
	setting := "--egress-allow " + netip.PrefixFrom(addr, addr.BitLen()).String()
	if errors.Is(e.Err, ssrf.ErrProhibitedPort) {
		return fmt.Sprintf("port %d of %s was not called: public addresses are called on ports 80 and 443 and those the server was told; start it with %s to allow every port of this address",
			e.Addr.Port(), addr, setting)
	}
	return fmt.Sprintf("address %s was not called: it is not public; start the server with %s to allow it", e.Addr, setting)
}

// Unwrap gives the rule that was broken.
func (e *RefusedError) Unwrap() error { return e.Err }

// azureWire is the one metadata service that lives on a public address.
const azureWire = "168.63.129.16/32"

// guard decides about addresses at the moment of the connection, after the name was resolved, so
// that a name which changes its mind (DNS rebinding) gains nothing.
type guard struct {
	allow  []netip.Prefix
	public *ssrf.Guardian
}

func newGuard(p Policy) *guard {
	g := &guard{public: ssrf.New(
		ssrf.WithPorts(append([]uint16{80, 443}, p.Ports...)...),
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix(azureWire)),
	)}
	for _, prefix := range p.Allow {
		g.allow = append(g.allow, unmapPrefix(prefix))
	}
	return g
}

// control is a net.Dialer's ControlContext: called for every address tried, before connect.
func (g *guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		// An empty host would mean this very machine.
		return fmt.Errorf("the address %q can't be checked and was not called: %w", address, err)
	}
	// ::ffff:127.0.0.1 reaches 127.0.0.1 and is judged as such.
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	if g.allows(addr.Addr()) {
		return nil
	}
	if err := g.public.Safe(network, addr.String(), nil); err != nil {
		return &RefusedError{Addr: addr, Err: err}
	}
	return nil
}

func (g *guard) allows(addr netip.Addr) bool {
	addr = addr.WithZone("") // a prefix contains no address with a zone
	return slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// unmapPrefix turns a network written in IPv4-mapped form into the IPv4 network it means.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
