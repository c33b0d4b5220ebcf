package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// memoryQuarantine keeps rejections as a store does.
type memoryQuarantine struct {
	all  []store.Rejection
	down error
}

func (m *memoryQuarantine) add(d time.Duration, reason string) {
	m.all = append(m.all, store.Rejection{ID: int64(len(m.all) + 1), Agency: "us-cpsc", Reason: reason, Raw: "raw/us-cpsc/1", Position: 1, SeenAt: start.Add(d)})
}

func (m *memoryQuarantine) Rejections(_ context.Context, agency string, after *store.Rejection, limit int) ([]store.Rejection, error) {
	order := func(a, b store.Rejection) int { return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(b.ID, a.ID)) }
	var list []store.Rejection
	for _, r := range m.all {
		if r.Agency == agency && (after == nil || order(*after, r) < 0) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, order)
	return list[:min(len(list), limit)], m.down
}

const operatorsToken = "an-operator's-token-of-some-length"

func quarantineBench(t *testing.T, o Operators) (*bench, *memoryQuarantine) {
	t.Helper()
	kept := &memoryQuarantine{}
	return newBench(t, func(d *Dependencies) { d.Quarantine, d.Operators = kept, o }), kept
}

// from asks as a peer with headers in the form "Name: value".
func (b *bench) from(t *testing.T, peer, target string, headers ...string) reply {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, target, nil)
	req.RemoteAddr, req.Host = peer, "localhost:8001"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	return reply{rec.Result(), rec.Body.Bytes()}
}

func TestQuarantineIsForOperators(t *testing.T) {
	t.Parallel()
	const here, away, target = "127.0.0.1:5000", "203.0.113.9:5000", "/api/v1/sources/us-cpsc/quarantine"
	token, development, neither := Operators{Token: showing(operatorsToken), Loopback: true}, Operators{Loopback: true}, Operators{}
	for name, c := range map[string]struct {
		operators Operators
		peer      string
		headers   []string
		status    int
	}{
		"the token":                          {token, away, []string{"Authorization: Bearer " + operatorsToken}, 200},
		"the scheme in lower case":           {token, away, []string{"Authorization: bearer " + operatorsToken}, 200},
		"through a proxy":                    {token, here, []string{"Authorization: Bearer " + operatorsToken, "X-Forwarded-For: 198.51.100.7"}, 200},
		"no token":                           {token, away, nil, 401},
		"no token, from this machine":        {token, here, nil, 401},
		"another token":                      {token, away, []string{"Authorization: Bearer another"}, 401},
		"the token's beginning":              {token, away, []string{"Authorization: Bearer " + operatorsToken[:10]}, 401},
		"another scheme":                     {token, away, []string{"Authorization: Basic " + operatorsToken}, 401},
		"the bare token":                     {token, away, []string{"Authorization: " + operatorsToken}, 401},
		"an empty token":                     {token, away, []string{"Authorization: Bearer "}, 401},
		"two tokens":                         {token, away, []string{"Authorization: Bearer " + operatorsToken, "Authorization: Bearer x"}, 401},
		"development, this machine":          {development, here, nil, 200},
		"development, this machine by IPv6":  {development, "[::1]:5000", nil, 200},
		"development, mapped":                {development, "[::ffff:127.0.0.1]:5000", nil, 200},
		"development, elsewhere":             {development, away, nil, 401},
		"development, behind a proxy":        {development, here, []string{"X-Forwarded-For: 127.0.0.1"}, 401},
		"development, behind another proxy":  {development, here, []string{"Forwarded: for=127.0.0.1"}, 401},
		"development, an empty forward":      {development, here, []string{"X-Forwarded-For: "}, 401},
		"development, no address":            {development, "@", nil, 401},
		"development, by IPv4":               {development, here, []string{"Host: 127.0.0.1:8001"}, 200},
		"development, another of 127/8":      {development, here, []string{"Host: 127.9.8.7"}, 200},
		"development, by IPv6":               {development, here, []string{"Host: [::1]:8001"}, 200},
		"development, by IPv6 alone":         {development, here, []string{"Host: [::1]"}, 200},
		"development, in capitals":           {development, here, []string{"Host: LOCALHOST"}, 200},
		"development, another name":          {development, here, []string{"Host: evil.example"}, 401},
		"development, a name with a port":    {development, here, []string{"Host: evil.example:8001"}, 401},
		"development, a name that begins so": {development, here, []string{"Host: localhost.evil.example"}, 401},
		"development, a number as a name":    {development, here, []string{"Host: 127.0.0.1.evil.example"}, 401},
		"development, every address":         {development, here, []string{"Host: 0.0.0.0:8001"}, 401},
		"development, no name":               {development, here, []string{"Host: "}, 401},
		"development, a token":               {development, here, []string{"Authorization: Bearer wrong"}, 401},
		"the token under another name":       {token, here, []string{"Authorization: Bearer " + operatorsToken, "Host: crownsafe.example"}, 200},
		"elsewhere without a token":          {neither, here, nil, 401},
		"elsewhere, with an empty one shown": {neither, here, []string{"Authorization: Bearer "}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := quarantineBench(t, c.operators)
			r := b.from(t, c.peer, target, c.headers...)
			if r.StatusCode != c.status || r.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %q %s", r.StatusCode, r.Header.Get("Cache-Control"), r.body)
			}
			if c.status == 401 {
				p := decode[Problem](t, r, 401)
				if p.Code != "unauthorized" || !strings.HasPrefix(r.Header.Get("Www-Authenticate"), "Bearer") {
					t.Errorf("%+v, challenge %q", p, r.Header.Get("Www-Authenticate"))
				}
			}
			if bytes.Contains(r.body, []byte(operatorsToken)) || strings.Contains(b.log.String(), operatorsToken) {
				t.Error("the token is repeated")
			}
		})
	}
}

func TestQuarantinePagesNeverLoseOrRepeat(t *testing.T) {
	t.Parallel()
	b, kept := quarantineBench(t, Operators{Loopback: true})
	for i := range 45 {
		kept.add(time.Duration(i/7)*time.Hour, fmt.Sprintf("reason %d", i))
	}
	seen := map[string]int{}
	cursor := ""
	for page := range 10 {
		got := decode[QuarantinePage](t, b.from(t, "127.0.0.1:1", "/api/v1/sources/us-cpsc/quarantine?limit=10&cursor="+cursor), 200)
		for _, r := range got.Items {
			seen[r.Reason]++
		}
		kept.add(100*time.Hour+time.Duration(page)*time.Minute, fmt.Sprintf("added %d", page)) // newer than all
		if cursor = got.NextCursor; cursor == "" {
			break
		}
	}
	for i := range 45 {
		if n := seen[fmt.Sprintf("reason %d", i)]; n != 1 {
			t.Errorf("reason %d came %d times", i, n)
		}
	}
	if len(seen) != 45 || cursor != "" {
		t.Errorf("%d records, cursor %q at the end", len(seen), cursor)
	}
	first := decode[QuarantinePage](t, b.from(t, "127.0.0.1:1", "/api/v1/sources/us-cpsc/quarantine"), 200)
	if len(first.Items) != 20 || !strings.HasPrefix(first.Items[0].Reason, "added") {
		t.Errorf("%d items, the first %+v, want 20 with the newest first", len(first.Items), first.Items[0])
	}
}

func TestQuarantineThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	b, kept := quarantineBench(t, Operators{Loopback: true})
	kept.add(0, "no title")
	foreign := quarantineCursor("eu-safety-gate", &kept.all[0])
	for target, want := range map[string]struct {
		status int
		code   string
	}{
		"/api/v1/sources/us-nobody/quarantine":                  {404, "not_found"},
		"/api/v1/sources/us-cpsc/quarantine?limit=0":            {422, "out_of_range"},
		"/api/v1/sources/us-cpsc/quarantine?limit=101":          {422, "out_of_range"},
		"/api/v1/sources/us-cpsc/quarantine?cursor=abc":         {422, "bad_cursor"},
		"/api/v1/sources/us-cpsc/quarantine?cursor=" + foreign:  {422, "bad_cursor"},
		"/api/v1/sources/us-cpsc/quarantine?cursors=" + foreign: {400, "unknown_parameter"},
	} {
		if p := decode[Problem](t, b.from(t, "127.0.0.1:1", target), want.status); p.Code != want.code {
			t.Errorf("%s: %+v", target, p)
		}
	}
	if got := decode[QuarantinePage](t, b.from(t, "127.0.0.1:1", "/api/v1/sources/eu-safety-gate/quarantine"), 200); got.Items == nil || len(got.Items) != 0 {
		t.Errorf("an empty quarantine: %+v", got)
	}
	kept.down = errors.New("disk on fire at /var/lib/secret")
	r := b.from(t, "127.0.0.1:1", "/api/v1/sources/us-cpsc/quarantine")
	if p := decode[Problem](t, r, 503); p.Code != "unavailable" || bytes.Contains(r.body, []byte("/var/lib")) {
		t.Errorf("%s", r.body)
	}
}

// showing is an operators' token that stays what it is.
func showing(token string) func() string { return func() string { return token } }
