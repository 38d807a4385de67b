package auth_test

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/tolmach/tolmach/internal/auth"
)

func TestRemoteAddr(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy":                            {"192.0.2.1:1234", nil, "192.0.2.1"},
		"no proxy, a forged header":           {"192.0.2.1:1234", []string{"203.0.113.9"}, "192.0.2.1"},
		"a proxy":                             {"10.0.0.1:1234", []string{"192.0.2.1"}, "192.0.2.1"},
		"a proxy without the header":          {"10.0.0.1:1234", nil, "10.0.0.1"},
		"a forged hop before the client":      {"10.0.0.1:1234", []string{"203.0.113.9, 192.0.2.1"}, "192.0.2.1"},
		"two proxies":                         {"10.0.0.1:1234", []string{"192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		"two headers":                         {"10.0.0.1:1234", []string{"203.0.113.9", "192.0.2.1"}, "192.0.2.1"},
		"a chain that never leaves the house": {"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"with a port":                         {"10.0.0.1:1234", []string{"192.0.2.1:5678"}, "192.0.2.1"},
		"IPv6":                                {"[fd00::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 in brackets":                    {"[fd00::1]:1234", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv6 with a port":                    {"[fd00::1]:1234", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		"IPv4 in IPv6":                        {"[::ffff:10.0.0.1]:1234", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"garbage":                             {"10.0.0.1:1234", []string{"unknown"}, "10.0.0.1"},
		"garbage before a proxy":              {"10.0.0.1:1234", []string{"_hidden, 10.0.0.2"}, "10.0.0.2"},
		"no address at all":                   {"@", []string{"192.0.2.1"}, "invalid IP"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.peer
			for _, h := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", h)
			}
			if got := auth.RemoteAddr(r, trusted).String(); got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestIsHTTPS(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	tests := map[string]struct {
		peer, proto string
		tls, want   bool
	}{
		"plain":               {peer: "192.0.2.1:1", want: false},
		"TLS":                 {peer: "192.0.2.1:1", tls: true, want: true},
		"a proxy says so":     {peer: "10.0.0.1:1", proto: "https", want: true},
		"a proxy says not":    {peer: "10.0.0.1:1", proto: "http", want: false},
		"the last hop counts": {peer: "10.0.0.1:1", proto: "https, http", want: false},
		"forged":              {peer: "192.0.2.1:1", proto: "https", want: false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.peer
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if tt.proto != "" {
				r.Header.Set("X-Forwarded-Proto", tt.proto)
			}
			if got := auth.IsHTTPS(r, trusted); got != tt.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}
