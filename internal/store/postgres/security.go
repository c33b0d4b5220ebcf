package postgres

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crownsafe/api/internal/egress"
)

// Security is what a URL says of how safe the way to the server is.
type Security struct {
	// Mode is libpq's sslmode in effect: disable, allow, prefer, require, verify-ca
	// or verify-full, of the hosts the weakest.
	Mode string
	// Local says that every host is this machine.
	Local bool
	// Password is what the server is shown; empty: none, or it comes by another way.
	Password string
}

// modes are those of libpq, the weakest first.
var modes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// Describe reads a URL as Open does. Its errors hold nothing of it.
func Describe(url string) (Security, error) {
	config, err := parse(url)
	if err != nil {
		return Security{}, err
	}
	primary := config.ConnConfig
	described := Security{Mode: modes[len(modes)-1], Local: true, Password: primary.Password}
	hosts := append([]*pgconn.FallbackConfig{{Host: primary.Host, Port: primary.Port, TLSConfig: primary.TLSConfig}}, primary.Fallbacks...)
	ways := map[string][]*tls.Config{} // of each host, in the order in which they are tried
	for _, h := range hosts {
		described.Local = described.Local && (strings.HasPrefix(h.Host, "/") || egress.ThisMachine(h.Host))
		address := fmt.Sprintf("%s:%d", h.Host, h.Port)
		ways[address] = append(ways[address], h.TLSConfig)
	}
	for _, tries := range ways {
		if mode := modeOf(tries); rank(mode) < rank(described.Mode) {
			described.Mode = mode
		}
	}
	return described, nil
}

// modeOf tells the mode by what it makes the driver try.
func modeOf(tries []*tls.Config) string {
	first, last := tries[0], tries[len(tries)-1]
	switch {
	case first == nil && last == nil:
		return "disable"
	case first == nil:
		return "allow"
	case last == nil:
		return "prefer"
	case !first.InsecureSkipVerify:
		return "verify-full"
	case first.VerifyPeerCertificate != nil:
		return "verify-ca"
	}
	return "require"
}

func rank(mode string) int {
	for i, m := range modes {
		if m == mode {
			return i
		}
	}
	return 0
}

// Role is what the server lets the service do.
type Role struct {
	Superuser bool
	// Powers are what the role may do beyond its own database, in words.
	Powers []string
}

// Role asks the server what the role of the connections may do.
func (s *Store) Role(ctx context.Context) (Role, error) {
	const own = `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user`
	var role Role
	var roles, databases, replication, bypass bool
	if err := s.pool.QueryRow(ctx, own).Scan(&role.Superuser, &roles, &databases, &replication, &bypass); err != nil {
		return Role{}, fmt.Errorf("asking the database for the role's powers: %w", translate(ctx, err))
	}
	for _, power := range []struct {
		has   bool
		words string
	}{{roles, "make and change roles"}, {databases, "make databases"}, {replication, "copy the whole server"}, {bypass, "pass by row security"}} {
		if power.has {
			role.Powers = append(role.Powers, power.words)
		}
	}
	return role, nil
}
