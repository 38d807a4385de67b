package config

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "1": 1, "262144": 256 << 10, "256KiB": 256 << 10, "10MiB": 10 << 20, "2GiB": 2 << 30, "1024GiB": 1 << 40} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "1.5MiB", "10MB", "10 MiB", "1kib", "1025GiB", "9223372036854775807", "9007199254740992GiB", "+1", "0x10"} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %d", text, got)
		}
	}
	for size, want := range map[Size]string{0: "0", 1000: "1000", 256 << 10: "256KiB", 3 << 20: "3MiB", 1<<20 + 1<<10: "1025KiB", 1 << 30: "1GiB"} {
		if got, err := size.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%d: got %s, %v, want %s", size, got, err, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "0.0.0.0/0": "0.0.0.0/0", "192.0.2.1": "192.0.2.1/32", "::1": "::1/128",
		"2001:db8::/32": "2001:db8::/32", "::ffff:192.0.2.1": "192.0.2.1/32",
	} {
		var n Network
		if err := n.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := n.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "10", "10.0.0.1/8", "10.0.0.0/33", "example.com", "fe80::1%eth0", "10.0.0.0-10.0.0.9"} {
		var n Network
		if err := n.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken as %v", text, netip.Prefix(n))
		}
	}
	got := Prefixes(networks("10.0.0.0/8", "::1/128"))
	if want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestBaseURL(t *testing.T) {
	tests := []struct{ public, bound, want string }{
		{"https://chat.example.com/", "127.0.0.1:1", "https://chat.example.com"},
		{"", "127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"", "[::1]:8080", "http://[::1]:8080"},
		{"", ":8080", "http://localhost:8080"},
		{"", "0.0.0.0:80", "http://localhost:80"},
		{"", "[::]:80", "http://localhost:80"},
	}
	for _, tt := range tests {
		if got := (HTTP{PublicURL: tt.public}).BaseURL(tt.bound); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
}

func TestLogger(t *testing.T) {
	for level, lines := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		for _, format := range []string{"text", "json"} {
			var out bytes.Buffer
			l := Log{Format: format, Level: level}.Logger(&out)
			l.Debug("d")
			l.Info("i")
			l.Warn("w")
			l.Error("e")
			if got := strings.Count(out.String(), "\n"); got != lines {
				t.Errorf("%s: %d lines, want %d", level, got, lines)
			}
			if isJSON := strings.HasPrefix(out.String(), "{"); isJSON != (format == "json") {
				t.Errorf("%s gave %s", format, out.String())
			}
		}
	}
}
