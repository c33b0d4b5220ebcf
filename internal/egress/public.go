package egress

import (
	"errors"
	"fmt"
	"net/netip"
)

// ErrNotPublic says that an address isn't one of the public Internet's web servers.
var ErrNotPublic = errors.New("the address is not a public web server's")

// special are the blocks of the IANA IPv4 and IPv6 Special-Purpose Address
// Registries (RFC 6890 and its updates) that net/netip has no question for, and in
// which no public web server is. Those of IPv6 lie in 2000::/3; nothing outside
// is asked.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers, RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4, which holds an IPv4 address
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

var globalUnicast = netip.MustParsePrefix("2000::/3")

// PublicOnly allows connections to ports 80 and 443 of public unicast addresses:
// none that lead to this machine, this network, or to many. IPv4 addresses in the
// shape of IPv6 ones are refused. ErrNotPublic.
func PublicOnly(to netip.AddrPort) error {
	address := to.Addr()
	public := address.IsGlobalUnicast() && !address.IsPrivate() && !address.Is4In6() && address.Zone() == "" &&
		(address.Is4() || globalUnicast.Contains(address))
	for _, prefix := range special {
		public = public && !prefix.Contains(address)
	}
	if !public || to.Port() != 80 && to.Port() != 443 {
		return fmt.Errorf("%w: %s", ErrNotPublic, to)
	}
	return nil
}
