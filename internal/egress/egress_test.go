package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublicOnly(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"93.184.215.14:443": true, "93.184.215.14:80": true, "[2606:2800:21f::1]:443": true, "100.63.255.255:80": true, "100.128.0.1:80": true, "172.32.0.1:80": true,
		"93.184.215.14:8080": false, "93.184.215.14:22": false, "93.184.215.14:0": false,
		"127.0.0.1:80": false, "127.9.9.9:443": false, "0.0.0.0:80": false, "0.1.2.3:80": false, "10.1.2.3:443": false, "172.16.0.1:80": false, "172.31.255.255:80": false,
		"192.168.1.1:80": false, "169.254.169.254:80": false, "100.64.0.1:80": false, "100.127.255.255:80": false, "192.0.0.1:80": false, "192.0.2.1:80": false, "198.18.0.1:80": false,
		"198.19.255.255:80": false, "198.51.100.7:80": false, "203.0.113.7:80": false, "224.0.0.1:80": false, "239.255.255.250:80": false, "240.0.0.1:80": false, "255.255.255.255:80": false,
		"[::]:80": false, "[::1]:443": false, "[fe80::1]:80": false, "[fe80::1%eth0]:80": false, "[fc00::1]:80": false, "[fd12:3456::1]:443": false, "[ff02::1]:80": false,
		"[::ffff:127.0.0.1]:80": false, "[::ffff:93.184.215.14]:80": false, "[::93.184.215.14]:80": false, "[64:ff9b::7f00:1]:80": false, "[64:ff9b:1::1]:80": false, "[100::1]:80": false,
		"[2002:7f00:1::]:80": false, "[2001::1]:80": false, "[2001:db8::1]:80": false, "[3fff::1]:80": false, "[5f00::1]:80": false, "[2606:2800:21f::1%1]:443": false,
	} {
		if err := PublicOnly(netip.MustParseAddrPort(address)); (err == nil) != public || err != nil && !errors.Is(err, ErrNotPublic) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// anyPort is PublicOnly without its rule on ports, which test servers' never pass: so
// that it is the address that is refused.
func anyPort(to netip.AddrPort) error { return PublicOnly(netip.AddrPortFrom(to.Addr(), 443)) }

// TestNothingInsideIsAsked: by any spelling of its address.
func TestNothingInsideIsAsked(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inside.Close()
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := NewClient(Options{Allow: anyPort})
	defer client.CloseIdleConnections()
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0",
		"169.254.169.254", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
	} {
		response, err := client.Get("http://" + host + ":" + port)
		if err == nil {
			t.Errorf("%s answered %s (%v)", host, response.Status, response.Body.Close())
		}
	}
	if asked.Load() != 0 {
		t.Errorf("an address inside was asked %d times", asked.Load())
	}
}

// TestRedirectsAreHeldToTheSameRule: a public server may point inside.
func TestRedirectsAreHeldToTheSameRule(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inside.Close()
	for _, to := range []string{inside.URL, "file:///etc/passwd", "gopher://127.0.0.1", "http://me:pw@203.0.113.1/"} {
		outside := httptest.NewServer(http.RedirectHandler(to, http.StatusTemporaryRedirect))
		only := netip.MustParseAddrPort(strings.TrimPrefix(outside.URL, "http://"))
		client := NewClient(Options{Allow: func(a netip.AddrPort) error {
			if a == only { // stands for a public one
				return nil
			}
			return anyPort(a)
		}})
		response, err := client.Get(outside.URL)
		if err == nil {
			t.Errorf("to %s: %s (%v)", to, response.Status, response.Body.Close())
		} else if !errors.Is(err, ErrNotPublic) && !errors.Is(err, ErrAddress) {
			t.Errorf("to %s: %v", to, err)
		}
		client.CloseIdleConnections()
		outside.Close()
	}
	if asked.Load() != 0 {
		t.Errorf("an address inside was asked %d times", asked.Load())
	}
}

// TestNamesThatChangeTheirMind: the name is a public server's when it is looked at,
// and this machine's when it is connected to.
func TestNamesThatChangeTheirMind(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, "inside")
	}))
	defer inside.Close()
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var answers atomic.Int64
	resolver := nameServer(t, func() [4]byte {
		if answers.Add(1) == 1 {
			return [4]byte{93, 184, 215, 14}
		}
		return [4]byte{127, 0, 0, 1}
	})
	looked, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(looked) != 1 || PublicOnly(netip.AddrPortFrom(looked[0].Unmap(), 80)) != nil {
		t.Fatalf("at first it is %v, %v", looked, err)
	}
	client := NewClient(Options{Resolver: resolver, Allow: anyPort})
	defer client.CloseIdleConnections()
	response, err := client.Get("http://rebind.example:" + port)
	if !errors.Is(err, ErrNotPublic) {
		t.Errorf("%v, %v", response, err)
	}
	if asked.Load() != 0 || answers.Load() < 2 {
		t.Errorf("the server inside was asked %d times, the name %d times", asked.Load(), answers.Load())
	}
}

// nameServer answers every question for an IPv4 address, until the end of the test.
func nameServer(t *testing.T, answer func() [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for buf := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return // closed
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: answer()},
				}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from) // who asked may be gone
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"http://a.example/": true, "https://a.example:8443/x?y#z": true, "https://[2606:2800:21f::1]/": true,
		"ftp://a.example/": false, "file:///etc/passwd": false, "//a.example/": false, "http:///x": false, "http://u@a.example": false,
		"http://u:p@a.example": false, "javascript:alert(1)": false, "": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckAddress(u); (err == nil) != good || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
