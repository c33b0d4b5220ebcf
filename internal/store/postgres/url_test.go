package postgres

import (
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	t.Parallel()
	type place struct{ host, user, password, database string }
	for _, test := range []struct {
		name, url string
		want      place
	}{
		{"plain", "postgres://u:p@db.example:5433/prod?sslmode=disable", place{"db.example:5433", "u", "p", "prod"}},
		{"the other scheme", "postgresql://u:p@db.example/prod", place{"db.example:5432", "u", "p", "prod"}},
		{"a line's end", " postgres://u:p@db.example/prod\n", place{"db.example:5432", "u", "p", "prod"}},
		{"everything escaped", "postgres://u%40x:p%40ss%3Aw%2Fo%3Fr%23d%20%252F%5B%26%5D%27%22%5C%2B%3D%E2%82%AC@db.example/a%2Fb", place{"db.example:5432", "u@x", `p@ss:w/o?r#d %2F[&]'"\+=€`, "a/b"}},
		{"a plus is a plus", "postgres://u:a+b@db.example/prod", place{"db.example:5432", "u", "a+b", "prod"}},

		{"careless: @", "postgres://u:p@ss@db.example/prod", place{"db.example:5432", "u", "p@ss", "prod"}},
		{"careless: @ at both ends", "postgres://u:@p@@db.example/prod", place{"db.example:5432", "u", "@p@", "prod"}},
		{"careless: a user with @", "postgres://u@x:p@db.example:5432/prod", place{"db.example:5432", "u@x", "p", "prod"}},
		{"careless: slash", "postgres://u:p/q@db.example/prod", place{"db.example:5432", "u", "p/q", "prod"}},
		{"careless: question mark", "postgres://u:p?q=1&x@db.example/prod", place{"db.example:5432", "u", "p?q=1&x", "prod"}},
		{"careless: number sign", "postgres://u:p#q@db.example/prod", place{"db.example:5432", "u", "p#q", "prod"}},
		{"careless: colon", "postgres://u:p:q@db.example/prod", place{"db.example:5432", "u", "p:q", "prod"}},
		{"careless: percent", "postgres://u:100%@db.example/prod", place{"db.example:5432", "u", "100%", "prod"}},
		{"careless: brackets", "postgres://u:[p]@db.example/prod", place{"db.example:5432", "u", "[p]", "prod"}},
		{"careless: quotes and spaces", "postgres://u: 'p\" \\`q' @db.example/prod", place{"db.example:5432", "u", " 'p\" \\`q' ", "prod"}},
		{"careless: everything", "postgres://u:p@ss:w/o?r#d %[&]'\"\\+=€@db.example:5432/prod?sslmode=require", place{"db.example:5432", "u", `p@ss:w/o?r#d %[&]'"\+=€`, "prod"}},
		{"careless: what could be hosts, but for its database", "postgres://u:a@b/c@db.example:5432/prod", place{"db.example:5432", "u", "a@b/c", "prod"}},

		{"IPv6", "postgres://u:p@[2001:db8::1]:5433/prod", place{"2001:db8::1:5433", "u", "p", "prod"}},
		{"IPv6 without a port, and a careless password", "postgres://u:p@[::1]x@[::1]/prod", place{"::1:5432", "u", "p@[::1]x", "prod"}},
		{"IPv6 with a zone", "postgres://u:p@[fe80::1%25eth0]/prod", place{"fe80::1%eth0:5432", "u", "p", "prod"}},
		{"Unix socket as a parameter", "postgres:///prod?host=/run/postgresql&user=u&password=p", place{"/run/postgresql:5432", "u", "p", "prod"}},
		{"Unix socket with credentials", "postgres://u:p@/prod?host=/run/postgresql", place{"/run/postgresql:5432", "u", "p", "prod"}},
		{"Unix socket as the host", "postgres://u:p@%2Frun%2Fpostgresql:5433/prod", place{"/run/postgresql:5433", "u", "p", "prod"}},
		{"several hosts", "postgres://u:p@a.example:1,b.example,[::1]:3/prod?sslmode=disable&target_session_attrs=read-write", place{"a.example:1 b.example:5432 ::1:3", "u", "p", "prod"}},
		{"a password as a parameter", "postgres://db.example/prod?user=u&password=p%40ss", place{"db.example:5432", "u", "p@ss", "prod"}},

		{"pairs", `host=db.example port=5433 user=u password='p@ s\'s' dbname=prod`, place{"db.example:5433", "u", "p@ s's", "prod"}},
		{"pairs with a socket", "host=/run/postgresql user=u password=p dbname=prod", place{"/run/postgresql:5432", "u", "p", "prod"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config, err := parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			conn := config.ConnConfig
			if got := (place{addresses(config), conn.User, conn.Password, conn.Database}); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// addresses lists where a configuration connects to, in order, each once.
func addresses(config *pgxpool.Config) string {
	all := []string{config.ConnConfig.Host + ":" + strconv.Itoa(int(config.ConnConfig.Port))}
	for _, fallback := range config.ConnConfig.Fallbacks {
		all = append(all, fallback.Host+":"+strconv.Itoa(int(fallback.Port)))
	}
	return strings.Join(slices.Compact(all), " ")
}

// Every name and password can be written down.
func TestParseRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aZ9@:/?#[]%&=+ '\"\\;,$!*()~-._<>{}|^`€ß\t\n\x7f")))
		user := text.Filter(func(s string) bool { return s != "" }).Draw(t, "user")
		password := text.Filter(func(s string) bool { return s != "" }).Draw(t, "password")
		database := text.Filter(func(s string) bool { return s != "" }).Draw(t, "database")
		escaped := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
		config, err := parse("postgres://" + escaped(user) + ":" + escaped(password) + "@db.example/" + escaped(database) + "?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		if conn := config.ConnConfig; conn.User != user || conn.Password != password || conn.Database != database || conn.Host != "db.example" {
			t.Fatalf("read %q, %q, %q at %s", conn.User, conn.Password, conn.Database, conn.Host)
		}
		// Go's own way of writing URLs escapes less.
		written := url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: "db.example", Path: "/prod"}
		config, err = parse(written.String())
		if err != nil {
			t.Fatal(err)
		}
		if conn := config.ConnConfig; conn.User != user || conn.Password != password {
			t.Fatalf("read %q, %q", conn.User, conn.Password)
		}
	})
}

// A password that nobody has escaped is read as it is, or refused, and never
// read as something else, and no error shows any of it.
func TestParseCareless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Escapes are left out: whoever writes %41 means A.
		password := rapid.StringOf(rapid.RuneFrom([]rune("xyZ@:/?#[]&=+ '\"\\;,$!"))).Filter(func(s string) bool { return s != "" }).Draw(t, "password")
		config, err := parse("postgres://u:" + password + "@db.example/prod")
		if err != nil {
			refused(t, err, password)
			return
		}
		if conn := config.ConnConfig; conn.User != "u" || conn.Password != password || conn.Host != "db.example" || conn.Database != "prod" {
			t.Fatalf("read %q, %q, %q at %s", conn.User, conn.Password, conn.Database, conn.Host)
		}
	})
}

// refused fails unless an error names the variable and says nothing secret. What
// a secret shares with any error at all tells nothing of it.
func refused(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, err error, secret string,
) {
	t.Helper()
	if !strings.HasPrefix(err.Error(), variable+" ") {
		t.Fatalf("the error doesn't name %s: %v", variable, err)
	}
	if len(secret) > 3 && strings.Contains(err.Error(), secret) {
		t.Fatalf("the error shows the password: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, test := range []struct{ name, url, says string }{
		{"nothing", " ", "is empty"},
		{"another scheme", "mysql://u:hunter2@db.example/prod", "isn't a PostgreSQL URL"},
		{"no URL and no pairs", "db.example", "keyword=value"},
		{"pairs with a careless password", "host=db.example password=hunter2 hunter2 user=u", "keyword=value"},
		{"what could be two hosts", "postgres://u:x@hunter2/y@db.example", "several ways: percent-encode"},
		{"an @ in a parameter", "postgres://u:hunter2@db.example/prod?application_name=a@b", "several ways: percent-encode"},
		{"an escape beside what isn't escaped", "postgres://u:hunter2@%41@db.example/prod", "several ways: percent-encode"},
		{"an escape beside none", "postgres://u:hunter2%41%@db.example/prod", "several ways: percent-encode"},
		{"a port that is none", "postgres://u:hunter2@db.example:hunter2/prod", "can't be read: percent-encode"},
		{"a port that is too large", "postgres://u:hunter2@db.example:65536/prod", "port"},
		{"IPv6 without brackets", "postgres://u:hunter2@2001:db8::1/prod", "can't be read"},
		{"IPv6 that is none", "postgres://u:hunter2@[hunter2]/prod", "can't be read"},
		{"a database of several parts", "postgres://u:hunter2@db.example/a/b", "can't be read"},
		{"a parameter without a value", "postgres://u:hunter2@db.example/prod?hunter2", "can't be read"},
		{"sslmode", "postgres://u:hunter2@db.example/prod?sslmode=hunter2", "unknown sslmode: it is disable"},
		{"sslrootcert", "postgres://u:hunter2@db.example/prod?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem"},
		{"target_session_attrs", "postgres://u:hunter2@db.example/prod?target_session_attrs=hunter2", "unknown target_session_attrs"},
		{"ports for hosts", "postgres://u:hunter2@a,b,c/prod?port=1,2", "as many ports"},
		{"a setting of the pool", "postgres://u:hunter2@db.example/prod?pool_max_conns=3", "variables of their own"},
		{"a setting of statements", "postgres://u:hunter2@db.example/prod?statement_cache_capacity=3", "variables of their own"},
		{"a zero byte", "postgres://u:hunter2%00@db.example/prod", "can't be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), Options{URL: test.url})
			if err == nil {
				s.Close()
				t.Fatal("it is accepted")
			}
			if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), variable) {
				t.Errorf("got %q, want %q of %s", err, test.says, variable)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// Whatever stands around a secret, no error shows it, unless as the name of a file.
func FuzzParse(f *testing.F) {
	const secret = "hunter2hunter2"
	for _, around := range [][2]string{
		{"postgres://u:", "@db.example/prod"}, {"postgres://u:x@", "/prod?sslmode=disable"}, {"host=db.example password='", "' user=u"},
		{"postgres:///prod?host=/run/postgresql&password=", "&port=1,2"}, {"postgresql://[::1]:", "/"}, {"", "="}, {"postgres://%", "@[::"},
	} {
		f.Add(around[0], around[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + secret + after
		config, err := parse(text)
		if err == nil {
			if config.ConnConfig.Host == "" {
				t.Errorf("%q connects to nowhere", text)
			}
			return
		}
		if !strings.HasPrefix(err.Error(), variable+" ") {
			t.Errorf("%q: the error doesn't name %s: %v", text, variable, err)
		}
		if _, file := errors.AsType[*fs.PathError](err); !file && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the error shows the secret: %v", text, err)
		}
	})
}
