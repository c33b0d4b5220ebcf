package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// variable is what an operator knows the URL by. No error about it shows any of
// it: a password that isn't where it belongs could be anywhere in it.
const variable = "DATABASE_URL"

// parse reads what Options.URL says. The driver's errors quote what they can't
// read, so that none of them goes further.
func parse(text string) (*pgxpool.Config, error) {
	text = strings.TrimSpace(text) // files of secrets end in a line's end
	if text == "" {
		return nil, errors.New(variable + " is empty")
	}
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		if rest, ok := strings.CutPrefix(text, scheme); ok {
			escaped, err := escape(rest)
			if err != nil {
				return nil, fmt.Errorf("%s %w", variable, err)
			}
			return configured(scheme + escaped)
		}
	}
	if scheme, _, ok := strings.Cut(text, "://"); ok && !strings.ContainsAny(scheme, "= \t'") {
		return nil, errors.New(variable + " isn't a PostgreSQL URL: one begins with postgres:// or postgresql://")
	}
	return configured(text)
}

// faults are what a URL that can be read may say wrongly, as the driver words it
// and as it is said here.
var faults = []struct{ driver, said string }{
	{"sslmode is invalid", "has an unknown sslmode: it is disable, allow, prefer, require, verify-ca or verify-full"},
	{"unable to add CA", "names a file as sslrootcert that holds no certificate"},
	{"sslcert", "needs both sslcert and sslkey, or none"},
	{"sslkey", "names a file as sslkey that can't be read as a key"},
	{"invalid port", "has a port that isn't between 1 and 65535"},
	{"port numbers to", "has as many ports as hosts neither nor one for all"},
	{"target_session_attrs", "has an unknown target_session_attrs: it is any, read-write, read-only, primary, standby or prefer-standby"},
	{"channel_binding", "has an unknown channel_binding: it is disable, prefer or require"},
	{"connect_timeout", "has a connect_timeout that isn't a number of seconds"},
	{"failed to read service", "names a service that isn't in the service file"},
	{"as keyword/value", "can't be read as keyword=value pairs: a value with spaces stands in single quotes, and a backslash goes before each quote and backslash in it"},
}

func configured(text string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		if missing, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, fmt.Errorf("%s names a file that can't be read: %w", variable, missing)
		}
		for _, fault := range faults {
			if strings.Contains(err.Error(), fault.driver) {
				return nil, errors.New(variable + " " + fault.said)
			}
		}
		return nil, errors.New(variable + " can't be read: " + advice)
	}
	return config, nil
}

// advice goes with everything that is read in no way or in several.
const advice = "percent-encode the special characters of its user, password and database (@ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25)"

var (
	errUnreadable = errors.New("can't be read: " + advice)
	errAmbiguous  = errors.New("can be read in several ways: " + advice)
	errPoolInURL  = errors.New("has a setting of the pool or of prepared statements, which variables of their own set")
)

// escape brings what follows the scheme of a URL to the form that can be read in
// one way only. What the rules of URLs don't allow is forgiven as long as one
// reading is left: every @ may be the one before the hosts, with anything in
// front of it.
func escape(text string) (string, error) {
	var found []string
	for i := -1; i < len(text); {
		credentials, rest := "", text
		if i >= 0 {
			credentials, rest = text[:i], text[i+1:]
		}
		if credentials, ok := splitCredentials(credentials); ok {
			if place, ok, err := escapePlace(rest); err != nil {
				return "", err
			} else if ok {
				login, err := credentials.escape()
				if err != nil {
					return "", err
				}
				found = append(found, login+place)
			}
		}
		next := strings.IndexByte(text[i+1:], '@')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	switch len(found) {
	case 0:
		return "", errUnreadable
	case 1:
		return found[0], nil
	default:
		return "", errAmbiguous
	}
}

type credentials struct {
	user, password string
	none           bool // neither
}

// splitCredentials reads what may stand before the @ of the hosts. A password may
// be anything; a user has no sign that ends one.
func splitCredentials(text string) (credentials, bool) {
	user, password, _ := strings.Cut(text, ":")
	return credentials{user: user, password: password, none: text == ""}, !strings.ContainsAny(user, "/?#[]")
}

func (c credentials) escape() (string, error) {
	if c.none {
		return "", nil
	}
	user, err := plain(c.user)
	if err != nil {
		return "", err
	}
	password, err := plain(c.password)
	if err != nil {
		return "", err
	}
	return percentEncode(user) + ":" + percentEncode(password) + "@", nil
}

var (
	percent = regexp.MustCompile(`%([0-9A-Fa-f]{2})?`)
	// reserved is what wouldn't stand unescaped in credentials that somebody has escaped.
	reserved = regexp.MustCompile(`[@:/?#\[\] "<>\\^` + "`" + `{|}]|[^\x21-\x7e]`)
)

// plain reads text that was escaped, or carelessly wasn't. Text with signs of
// both is refused: nobody can tell what it stands for.
func plain(text string) (string, error) {
	var escapes, bare int
	for _, found := range percent.FindAllString(text, -1) {
		if len(found) == 3 {
			escapes++
		} else {
			bare++
		}
	}
	if escapes == 0 {
		return text, nil
	}
	if bare > 0 || reserved.MatchString(text) {
		return "", errAmbiguous
	}
	return url.PathUnescape(text)
}

// percentEncode escapes all but letters, digits and the marks that mean nothing
// in a URL (RFC 3986, section 2.3).
func percentEncode(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

var (
	hostName  = regexp.MustCompile(`^(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*$`)
	port      = regexp.MustCompile(`^(?::[0-9]*)?$`)
	parameter = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	poolParam = regexp.MustCompile(`^pool_|^default_query_exec_mode$|_cache_capacity$`)
)

// escapePlace reads hosts, database and parameters, and reports whether that is
// what text is.
func escapePlace(text string) (string, bool, error) {
	address, query, _ := strings.Cut(text, "?")
	hosts, database, _ := strings.Cut(address, "/")
	for host := range strings.SplitSeq(hosts, ",") {
		if !isHost(host) {
			return "", false, nil
		}
	}
	if strings.ContainsAny(database, "/#") || strings.ContainsAny(query, "?#") {
		return "", false, nil
	}
	name, err := url.PathUnescape(database)
	if err != nil {
		return "", false, nil //nolint:nilerr // it is no name of a database, and so this is no place
	}
	parameters, ok, err := escapeParameters(query)
	return hosts + "/" + percentEncode(name) + parameters, ok, err
}

func isHost(text string) bool {
	if bracketed, ok := strings.CutPrefix(text, "["); ok {
		literal, rest, closed := strings.Cut(bracketed, "]")
		unescaped, err := url.PathUnescape(literal)
		if err != nil || !closed {
			return false
		}
		address, err := netip.ParseAddr(unescaped)
		return err == nil && address.Is6() && port.MatchString(rest)
	}
	name, number, numbered := strings.Cut(text, ":")
	return hostName.MatchString(name) && (!numbered || port.MatchString(":"+number))
}

func escapeParameters(query string) (string, bool, error) {
	if query == "" {
		return "", true, nil
	}
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		if !ok || err != nil || !parameter.MatchString(key) {
			return "", false, nil //nolint:nilerr // it is no parameter, and so this is no place
		}
		if poolParam.MatchString(key) {
			return "", false, errPoolInURL
		}
		pairs = append(pairs, key+"="+percentEncode(value))
	}
	return "?" + strings.Join(pairs, "&"), true, nil
}
