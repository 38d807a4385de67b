package webhook

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"code.dny.dev/ssrf"
)

func TestGuardRules(t *testing.T) {
	prefixes := func(texts ...string) (list []netip.Prefix) {
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return list
	}
	for _, tt := range []struct {
		name    string
		policy  Policy
		network string
		address string
		want    error // nil: may be called
	}{
		{"public 443", Policy{}, "tcp4", "93.184.216.34:443", nil},
		{"public 80", Policy{}, "tcp4", "93.184.216.34:80", nil},
		{"public IPv6", Policy{}, "tcp6", "[2606:2800:220:1::1]:443", nil},
		{"public, other port", Policy{}, "tcp4", "93.184.216.34:8443", ssrf.ErrProhibitedPort},
		{"public, port of the policy", Policy{Ports: []uint16{8443}}, "tcp4", "93.184.216.34:8443", nil},
		{"policy's ports add to 80 and 443", Policy{Ports: []uint16{8443}}, "tcp4", "93.184.216.34:443", nil},
		{"policy's ports open no private address", Policy{Ports: []uint16{8443}}, "tcp4", "10.0.0.1:8443", ssrf.ErrProhibitedIP},
		{"private", Policy{}, "tcp4", "10.0.0.1:443", ssrf.ErrProhibitedIP},
		{"mapped private", Policy{}, "tcp6", "[::ffff:10.0.0.1]:443", ssrf.ErrProhibitedIP},
		{"mapped public", Policy{}, "tcp6", "[::ffff:93.184.216.34]:443", nil},
		{"azure metadata on a public address", Policy{}, "tcp4", "168.63.129.16:80", ssrf.ErrProhibitedIP},
		{"allowed network, any port", Policy{Allow: prefixes("10.0.0.0/8")}, "tcp4", "10.9.9.9:6379", nil},
		{"beside the allowed network", Policy{Allow: prefixes("10.0.0.0/8")}, "tcp4", "11.0.0.1:6379", ssrf.ErrProhibitedPort},
		{"allowed network, mapped form of the address", Policy{Allow: prefixes("10.0.0.0/8")}, "tcp6", "[::ffff:10.0.0.1]:9000", nil},
		{"allowed network in mapped form", Policy{Allow: prefixes("::ffff:10.0.0.0/104")}, "tcp4", "10.0.0.1:9000", nil},
		{"all of IPv6 is not IPv4", Policy{Allow: prefixes("::/0")}, "tcp4", "127.0.0.1:80", ssrf.ErrProhibitedIP},
		{"all of IPv6 is not mapped IPv4", Policy{Allow: prefixes("::/0")}, "tcp6", "[::ffff:127.0.0.1]:80", ssrf.ErrProhibitedIP},
		{"link-local with a zone", Policy{}, "tcp6", "[fe80::1%eth0]:80", ssrf.ErrProhibitedIP},
		{"public with a zone", Policy{}, "tcp6", "[2606:2800:220:1::1%eth0]:80", ssrf.ErrProhibitedIP},
		{"allowed link-local with a zone", Policy{Allow: prefixes("fe80::/10")}, "tcp6", "[fe80::1%eth0]:9000", nil},
		{"not TCP", Policy{}, "udp4", "93.184.216.34:443", ssrf.ErrProhibitedNetwork},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := newGuard(tt.policy).control(context.Background(), tt.network, tt.address, nil)
			if !errors.Is(err, tt.want) {
				t.Fatalf("control(%s) = %v, want %v", tt.address, err, tt.want)
			}
		})
	}
}

func TestGuardRefusesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{"", ":80", "80", "localhost:80", "127.0.0.1", "127.0.0.1:99999", "/tmp/socket"} {
		err := newGuard(Policy{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}).control(context.Background(), "tcp4", address, nil)
		if err == nil {
			t.Errorf("control(%q) let it through", address)
		}
	}
}

func TestRefusedErrorNamesTheAddressAndTheSetting(t *testing.T) {
	for _, tt := range []struct {
		address string
		want    []string
	}{
		{"10.1.2.3:443", []string{"10.1.2.3:443", "--egress-allow 10.1.2.3/32"}},
		{"[fd00::1]:443", []string{"[fd00::1]:443", "--egress-allow fd00::1/128"}},
		{"[fe80::1%eth0]:443", []string{"--egress-allow fe80::1/128"}},
		{"93.184.216.34:22", []string{"port 22", "93.184.216.34", "80 and 443", "--egress-allow 93.184.216.34/32"}},
	} {
		err := newGuard(Policy{}).control(context.Background(), "tcp6", tt.address, nil)
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Fatalf("%s: %v, want a RefusedError", tt.address, err)
		}
		for _, part := range tt.want {
			if !strings.Contains(refused.Error(), part) {
				t.Errorf("%s: %q does not say %q", tt.address, refused, part)
			}
		}
	}
}

// Whatever passes an empty policy is an address of the public internet.
func FuzzGuard(f *testing.F) {
	for _, text := range []string{"127.0.0.1", "93.184.216.34", "::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2606::1", "169.254.169.254"} {
		f.Add(netip.MustParseAddr(text).AsSlice(), uint16(443))
	}
	guard := newGuard(Policy{})
	f.Fuzz(func(t *testing.T, octets []byte, port uint16) {
		addr, ok := netip.AddrFromSlice(octets)
		if !ok {
			return
		}
		if guard.control(context.Background(), "tcp6", netip.AddrPortFrom(addr, port).String(), nil) != nil {
			return
		}
		addr = addr.Unmap()
		if port != 80 && port != 443 || !addr.IsGlobalUnicast() || addr.IsPrivate() ||
			addr.Is6() && !netip.MustParsePrefix("2000::/3").Contains(addr) {
			t.Fatalf("%s:%d was let through", addr, port)
		}
	})
}
