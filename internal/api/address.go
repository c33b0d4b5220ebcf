package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies say whose word about where a request comes from is taken, and which.
type Proxies struct {
	Networks []netip.Prefix
	// Forwarded: they write Forwarded (RFC 7239); else X-Forwarded-For and
	// X-Forwarded-Proto. What they don't write they pass on as a client wrote it, so
	// that only the one counts.
	Forwarded bool
}

func (p Proxies) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.Networks, func(network netip.Prefix) bool { return network.Contains(a) })
}

// peerOf returns the address at the other end of the connection; the zero value
// where it has none.
func peerOf(r *http.Request) netip.Addr { return addressIn(r.RemoteAddr) }

// addressIn reads the address of an address with a port; the zero value for what is
// none, such as a socket's name.
func addressIn(hostAndPort string) netip.Addr {
	a, err := netip.ParseAddrPort(hostAndPort)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// client returns where a request comes from: the peer, unless that is a trusted
// proxy; then the last address that no trusted proxy has. Whatever stands before it
// in the header could be anybody's invention. An entry that can't be read ends the
// way back at the proxy that wrote it.
func (p Proxies) client(r *http.Request) netip.Addr {
	at := peerOf(r)
	if !p.trusts(at) {
		return at
	}
	passed := strings.Join(r.Header["X-Forwarded-For"], ",")
	read := readForwardedFor
	if p.Forwarded {
		passed, read = strings.Join(r.Header["Forwarded"], ","), readForwarded
	}
	for passed != "" {
		before, last := cutLast(passed)
		next, ok := read(strings.TrimSpace(last))
		if !ok {
			return at
		}
		if at = next; !p.trusts(at) {
			return at
		}
		passed = before
	}
	return at
}

// secure reports whether the client's connection is over TLS: with us, or with a
// trusted proxy, by its word.
func (p Proxies) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if !p.trusts(peerOf(r)) {
		return false
	}
	if !p.Forwarded {
		_, last := cutLast(strings.Join(r.Header["X-Forwarded-Proto"], ","))
		return strings.EqualFold(strings.TrimSpace(last), "https")
	}
	_, last := cutLast(strings.Join(r.Header["Forwarded"], ","))
	return strings.EqualFold(forwardedParam(last, "proto"), "https")
}

func cutLast(list string) (before, last string) {
	i := strings.LastIndexByte(list, ',')
	return list[:max(i, 0)], list[i+1:]
}

// readForwardedFor reads an entry of X-Forwarded-For: an address, which some
// proxies write with a port.
func readForwardedFor(entry string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"))
	if err != nil {
		ap, portErr := netip.ParseAddrPort(entry)
		a, err = ap.Addr(), portErr
	}
	return a.Unmap().WithZone(""), err == nil
}

// readForwarded reads an element of Forwarded (RFC 7239, section 4).
func readForwarded(element string) (netip.Addr, bool) {
	return readForwardedFor(forwardedParam(element, "for"))
}

func forwardedParam(element, name string) string {
	for pair := range strings.SplitSeq(element, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// place is whom limits take for one caller: an address, or a /64 of IPv6, which is
// what one customer has.
func place(a netip.Addr) string {
	if a.Is6() {
		if network, err := a.Prefix(64); err == nil {
			return network.Addr().String()
		}
	}
	if !a.IsValid() {
		return "unknown"
	}
	return a.String()
}
