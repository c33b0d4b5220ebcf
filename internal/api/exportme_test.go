package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// TestAnExportShowsWhatIsKept of somebody, as it is kept now, and no hash.
func TestAnExportShowsWhatIsKept(t *testing.T) {
	t.Parallel()
	p := newPeople(t, straight)
	s := p.newUser(t, account.Member)
	ended := p.anotherSession(t, s)
	if r := p.do(t, "DELETE", "/api/v1/me/sessions/"+ended.SessionID, "", s.shows...); r.StatusCode != 204 {
		t.Fatalf("ending a session: %d %s", r.StatusCode, r.body)
	}
	made := decode[NewKey](t, p.do(t, "POST", "/api/v1/keys", `{"name":"shop"}`, append([]string{"Idempotency-Key", "an order"}, s.shows...)...), 201)
	if r := p.do(t, "DELETE", "/api/v1/keys/"+made.ID, "", s.shows...); r.StatusCode != 204 {
		t.Fatalf("revoking a key: %d %s", r.StatusCode, r.body)
	}
	for range 5 {
		decode[Problem](t, p.do(t, "POST", "/api/v1/auth/login", `{"email":"`+s.Email+`","password":"a guess at it"}`), 401)
	}
	if r := p.do(t, "POST", "/api/v1/auth/reset", `{"email":"`+s.Email+`"}`); r.StatusCode != 202 {
		t.Fatalf("asking for a letter: %d %s", r.StatusCode, r.body)
	}
	p.service().Accounts.Settle(t.Context())

	r := p.do(t, "GET", "/api/v1/me/export", "", s.shows...)
	document := decode[Export](t, r, 200)
	if u := document.User; u.ID != s.ID || u.Email != s.Email || u.VerifiedAt == nil || u.DisabledAt != nil || u.FailedSignIns != 5 || u.LockedUntil == nil || !u.LockedUntil.After(p.now()) {
		t.Errorf("the user: %+v", u)
	}
	over := map[string]bool{}
	for _, session := range document.Sessions {
		over[session.ID] = session.EndedAt != nil
		if session.Current != (session.ID == s.session) {
			t.Errorf("session %s is said to be the one that asks", session.ID)
		}
	}
	if gone, kept := over[ended.SessionID]; !gone || !kept || over[s.session] || len(over) != 2 {
		t.Errorf("sessions, and whether they ended: %v", over)
	}
	var revoked bool
	for _, key := range document.Keys {
		revoked = revoked || key.ID == made.ID && key.RevokedAt != nil
	}
	if !revoked || len(document.Keys) != 3 {
		t.Errorf("%d keys, the revoked one among them: %v", len(document.Keys), revoked)
	}
	if l := document.Letters; len(l) != 1 || l[0].Purpose != "reset" || !l[0].ExpiresAt.Equal(l[0].SentAt.Add(auth.ResetLasts)) {
		t.Errorf("letters: %+v", l)
	}
	if a := document.KeptAnswers; len(a) != 1 || a[0].Key != "an order" || a[0].Owner != "user:"+s.ID || !a[0].KeptUntil.After(p.now()) {
		t.Errorf("kept answers: %+v", a)
	}
	traced, refusals := 0, 0
	for _, e := range document.AuditLog {
		if e.TraceID != "" {
			traced++
		}
		if e.Action == "session.start" && e.Outcome == "refused" {
			refusals++
		}
	}
	if traced == 0 || refusals == 0 {
		t.Errorf("%d entries have a trace id, %d are of refused sign-ins", traced, refusals)
	}
	user, err := p.kept.User(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := json.Marshal(user.PasswordHash)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{string(user.PasswordHash), strings.Trim(string(hash), `"`), made.Secret, peoplesPassword} {
		if strings.Contains(string(r.body), secret) {
			t.Errorf("the document shows %q", secret)
		}
	}
}
