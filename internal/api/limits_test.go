package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/mail"
	"github.com/crownsafe/api/internal/ratelimit"
	"github.com/crownsafe/api/internal/ratelimit/memory"
	"github.com/crownsafe/api/internal/store/sqlite"
)

// limited gives a bench limits of its own, on the bench's clock. Nothing comes back
// while the clock stands still.
func limited(b **bench, change ...func(*Limits)) func(*Dependencies) {
	return func(d *Dependencies) {
		perHour := func(name string, burst int64) ratelimit.Limit {
			return ratelimit.Limit{Name: name, Count: 60, Per: time.Hour, Burst: burst}
		}
		buckets := memory.Open(memory.Options{Now: func() time.Time { return (*b).clock }})
		d.Limits = Limits{
			Limiter: ratelimit.New(buckets, nil, ratelimit.Options{}), Addresses: perHour("address", 120), Keys: perHour("key", 200), Users: perHour("user", 250),
			SignIns: perHour("sign-in", 5), Operating: perHour("operator", 150), Refused: perHour("refused", 10),
			AccountExports: perHour("account-export", 3), KeyChanges: perHour("key-change", 4),
		}
		for _, c := range change {
			c(&d.Limits)
		}
	}
}

func limitedBench(t testing.TB, change ...func(*Limits)) *bench {
	t.Helper()
	b := &bench{clock: start}
	b = wholeBench(t, limited(&b, change...))
	return b
}

// call asks from an address, as somebody.
func (b *bench) call(address, pattern, name string) *http.Response {
	r := asked(pattern)
	r.RemoteAddr = address
	show(r, name)
	return b.answer(r)
}

// until asks until it is refused, and returns how often it was let through.
func (b *bench) until(t *testing.T, address, pattern, name string) int {
	t.Helper()
	for n := range 1000 {
		if res := b.call(address, pattern, name); res.StatusCode == http.StatusTooManyRequests {
			return n
		} else if res.StatusCode >= 500 {
			t.Fatalf("%s as %q: %d", pattern, name, res.StatusCode)
		}
	}
	t.Fatalf("%s as %q is never refused", pattern, name)
	return 0
}

const from1, from2 = "192.0.2.1:1000", "192.0.2.2:1000"

func TestLimits(t *testing.T) {
	const lookup, pictures, operated = "GET /api/v1/sources", "POST /photo", "GET /api/v1/monitoring/database"
	for name, c := range map[string]struct {
		address, pattern, caller string
		want                     int
	}{
		"an address":                            {from1, lookup, "nothing", 120},
		"answers from memory":                   {from1, "GET /api/v1/barcode/{code}", "nothing", 120},
		"what isn't there costs too":            {from1, "GET /api/v1/recalls/{id}", "nothing", 120},
		"pages":                                 {from1, "GET /{$}", "nothing", 120},
		"the document":                          {from1, "GET /openapi.json", "nothing", 120},
		"a photograph costs ten":                {from1, pictures, "nothing", 12},
		"an export costs ten":                   {from1, "GET /api/v1/export/recalls.ndjson.gz", "nothing", 12},
		"a key":                                 {from1, lookup, "key lookup", 200},
		"a key for something else":              {from1, lookup, "key account", 120},
		"a user":                                {from1, lookup, "Bearer member", 250},
		"an operator":                           {from1, operated, "Bearer operator", 150},
		"an operator's key":                     {from1, operated, "key monitor", 150},
		"the operator's token":                  {from1, operated, "Bearer " + operatorsToken, 150},
		"the operator's token on lookups":       {from1, lookup, "Bearer " + operatorsToken, 150},
		"nobody at what is for operators":       {from1, operated, "nothing", 150},
		"a member at what is for operators":     {from1, operated, "Bearer member", 150},
		"who shows what isn't good":             {from1, lookup, "Bearer wrong", 10},
		"who guesses keys":                      {from1, operated, "key wrong", 10},
		"a peer that has no address (a socket)": {"@", lookup, "nothing", 120},
	} {
		t.Run(name, func(t *testing.T) {
			b := limitedBench(t)
			if got := b.until(t, c.address, c.pattern, c.caller); got != c.want {
				t.Errorf("%d were let through, want %d", got, c.want)
			}
		})
	}
}

// TestUsersLengthenTheAuditLogSeldom, each user by themselves, with all their keys.
func TestUsersLengthenTheAuditLogSeldom(t *testing.T) {
	t.Parallel()
	for pattern, most := range map[string]int{"GET /api/v1/me/export": 3, "POST /api/v1/keys": 4, "DELETE /api/v1/keys/{id}": 4} {
		b := limitedBench(t)
		for i := range most + 1 {
			res := b.call(from1, pattern, "Bearer member")
			if late := res.StatusCode == 429; late != (i == most) {
				t.Errorf("%s for the %d. time: %d", pattern, i+1, res.StatusCode)
			}
		}
		if res := b.call(from1, pattern, "Bearer other-member"); res.StatusCode == 429 {
			t.Errorf("%s: another user is limited too", pattern)
		}
		if res := b.call(from2, "GET /api/v1/me/export", "key account"); (res.StatusCode == 429) != (pattern == "GET /api/v1/me/export") {
			t.Errorf("%s, then an export with a key: %d", pattern, res.StatusCode)
		}
	}
}

func TestLimitsAreEachCallersOwn(t *testing.T) {
	const lookup = "GET /api/v1/sources"
	b := limitedBench(t)
	b.until(t, from1, lookup, "nothing")
	if res := b.call(from2, lookup, "nothing"); res.StatusCode != 200 {
		t.Errorf("another address: %d", res.StatusCode)
	}
	if res := b.call(from1, lookup, "key lookup"); res.StatusCode != 200 {
		t.Errorf("a key from the same address: %d", res.StatusCode)
	}
	b.until(t, "[2001:db8:1:2::1]:5", lookup, "nothing")
	if res := b.call("[2001:db8:1:2:3:4:5:6]:5", lookup, "nothing"); res.StatusCode != 429 {
		t.Errorf("the same /64: %d", res.StatusCode)
	}
	if res := b.call("[2001:db8:1:3::1]:5", lookup, "nothing"); res.StatusCode != 200 {
		t.Errorf("another /64: %d", res.StatusCode)
	}
	if res := b.call("[::ffff:192.0.2.1]:5", lookup, "nothing"); res.StatusCode != 429 {
		t.Errorf("the same address as IPv6: %d", res.StatusCode)
	}
	b.until(t, from2, lookup, "Bearer wrong")
	if res := b.call(from2, lookup, "key lookup"); res.StatusCode != 200 {
		t.Errorf("a good key behind the address of who guesses: %d", res.StatusCode)
	}
}

// TestWhatIsNeverLimited: probes, static files, and addresses that are signed.
func TestWhatIsNeverLimited(t *testing.T) {
	b := limitedBench(t)
	b.until(t, from1, "GET /api/v1/sources", "nothing")
	for _, pattern := range []string{"GET /health", "GET /api/readyz", "GET /api/healthz", "GET /static/", "/blobs/"} {
		for range 300 {
			res := b.call(from1, pattern, "nothing")
			if res.StatusCode == 429 || res.Header.Get(limitHeader) != "" {
				t.Fatalf("%s: %d %q", pattern, res.StatusCode, res.Header.Get(limitHeader))
			}
		}
	}
	for range 300 {
		if res := b.call(from1, "GET /metrics", "Bearer "+operatorsToken); res.StatusCode != 200 {
			t.Fatalf("/metrics: %d", res.StatusCode)
		}
	}
}

func TestHeadersOfLimits(t *testing.T) {
	b := limitedBench(t)
	const barcode = "GET /api/v1/barcode/{code}"
	for i := range 3 { // computed, then from memory
		res := b.call(from1, barcode, "nothing")
		if got, want := res.Header.Get("RateLimit-Policy"), `"address";q=120;w=7200`; got != want {
			t.Errorf("policy %s, want %s", got, want)
		}
		if got, want := res.Header.Get("RateLimit"), fmt.Sprintf(`"address";r=%d;t=%d`, 119-i, 60*(i+1)); got != want {
			t.Errorf("limit %s, want %s", got, want)
		}
	}
	b.until(t, from1, barcode, "nothing")
	res := b.call(from1, barcode, "nothing")
	p := decode[Problem](t, reply{res, body(t, res)}, 429)
	if p.Code != "rate_limited" || res.Header.Get("Retry-After") != "60" || !strings.HasPrefix(res.Header.Get("RateLimit"), `"address";r=0;t=`) {
		t.Errorf("%+v, %v", p, res.Header)
	}
	wait, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(time.Duration(wait) * time.Second)
	if res := b.call(from1, barcode, "nothing"); res.StatusCode != 200 {
		t.Errorf("after Retry-After: %d", res.StatusCode)
	}
	if res := b.call(from1, barcode, "nothing"); res.StatusCode != 429 {
		t.Errorf("and once more: %d", res.StatusCode)
	}
}

func units(n int) string {
	return `{"units":[` + strings.TrimSuffix(strings.Repeat(`{"lot":"A"},`, n), ",") + `]}`
}

// TestBatchesCostWhatTheyHold is charged when the body has been read.
func TestBatchesCostWhatTheyHold(t *testing.T) {
	for count, cost := range map[int]int{0: 1, 1: 1, 10: 1, 11: 2, 100: 10, 101: 11, 1000: 100} {
		b := limitedBench(t)
		r := b.do(t, "POST", "/api/v1/verdict/batch", units(count))
		if want := fmt.Sprintf(`"address";r=%d;t=%d`, 120-cost, 60*cost); r.StatusCode != 200 || r.Header.Get("RateLimit") != want {
			t.Errorf("%d units: %d %s, want %s", count, r.StatusCode, r.Header.Get("RateLimit"), want)
		}
	}
	b := limitedBench(t)
	if r := b.do(t, "POST", "/api/v1/verdict/batch", units(1000)); r.StatusCode != 200 {
		t.Fatalf("%d", r.StatusCode)
	}
	r := b.do(t, "POST", "/api/v1/verdict/batch", units(1000))
	if p := decode[Problem](t, r, 429); p.Code != "rate_limited" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	small := limitedBench(t, func(l *Limits) { l.Addresses.Burst = 50 })
	r = small.do(t, "POST", "/api/v1/verdict/batch", units(1000))
	if p := decode[Problem](t, r, 413); p.Code != "too_large" || r.Header.Get("Retry-After") != "" {
		t.Errorf("what never fits: %+v", p)
	}
}

// peopled is a limited bench with accounts in a store: ada's, with her password.
func peopled(t *testing.T) *bench {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "accounts.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{clock: start}
	seed := make([]byte, 32)
	accounts := auth.New(auth.Options{
		Store: st, Seeds: func() [][]byte { return [][]byte{seed} }, PublicURL: "https://recalls.example", Post: nowhere{}, Cost: bcrypt.MinCost,
		Now: func() time.Time { return b.clock },
	})
	if _, err := accounts.CreateUser(t.Context(), ada, adasPassword, account.Member); err != nil {
		t.Fatal(err)
	}
	b = wholeBench(t, limited(&b), func(d *Dependencies) { d.Accounts = accounts })
	return b
}

const ada, adasPassword = "ada@example.org", "seven plums in a teapot"

// nowhere takes letters that nobody reads.
type nowhere struct{}

func (nowhere) Send(mail.Message) error { return nil }
func (nowhere) Full() bool              { return false }

// sendFrom sends a body from the n-th network.
func (b *bench) sendFrom(n int, path, content string) *http.Response {
	return b.sendAs(fmt.Sprintf("198.51.%d.1", n), path, content)
}

// sendAs sends a body from an address.
func (b *bench) sendAs(address, path, content string) *http.Response {
	r := httptest.NewRequest("POST", path, strings.NewReader(content))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	if !strings.HasPrefix(content, "{") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = address + ":1000"
	return b.answer(r)
}

// TestAccountsHaveLimits whoever asks, from wherever, however the address is spelled
// and whether somebody has it or not.
func TestAccountsHaveLimits(t *testing.T) {
	t.Parallel()
	const login, reset, verify, register = "/api/v1/auth/login", "/api/v1/auth/reset", "/api/v1/auth/verify", "/api/v1/auth/register"
	for name, c := range map[string]struct{ path, content, spelled, other string }{
		"signing in":        {login, `{"email":"ada@example.org","password":"a guess at it"}`, `{"email":"ADA@Example.org","password":"another"}`, `{"email":"b@example.org","password":"a"}`},
		"nobody's":          {login, `{"email":"no@example.org","password":"a guess at it"}`, `{"email":"No@example.ORG","password":"a guess at it"}`, `{"email":"b@example.org","password":"a"}`},
		"letters to reset":  {reset, `{"email":"ada@example.org"}`, `{"email":"ADA@Example.org"}`, `{"email":"b@example.org"}`},
		"letters to verify": {verify, `{"email":"ada@example.org"}`, `{"email":"ADA@Example.org"}`, `{"email":"b@example.org"}`},
		"registering":       {register, `{"email":"c@example.org","password":"nine pears, one kettle"}`, `{"email":"C@example.org","password":"nine pears, one kettle"}`, `{"email":"b@example.org","password":"nine pears, one kettle"}`},
		"the page":          {"/signin", "email=ada%40example.org&password=guess", "email=ADA%40example.org&password=guess", "email=b%40example.org&password=guess"},
		"letters by a page": {"/reset", "email=ada%40example.org", "email=ADA%40example.org", "email=b%40example.org"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := peopled(t)
			for n := range 5 {
				if res := b.sendFrom(n, c.path, c.content); res.StatusCode == 429 || res.StatusCode >= 500 {
					t.Fatalf("attempt %d: %d %s", n+1, res.StatusCode, body(t, res))
				}
			}
			if res := b.sendFrom(6, c.path, c.spelled); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
				t.Errorf("the sixth: %d %v", res.StatusCode, res.Header)
			}
			if res := b.sendFrom(6, c.path, c.other); res.StatusCode == 429 {
				t.Error("another account is limited too")
			}
		})
	}
}

// TestGuessesKeepNobodyOut of where they are signed in already, nor from a letter.
func TestGuessesKeepNobodyOut(t *testing.T) {
	t.Parallel()
	b := peopled(t)
	right := `{"email":"ada@example.org","password":"` + adasPassword + `"}`
	const home = 200
	if res := b.sendFrom(home, "/api/v1/auth/login", right); res.StatusCode != 200 {
		t.Fatalf("signing in: %d %s", res.StatusCode, body(t, res))
	}
	for n := range 10 {
		b.sendFrom(n, "/api/v1/auth/login", `{"email":"ada@example.org","password":"a guess at it"}`)
	}
	if res := b.sendFrom(home+1, "/api/v1/auth/login", right); res.StatusCode != 429 {
		t.Errorf("from elsewhere: %d", res.StatusCode)
	}
	if res := b.sendFrom(home, "/api/v1/auth/login", right); res.StatusCode != 200 {
		t.Errorf("from where she is signed in: %d %s", res.StatusCode, body(t, res))
	}
	// Her neighbours share what is left to her network, which is hers alone.
	for n := range 10 {
		b.sendAs(fmt.Sprintf("198.51.%d.%d", home, 10+n), "/api/v1/auth/login", `{"email":"ada@example.org","password":"a guess at it"}`)
	}
	if res := b.sendFrom(home, "/api/v1/auth/login", right); res.StatusCode != 429 {
		t.Errorf("behind neighbours who guess: %d", res.StatusCode)
	}
	b.clock = b.clock.Add(time.Hour)
	if res := b.sendFrom(home, "/api/v1/auth/login", right); res.StatusCode != 200 {
		t.Errorf("when they have given up: %d %s", res.StatusCode, body(t, res))
	}
	if res := b.sendFrom(home+1, "/api/v1/auth/reset", `{"email":"ada@example.org"}`); res.StatusCode != 202 {
		t.Errorf("asking for a letter: %d", res.StatusCode)
	}
}

func TestClientAddresses(t *testing.T) {
	t.Parallel()
	trusted := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	newer := Proxies{Networks: trusted.Networks, Forwarded: true}
	for name, c := range map[string]struct {
		proxies Proxies
		peer    string
		headers []string
		want    string
	}{
		"nobody is trusted":              {Proxies{}, "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.7"}, "10.0.0.1"},
		"a stranger says so":             {trusted, "192.0.2.1:1", []string{"X-Forwarded-For: 198.51.100.7"}, "192.0.2.1"},
		"a proxy":                        {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.7"}, "192.0.2.7"},
		"by IPv6":                        {trusted, "[fd00::1]:1", []string{"X-Forwarded-For: 2001:db8::7"}, "2001:db8::7"},
		"mapped":                         {trusted, "[::ffff:10.0.0.1]:1", []string{"X-Forwarded-For: ::ffff:192.0.2.7"}, "192.0.2.7"},
		"what the client invented":       {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 127.0.0.1, 10.9.9.9, 192.0.2.7"}, "192.0.2.7"},
		"through two proxies":            {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 1.2.3.4, 192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		"in two headers":                 {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 10.0.0.2"}, "192.0.2.7"},
		"only proxies":                   {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"with a port":                    {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.7:4711"}, "192.0.2.7"},
		"IPv6 with a port":               {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: [2001:db8::7]:4711"}, "2001:db8::7"},
		"IPv6 in brackets":               {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: [2001:db8::7]"}, "2001:db8::7"},
		"a zone":                         {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: fe80::7%eth0"}, "fe80::7"},
		"nonsense stops at who wrote it": {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: 192.0.2.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		"nothing but nonsense":           {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: <script>"}, "10.0.0.1"},
		"an empty header":                {trusted, "10.0.0.1:1", []string{"X-Forwarded-For: "}, "10.0.0.1"},
		"no header":                      {trusted, "10.0.0.1:1", nil, "10.0.0.1"},
		"Forwarded":                      {newer, "10.0.0.1:1", []string{`Forwarded: for=1.2.3.4, for="[2001:db8::7]:80";proto=https;by=10.0.0.1`}, "2001:db8::7"},
		"Forwarded in capitals":          {newer, "10.0.0.1:1", []string{`Forwarded: Proto=https;For=192.0.2.7`}, "192.0.2.7"},
		"Forwarded that hides who":       {newer, "10.0.0.1:1", []string{`Forwarded: for=_hidden`}, "10.0.0.1"},
		"the newer one isn't asked for":  {trusted, "10.0.0.1:1", []string{"Forwarded: for=1.2.3.4"}, "10.0.0.1"},
		"the older one isn't asked for":  {newer, "10.0.0.1:1", []string{"X-Forwarded-For: 1.2.3.4"}, "10.0.0.1"},
		"both, and the newer one counts": {newer, "10.0.0.1:1", []string{"Forwarded: for=192.0.2.7", "X-Forwarded-For: 1.2.3.4"}, "192.0.2.7"},
		"both, and the older one counts": {trusted, "10.0.0.1:1", []string{"Forwarded: for=1.2.3.4", "X-Forwarded-For: 192.0.2.7"}, "192.0.2.7"},
		"no address at all":              {trusted, "@", []string{"X-Forwarded-For: 192.0.2.7"}, "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		for _, h := range c.headers {
			key, value, _ := strings.Cut(h, ": ")
			r.Header.Add(key, value)
		}
		if got := c.proxies.client(r).String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func FuzzClientAddress(f *testing.F) {
	f.Add("1.2.3.4, [::1]:80", "for=1.2.3.4;proto=http, for=\"[::1]\"")
	everybody := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	f.Fuzz(func(t *testing.T, forwardedFor, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["X-Forwarded-For"], r.Header["Forwarded"] = []string{forwardedFor}, []string{forwarded}
		for _, p := range []Proxies{{everybody, false}, {everybody, true}} {
			if a := p.client(r); !a.IsValid() {
				t.Errorf("%q %q: no address", forwardedFor, forwarded)
			}
			p.secure(r)
		}
	})
}
