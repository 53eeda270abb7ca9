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

// addressValue walks the value of a name under which addresses are sent.
func (w *walker) addressValue(at place) {
	if w.peek() != '"' {
		w.value(at)
		return
	}
	from := w.pos
	w.skipString()
	if w.broken {
		return
	}
	text := string(w.src[from+1 : w.pos-1])
	kept, ok := w.s.keepAll(text)
	switch {
	case !ok || kept == text:
		return
	case kept == "":
		w.replace(from, []byte("null"))
	default:
		w.replace(from, quote([]byte(kept)))
	}
	w.explain.found(whyAddress)
}

// keepAll is keep for a list of addresses with commas between, as X-Forwarded-For has
// it, and for Forwarded. ok is false for what is neither; that is left alone.
func (s *Scrubber) keepAll(text string) (kept string, ok bool) {
	if strings.Contains(strings.ToLower(text), "for=") {
		return "", true // who and by which way: nothing of that is of use in part
	}
	var all []string
	for part := range strings.SplitSeq(text, ",") {
		address, ok := s.keep(strings.TrimSpace(part))
		if !ok {
			return text, false
		}
		if address != "" {
			all = append(all, address)
		}
	}
	return strings.Join(all, ", "), true
}
