// Package redisclient connects to the Redis that a URL names: one server, a Redis
// Cluster, or what speaks as they do. Adapters that keep things in Redis share it,
// so that they read a URL alike.
//
// It knows nothing of what is kept there. What it says never holds a password, and
// the driver says nothing at all.
package redisclient

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	driver "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// dialTimeout is how long a connection may take, TLS included. Nobody waits for
	// it longer than his own context says: connections are made in the background.
	dialTimeout = 2 * time.Second
	// ioTimeout bounds what has no deadline of its own.
	ioTimeout = 2 * time.Second
)

// errURL is all that is said of a URL that can't be read: a password that isn't
// escaped makes any part of it a secret.
var errURL = errors.New("the URL of Redis can't be read: it must be redis://, rediss:// or unix://, as in " +
	"rediss://user:password@host:6379/0, and special characters in user and password must be percent-encoded " +
	"(# is %23, / is %2F, ? is %3F, @ is %40)")

// errOption is the same for what comes after the question mark.
var errOption = errors.New("the URL of Redis has an option that isn't known or whose value can't be read")

// target is what a URL says: one of them is set.
type target struct {
	single  *driver.Options
	cluster *driver.ClusterOptions
}

// parse reads a URL as go-redis does (ParseURL, ParseClusterURL):
//
//	redis://user:password@host:6379/0        one server
//	rediss://user:password@host:6380/0       the same over TLS
//	unix://user:password@/path/redis.sock?db=0
//	redis://user:password@host:6379?cluster=true
//	rediss://user:password@host1:6379,host2:6379
//	redis://user:password@host1:6379?addr=host2:6379&addr=host3:6379
//
// The last three are a cluster, whose other nodes are found by those that are
// named. Hosts may be IPv6 addresses in brackets. Options are go-redis', such as
// pool_size, and skip_verify=true, which takes any certificate.
func parse(address string) (target, error) {
	hosts, more, err := cutHosts(address)
	if err != nil {
		return target{}, err
	}
	u, err := url.Parse(hosts)
	if err != nil || u.Host == "" && u.Scheme != "unix" || u.Fragment != "" || strings.Contains(u.Hostname(), ":") && u.Host[0] != '[' {
		return target{}, errURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return target{}, errOption
	}
	for _, host := range more {
		query.Add("addr", host)
	}
	inCluster, err := takeSwitch(query, "cluster")
	if err != nil {
		return target{}, err
	}
	if inCluster || query.Has("addr") {
		return parseCluster(u, query)
	}
	u.RawQuery = query.Encode()
	single, err := driver.ParseURL(u.String())
	if err != nil {
		return target{}, blame(u)
	}
	return target{single: single}, nil
}

func parseCluster(u *url.URL, query url.Values) (target, error) {
	skipVerify, err := takeSwitch(query, "skip_verify")
	if err != nil {
		return target{}, err
	}
	if strings.Trim(u.Path, "/") != "" && strings.Trim(u.Path, "/") != "0" || u.Scheme == "unix" {
		return target{}, errors.New("the URL of Redis names a cluster, which has one database (0) and no socket")
	}
	u.RawQuery = query.Encode()
	options, err := driver.ParseClusterURL(u.String())
	if err != nil {
		return target{}, blame(u)
	}
	if options.TLSConfig != nil {
		options.TLSConfig.MinVersion = tls.VersionTLS12
		options.TLSConfig.InsecureSkipVerify = skipVerify //nolint:gosec // who writes it into the URL wants it
	}
	return target{cluster: options}, nil
}

// blame tells which half of a URL the driver refused: what it says itself may
// repeat a secret.
func blame(u *url.URL) error {
	bare := *u
	bare.RawQuery = ""
	if _, err := driver.ParseURL(bare.String()); err != nil {
		return errURL
	}
	return errOption
}

// cutHosts takes the hosts after the first out of a URL: net/url knows of one.
func cutHosts(address string) (first string, more []string, err error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return "", nil, errURL
	}
	end := cmp.Or(strings.IndexAny(rest, "/?#")+1, len(rest)+1) - 1
	authority, tail := rest[:end], rest[end:]
	at := strings.LastIndexByte(authority, '@') + 1
	hosts := strings.Split(authority[at:], ",")
	return scheme + "://" + authority[:at] + hosts[0] + tail, hosts[1:], nil
}

// takeSwitch takes an option out of a query and reads it as go-redis reads its own.
func takeSwitch(query url.Values, name string) (bool, error) {
	values := query[name]
	query.Del(name)
	if len(values) == 0 {
		return false, nil
	}
	switch values[len(values)-1] {
	case "true", "1":
		return true, nil
	case "false", "0", "":
		return false, nil
	}
	return false, errOption
}

// Options say which Redis.
type Options struct {
	// URL is redis://, rediss:// or unix://; see docs/operations.md and parse.
	URL string
	// CAFile holds the certificates of the authorities that a rediss:// server's
	// may be from, as PEM; empty: those of the system.
	CAFile string
	// Handshake, unless nil, is told of each TLS connection that was made.
	Handshake func(tls.ConnectionState)
}

// silence keeps the driver from writing to standard error; what it has to say
// comes back as errors.
var silence = sync.OnceFunc(logging.Disable)

// Open prepares to use Redis. It doesn't ask it anything: a server that isn't there
// is found out later, and then whenever it comes. Each command is tried once, until
// its context ends. An error is one of the options'.
func Open(opts Options) (driver.UniversalClient, error) {
	silence()
	where, err := parse(opts.URL)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(opts.CAFile)
	if err != nil {
		return nil, err
	}
	if where.cluster != nil {
		return newCluster(where.cluster, roots, opts.Handshake), nil
	}
	o := where.single
	secure(o.TLSConfig, roots, opts.Handshake)
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = cmp.Or(o.DialTimeout, dialTimeout), cmp.Or(o.ReadTimeout, ioTimeout), cmp.Or(o.WriteTimeout, ioTimeout)
	o.ContextTimeoutEnabled = true
	o.MaxRetries, o.DialerRetries = -1, 1 // to try again is the caller's business
	o.PipelinePoolSize = -1               // pipelines are all that there is
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return driver.NewClient(o), nil
}

func newCluster(o *driver.ClusterOptions, roots *x509.CertPool, seen func(tls.ConnectionState)) *driver.ClusterClient {
	secure(o.TLSConfig, roots, seen)
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = cmp.Or(o.DialTimeout, dialTimeout), cmp.Or(o.ReadTimeout, ioTimeout), cmp.Or(o.WriteTimeout, ioTimeout)
	o.ContextTimeoutEnabled = true
	o.DialerRetries = 1
	o.PipelinePoolSize = -1
	// A replica would show what its master was told to forget.
	o.ReadOnly, o.RouteByLatency, o.RouteRandomly = false, false, false
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return driver.NewClusterClient(o)
}

// secure completes how connections are made by TLS, if they are.
func secure(config *tls.Config, roots *x509.CertPool, seen func(tls.ConnectionState)) {
	if config == nil {
		return
	}
	config.RootCAs = roots
	if seen != nil {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			seen(state)
			return nil
		}
	}
}

func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates that Redis is known by: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the certificates that Redis is known by: %s holds none", file)
	}
	return roots, nil
}
