package azure

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	dialTimeout   = 5 * time.Second
	idleTimeout   = 90 * time.Second
	maxRetryDelay = 5 * time.Second
)

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// transport is the one pool of connections to the account. It counts how often
// a connection is used again.
type transport struct {
	base             *http.Transport
	client           *http.Client
	requests, reused atomic.Int64
}

func newTransport(o Options) *transport {
	dial := o.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs}
	if o.Handshake != nil {
		secure.VerifyConnection = func(state tls.ConnectionState) error {
			o.Handshake(state)
			return nil
		}
	}
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial,
		TLSClientConfig:       secure,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: o.TryTimeout,
		ExpectContinueTimeout: time.Second,
		MaxConnsPerHost:       o.MaxConnections,
		MaxIdleConns:          o.MaxConnections,
		MaxIdleConnsPerHost:   o.MaxConnections,
		IdleConnTimeout:       idleTimeout,
		// Content comes as it was stored, for its length and MD5 are of that.
		DisableCompression: true,
	}
	return &transport{base: base, client: &http.Client{
		Transport: base,
		// Storage never redirects; who does would be handed the credentials.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do sends a request; it implements azcore's policy.Transporter.
func (t *transport) Do(req *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		t.requests.Add(1)
		if got.Reused {
			t.reused.Add(1)
		}
	}}
	return t.client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}
