package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/config"
)

// People move with the notices: their secrets work on, and the audit log is the same
// chain, an injury that it had included.
func TestMigrateDataCarriesPeople(t *testing.T) {
	t.Parallel()
	for name, tampering := range map[string][]string{
		"as it was written": nil,
		"with a gap":        {`DELETE FROM audit_entry WHERE seq = 2`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := places(t)
			from, to := all["sqlite"], all["postgresql"]
			from.write(t, entries()...)
			parent := account.User{ID: "parent", Email: "Parent@example.com", EmailKey: "parent@example.com", PasswordHash: []byte("$2a$12$"), Role: account.Admin}
			from.with(t, func(st app.Store) {
				now := time.Now()
				if err := st.CreateUser(t.Context(), parent); err != nil {
					t.Fatal(err)
				}
				session := account.Session{ID: "phone", UserID: parent.ID, Kind: account.SessionAPI, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)}
				if err := st.StartSession(t.Context(), session, []byte("secret")); err != nil {
					t.Fatal(err)
				}
			})
			if tampering != nil {
				from.tamper(t, append(from.untie, tampering...)...)
			}
			to.data = from.data
			code, out, stderr := to.run(t, "migrate-data", "--json")
			var copied struct {
				Tables []struct {
					Table string
					Rows  int
				}
			}
			if err := json.Unmarshal([]byte(out), &copied); err != nil || code != exitDone {
				t.Fatalf("status %d, %q, %q, %v", code, out, stderr, err)
			}
			rows := map[string]int{}
			for _, table := range copied.Tables {
				rows[table.Table] = table.Rows
			}
			if rows["account"] != 1 || rows["session"] != 1 || rows["session_secret"] != 1 || rows["audit_entry"] != 3-len(tampering) {
				t.Errorf("copied %v", rows)
			}
			to.with(t, func(st app.Store) {
				if u, err := st.UserByEmail(t.Context(), parent.EmailKey); err != nil || u.Email != parent.Email || u.Role != account.Admin {
					t.Errorf("the user is %+v, %v", u, err)
				}
				if session, err := st.RotateSecret(t.Context(), []byte("secret"), []byte("another"), time.Now(), time.Now()); err != nil || session.ID != "phone" {
					t.Errorf("the session is %+v, %v", session, err)
				}
			})
			before, beforeOut, beforeErr := from.run(t, "auditlog", "verify")
			after, afterOut, afterErr := to.run(t, "auditlog", "verify")
			if before != after || beforeOut != afterOut || beforeErr != afterErr || (before == exitFailed) != (tampering != nil) {
				t.Errorf("the audit log was %d, %q, %q, and is %d, %q, %q", before, beforeOut, beforeErr, after, afterOut, afterErr)
			}
			if code, _, stderr := to.run(t, "migrate-data"); code != exitFailed || !strings.Contains(stderr, "nothing was copied") {
				t.Errorf("once more: status %d, %q", code, stderr)
			}
		})
	}
}

// with opens the store as the program does.
func (p place) with(t *testing.T, do func(st app.Store)) {
	t.Helper()
	cfg, err := config.Load(t.Context(), p.lookup)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data = p.data
	st, err := app.OpenStore(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	do(st)
}
