package scrub

import (
	"net/netip"
	"strings"
)

// Bits of an address that stay when it is truncated: what many subscribers share.
const (
	bitsIPv4 = 24
	bitsIPv6 = 48
)

// Address returns what is to be kept of a client's address: all of it, its network, or
// nothing.
func (s *Scrubber) Address(text string) string {
	if text == "" || s.address == StoreAddresses {
		return text
	}
	kept, _ := s.keep(text)
	return kept
}

// keep returns what stays of one address, maybe with a port. ok is false for what is
// none.
func (s *Scrubber) keep(text string) (kept string, ok bool) {
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return "", false
		}
		addr = withPort.Addr()
	}
	if s.address == DropAddresses {
		return "", true
	}
	addr = addr.Unmap().WithZone("")
	bits := bitsIPv6
	if addr.Is4() {
		bits = bitsIPv4
	}
	return netip.PrefixFrom(addr, bits).Masked().Addr().String(), true
}

// addressText walks a string that is sent under a name for addresses. It returns false,
// and stays where it is, if the string has none.
func (w *walker) addressText() bool {
	from := w.pos
	w.skipString()
	if w.broken {
		return true
	}
	text := string(w.src[from+1 : w.pos-1])
	kept, ok := w.s.keepAll(text)
	switch {
	case !ok:
		w.pos = from
		return false
	case kept == text:
		return true
	case kept == "":
		w.replace(from, []byte("null"))
	default:
		w.replace(from, quote([]byte(kept)))
	}
	w.explain.found(whyAddress)
	return true
}

// keepAll is keep for a list of addresses with commas between, as X-Forwarded-For has
// it, and for Forwarded. Proxies put other words into such a list, as "unknown"; of a
// list with an address they go. ok is false for what has no address; that is left alone.
func (s *Scrubber) keepAll(text string) (kept string, ok bool) {
	if strings.Contains(strings.ToLower(text), "for=") {
		return "", true // who and by which way: nothing of that is of use in part
	}
	var all []string
	for part := range strings.SplitSeq(text, ",") {
		address, is := s.keep(strings.TrimSpace(part))
		ok = ok || is
		if address != "" {
			all = append(all, address)
		}
	}
	return strings.Join(all, ", "), ok
}
