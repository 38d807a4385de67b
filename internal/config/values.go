package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as 262144, 256KiB, 10MiB or 1GiB.
type Size int64

// sizeUnits from the largest, so that a size is written with the largest unit
// that divides it.
func sizeUnits() []struct {
	name  string
	bytes Size
} {
	return []struct {
		name  string
		bytes Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// MarshalText writes the size with the largest unit that divides it.
func (s Size) MarshalText() ([]byte, error) {
	for _, unit := range sizeUnits() {
		if s != 0 && s%unit.bytes == 0 {
			return fmt.Appendf(nil, "%d%s", int64(s/unit.bytes), unit.name), nil
		}
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

// UnmarshalText refuses negative sizes and those beyond 1 TiB.
func (s *Size) UnmarshalText(text []byte) error {
	number, factor := string(text), Size(1)
	for _, unit := range sizeUnits() {
		if digits, ok := strings.CutSuffix(number, unit.name); ok {
			number, factor = digits, unit.bytes
			break
		}
	}
	const largest = 1 << 40
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || Size(n) > largest/factor {
		return fmt.Errorf("%q is not a size; write it as 262144, 256KiB or 10MiB", text)
	}
	*s = Size(n) * factor
	return nil
}

// Network is a range of addresses, written as 10.0.0.0/8; a single address is
// a network of one.
type Network netip.Prefix

// MarshalText writes the CIDR notation.
func (n Network) MarshalText() ([]byte, error) { return netip.Prefix(n).MarshalText() }

// UnmarshalText refuses networks with bits beyond the mask, which are mostly
// mistaken for a smaller network.
func (n *Network) UnmarshalText(text []byte) error {
	s := string(text)
	if address, err := netip.ParseAddr(s); err == nil && address.Zone() == "" {
		*n = Network(netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()))
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is not a network; write it as 10.0.0.0/8 or as one address", s)
	}
	if prefix != prefix.Masked() {
		return fmt.Errorf("%q has bits set beyond its mask; did you mean %s?", s, prefix.Masked())
	}
	*n = Network(prefix)
	return nil
}

// Prefixes turns networks into what net/netip works with.
func Prefixes(networks []Network) []netip.Prefix {
	prefixes := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		prefixes = append(prefixes, netip.Prefix(n))
	}
	return prefixes
}
