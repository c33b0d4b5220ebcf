package egress

import (
	"net/netip"
	"strings"
)

// ThisMachine reports that a host, by name or by address without a port, is this
// machine and nothing else.
func ThisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}
