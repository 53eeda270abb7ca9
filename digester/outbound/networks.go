package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Networks says which addresses may be called.
type Networks struct {
	allowed []netip.Prefix
	refused []netip.Prefix
	nat64   []netip.Prefix
}

// Parse reads networks with commas between, e.g. "10.0.0.0/8, 127.0.0.1", that may be
// called although they are not the internet's. Nothing is an installation that calls
// the internet only. The error says which part is wrong.
func Parse(raw string) (Networks, error) {
	n := PublicOnly()
	for part := range strings.SplitSeq(raw, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			address, errAddress := netip.ParseAddr(part)
			if errAddress != nil || address.Zone() != "" {
				return Networks{}, fmt.Errorf("%q is neither a network like 10.0.0.0/8 nor an address", part)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		if prefix.Addr().Is4In6() {
			return Networks{}, fmt.Errorf("%q: write it as IPv4", part)
		}
		n.allowed = append(n.allowed, prefix.Masked())
	}
	return n, nil
}

// PublicOnly allows the internet and nothing else.
func PublicOnly() Networks {
	return Networks{
		refused: prefixes(
			// What IANA's registries of special addresses have as not globally
			// reachable, and what has no business being called.
			"0.0.0.0/8",        // this network
			"10.0.0.0/8",       // private
			"100.64.0.0/10",    // carrier-grade NAT
			"127.0.0.0/8",      // loopback
			"169.254.0.0/16",   // link-local, with the metadata of clouds
			"172.16.0.0/12",    // private
			"192.0.0.0/24",     // protocol assignments
			"192.0.2.0/24",     // documentation
			"192.31.196.0/24",  // AS112
			"192.52.193.0/24",  // AMT
			"192.88.99.0/24",   // 6to4 relays
			"192.168.0.0/16",   // private
			"192.175.48.0/24",  // AS112
			"198.18.0.0/15",    // benchmarks
			"198.51.100.0/24",  // documentation
			"203.0.113.0/24",   // documentation
			"224.0.0.0/4",      // multicast
			"240.0.0.0/4",      // reserved, broadcast
			"168.63.129.16/32", // a cloud's own services at a public address
			"::/8",             // unspecified, loopback, IPv4-compatible
			"64:ff9b:1::/48",   // local NAT64
			"100::/64",         // discard
			"2001::/23",        // protocol assignments, Teredo
			"2001:db8::/32",    // documentation
			"2002::/16",        // 6to4, which has an IPv4 address in it
			"3fff::/20",        // documentation
			"5f00::/16",        // segment routing
			"fc00::/7",         // unique local
			"fe80::/10",        // link-local
			"fec0::/10",        // site-local
			"ff00::/8",         // multicast
		),
		nat64: prefixes("64:ff9b::/96"),
	}
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Allow reports whether an address may be called. IPv4 inside of IPv6 is looked at as
// the IPv4 address that it leads to.
func (n Networks) Allow(a netip.Addr) bool {
	a = n.meant(a)
	return a.IsValid() && (contains(n.allowed, a) || !contains(n.refused, a))
}

// AllowFrom is Allow on a machine that has some addresses: none of these may be called
// unless its network is allowed by name.
func (n Networks) AllowFrom(own []net.Addr, to netip.Addr) bool {
	to = n.meant(to)
	if !n.Allow(to) {
		return false
	}
	mine := slices.ContainsFunc(own, func(o net.Addr) bool {
		network, ok := o.(*net.IPNet)
		if !ok {
			return false
		}
		a, _ := netip.AddrFromSlice(network.IP)
		return n.meant(a) == to
	})
	return !mine || contains(n.allowed, to)
}

// meant returns the address that one leads to: IPv4 inside of IPv6 is IPv4.
func (n Networks) meant(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !contains(n.nat64, a) {
		return a
	}
	raw := a.As16()
	return netip.AddrFrom4([4]byte(raw[12:]))
}

func contains(all []netip.Prefix, a netip.Addr) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
