package redisclient

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	driver "github.com/redis/go-redis/v9"
)

// seen is what a URL is read as.
type seen struct {
	Network, User, Password string
	Addrs                   []string
	DB                      int
	TLS, SkipVerify         bool
	ServerName              string
	Cluster                 bool
}

func look(where target) seen {
	if o := where.cluster; o != nil {
		s := seen{Network: "tcp", User: o.Username, Password: o.Password, Addrs: o.Addrs, Cluster: true}
		if o.TLSConfig != nil {
			s.TLS, s.SkipVerify, s.ServerName = true, o.TLSConfig.InsecureSkipVerify, o.TLSConfig.ServerName
		}
		return s
	}
	o := where.single
	s := seen{Network: o.Network, User: o.Username, Password: o.Password, Addrs: []string{o.Addr}, DB: o.DB}
	if o.TLSConfig != nil {
		s.TLS, s.SkipVerify, s.ServerName = true, o.TLSConfig.InsecureSkipVerify, o.TLSConfig.ServerName
	}
	return s
}

func TestParse(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]seen{
		"redis://localhost":           {Network: "tcp", Addrs: []string{"localhost:6379"}},
		"redis://10.0.0.1:7000/3":     {Network: "tcp", Addrs: []string{"10.0.0.1:7000"}, DB: 3},
		"redis://:secret@host:1/":     {Network: "tcp", Password: "secret", Addrs: []string{"host:1"}},
		"redis://[::1]":               {Network: "tcp", Addrs: []string{"[::1]:6379"}},
		"redis://[2001:db8::1]:7000":  {Network: "tcp", Addrs: []string{"[2001:db8::1]:7000"}},
		"redis://host:1?pool_size=20": {Network: "tcp", Addrs: []string{"host:1"}},
		"rediss://user:p%40ss%3Aw%2Fo%3Fr%23d%20%25%26%2B%3D%E2%82%AC@cache.example.org:6380/0": {
			Network: "tcp", User: "user", Password: "p@ss:w/o?r#d %&+=€", Addrs: []string{"cache.example.org:6380"}, TLS: true, ServerName: "cache.example.org",
		},
		"rediss://host?skip_verify=true":                  {Network: "tcp", Addrs: []string{"host:6379"}, TLS: true, SkipVerify: true, ServerName: "host"},
		"unix:///run/redis/redis.sock":                    {Network: "unix", Addrs: []string{"/run/redis/redis.sock"}},
		"unix://user:p%40ss@/run/redis/redis.sock?db=2":   {Network: "unix", User: "user", Password: "p@ss", Addrs: []string{"/run/redis/redis.sock"}, DB: 2},
		"redis://a:1?cluster=true":                        {Network: "tcp", Addrs: []string{"a:1"}, Cluster: true},
		"redis://a:1?cluster=false":                       {Network: "tcp", Addrs: []string{"a:1"}},
		"redis://a:1,b:2,[::1]:3":                         {Network: "tcp", Addrs: []string{"a:1", "b:2", "[::1]:3"}, Cluster: true},
		"rediss://user:p%2C%40ss@a:1,b:2/0?pool_size=5":   {Network: "tcp", User: "user", Password: "p,@ss", Addrs: []string{"a:1", "b:2"}, TLS: true, ServerName: "a", Cluster: true},
		"redis://a:1?addr=b:2&addr=c:3":                   {Network: "tcp", Addrs: []string{"a:1", "b:2", "c:3"}, Cluster: true},
		"rediss://a:1/0?cluster=1&skip_verify=1":          {Network: "tcp", Addrs: []string{"a:1"}, TLS: true, SkipVerify: true, ServerName: "a", Cluster: true},
		"redis://user:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB@h:1": {Network: "tcp", User: "user", Password: "парол", Addrs: []string{"h:1"}},
	} {
		where, err := parse(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if diff := cmp.Diff(want, look(where)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}

// What can't be read is refused, and no part of it is repeated.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "s3cret", "s3cret:6379", "http://s3cret@host", "redis:s3cret", "redis://", "redis:///0", "redis://host:s3cret",
		"redis://host/s3cret", "redis://host/1/s3cret", "redis://:s3#cret@host:6379", "redis://:s3/cret@host", "redis://:s3?cret@host:6379",
		"redis://:s3%zzcret@host", "redis://host?s3cret=1", "redis://host?pool_size=s3cret", "redis://host?db=%s3cret", "redis://host?cluster=s3cret",
		"redis://host\ns3cret", "redis://host#s3cret", "unix://", "unix://s3cret", "unix:///socket?cluster=true",
		"redis://a:1,b:2/3", "redis://a:1,b", "redis://a:1,", "redis://a:1?addr=s3cret", "redis://a:1?cluster=true&s3cret=1", "rediss://a:1?cluster=true&skip_verify=s3cret",
		"rediss://a:1?skip_verify=s3cret", "redis://::1", "redis://s3cret:x@[::1", "redis://a:1:2",
	} {
		where, err := parse(address)
		if err == nil {
			t.Errorf("%q is read as %+v", address, look(where))
			continue
		}
		if strings.Contains(err.Error(), "cret") || strings.Contains(err.Error(), "s3") {
			t.Errorf("%q: the error tells of it: %v", address, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("rediss://user:p%40ss@a:1,b:2/0?pool_size=5&addr=c:3")
	f.Add("unix://user@/a/b?db=1")
	f.Add("redis://a?cluster=1,")
	f.Fuzz(func(t *testing.T, address string) {
		where, err := parse(address)
		if err == nil && (where.single == nil) == (where.cluster == nil) {
			t.Errorf("%q is neither one server nor a cluster, or both", address)
		}
	})
}

// The settings that the promise of a short wait stands on hold whatever a URL says.
func TestClientSettings(t *testing.T) {
	t.Parallel()
	client, err := Open(Options{URL: "redis://localhost?max_retries=5&pool_size=7&dial_timeout=1s"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	o := client.(*driver.Client).Options()
	if o.MaxRetries != 0 || !o.ContextTimeoutEnabled || o.DialerRetries != 1 || o.PoolSize != 7 || o.DialTimeout.Seconds() != 1 {
		t.Errorf("of one: %+v", o)
	}
	cluster, err := Open(Options{URL: "redis://localhost?cluster=true&pool_size=7&route_randomly=true&read_only=true"})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if o := cluster.(*driver.ClusterClient).Options(); !o.ContextTimeoutEnabled || o.DialerRetries != 1 || o.PoolSize != 7 || o.ReadOnly || o.RouteRandomly {
		t.Errorf("of a cluster: %+v", o)
	}
}
