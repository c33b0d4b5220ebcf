package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/testenv"
)

func TestDescribe(t *testing.T) {
	for url, want := range map[string]Security{
		"postgres://u:p@db.example/x":                                   {"prefer", false, "p"},
		"postgres://u:p@db.example/x?sslmode=disable":                   {"disable", false, "p"},
		"postgres://u:p@db.example/x?sslmode=allow":                     {"allow", false, "p"},
		"postgres://u:p@db.example/x?sslmode=require":                   {"require", false, "p"},
		"postgres://u:p@db.example/x?sslmode=verify-ca":                 {"verify-ca", false, "p"},
		"postgres://u:p@db.example/x?sslmode=verify-full":               {"verify-full", false, "p"},
		"postgres://u:p@127.0.0.1,[::1],localhost/x?sslmode=verify-ca":  {"verify-ca", true, "p"},
		"postgres://u:p@127.0.0.1,db.example/x?sslmode=require":         {"require", false, "p"},
		"postgres://u@/x?host=/run/postgresql":                          {"disable", true, ""},
		"host=localhost user=u password='a b' dbname=x sslmode=disable": {"disable", true, "a b"},
	} {
		got, err := Describe(url)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", url, got, err)
		}
	}
	if _, err := Describe("postgres://u:hunter2@x:y/z"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unreadable URL: %v", err)
	}
}

// TestRole: the server's word on the role of the connections.
func TestRole(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	s, err := Open(t.Context(), Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	role, err := s.Role(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.ConnectConfig(t.Context(), s.direct)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var super, creates bool
	if err := conn.QueryRow(t.Context(), `SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user`).Scan(&super, &creates); err != nil {
		t.Fatal(err)
	}
	if role.Superuser != super || slices.Contains(role.Powers, "make databases") != creates {
		t.Errorf("the role is %+v; superuser %v, makes databases %v", role, super, creates)
	}
}
