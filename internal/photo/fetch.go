package photo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	dialTimeout       = 4 * time.Second
	mostRedirects     = 3
	connectionsToHost = 2
	maxAnswerHeader   = 64 << 10
	idleTimeout       = 30 * time.Second
)

// newClient returns a client for addresses that others wrote down: whatever a
// name resolves to and wherever an answer points, no connection is made that
// allow refuses.
func newClient(allow func(netip.AddrPort) error) *http.Client {
	dialer := &net.Dialer{
		Timeout: dialTimeout,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("connecting to %s: %w", address, err)
			}
			return allow(to)
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			// No proxy: behind one nobody could tell what is connected to.
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout,
			MaxConnsPerHost: connectionsToHost, MaxResponseHeaderBytes: maxAnswerHeader, IdleConnTimeout: idleTimeout,
			DisableCompression: true, // pictures are compressed already
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > mostRedirects {
				return fmt.Errorf("stopped after %d redirects", mostRedirects)
			}
			next.Header.Del("Referer") // one agency's addresses are none of another's business
			return checkAddress(next.URL)
		},
	}
}

// checkAddress refuses what isn't a plain web address. Where it leads is seen when
// it is connected to.
func checkAddress(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the scheme %q is not fetched", u.Scheme)
	case u.Hostname() == "" || u.User != nil:
		return fmt.Errorf("an address without a host or with a password is not fetched")
	}
	return nil
}

// fetch asks an agency for a picture. It returns nothing that isn't one.
func (m *Mirror) fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, m.options.fetch)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if err := checkAddress(request.URL); err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", m.options.UserAgent)
	request.Header.Set("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif")
	response, err := m.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	if response.ContentLength > MaxBytes {
		return nil, fmt.Errorf("the answer has %d bytes, more than %d", response.ContentLength, MaxBytes)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer after %d bytes: %w", len(body), err)
	case len(body) > MaxBytes:
		return nil, fmt.Errorf("the answer has more than %d bytes", MaxBytes)
	case typeOf(body) == "":
		return nil, fmt.Errorf("the answer is no picture of a kind that is shown, but %.40q", http.DetectContentType(body))
	}
	return body, nil
}
