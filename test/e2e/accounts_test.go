package e2e

import (
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

const (
	adasAddress  = "ada@example.org"
	adasPassword = "velvet-otter-climbs-37"
)

// letter waits for the n-th letter in the data directory and returns the token in it.
func letter(t *testing.T, data string, n int) (token string) {
	t.Helper()
	testenv.Eventually(t, program.Patience, "a letter", func() bool {
		files, _ := filepath.Glob(filepath.Join(data, "mail", "*.eml")) // sorted by time
		if len(files) < n {
			return false
		}
		raw, err := os.ReadFile(files[n-1])
		if err != nil {
			return false
		}
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(raw))))
		token = regexp.MustCompile(`crs_[vp][tr]_[0-9A-Za-z]{49}`).FindString(string(text))
		return err == nil && token != ""
	})
	return token
}

func credentials(password string) string {
	return `{"email":"` + adasAddress + `","password":"` + password + `"}`
}

// TestALifeOfAnAccount goes through it as clients do, with the real binary.
func TestALifeOfAnAccount(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := program.Serve(t, data)
	want := func(status int, resp *http.Response) {
		t.Helper()
		if resp.StatusCode != status {
			t.Fatalf("%s %s: %d, want %d", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, status)
		}
	}
	testenv.Eventually(t, program.Patience, "word of the first administrator", func() bool { return strings.Contains(s.Logs.String(), "there is no administrator yet") })
	var problem struct{ Code string }
	want(422, s.Do("POST", "/api/v1/auth/register", credentials("password1234"), &problem))
	if problem.Code != "weak_password" {
		t.Errorf("code %s", problem.Code)
	}
	want(202, s.Do("POST", "/api/v1/auth/register", credentials(adasPassword), nil))
	want(200, s.Do("POST", "/api/v1/auth/verify", `{"token":"`+letter(t, data, 1)+`"}`, nil))
	before := s.Metrics()
	want(401, s.Do("POST", "/api/v1/auth/login", credentials("something-else-entirely"), nil))
	if n := s.Metrics()[`crownsafe_logins_total{outcome="refused"}`] - before[`crownsafe_logins_total{outcome="refused"}`]; n != 1 {
		t.Errorf("%v refused sign-ins were counted of 1", n)
	}
	var in struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		User         struct {
			EmailVerified bool `json:"email_verified"`
		}
	}
	want(200, s.Do("POST", "/api/v1/auth/login", credentials(adasPassword), &in))
	if !in.User.EmailVerified {
		t.Error("the address isn't confirmed")
	}
	bearer := "Authorization: Bearer " + in.AccessToken
	var key struct{ ID, Key string }
	want(201, s.Do("POST", "/api/v1/keys", `{"name":"shop","scopes":["lookup","account"]}`, &key, bearer))
	want(200, s.Do("GET", "/api/v1/me", "", nil, "X-API-Key: "+key.Key))
	want(403, s.Do("GET", "/api/v1/keys", "", nil, "X-API-Key: "+key.Key))
	want(403, s.Do("GET", "/api/v1/monitoring/database", "", nil, bearer))
	promoted := program.Run(t, nil, "user", "role", adasAddress, "operator", "--data", data)
	if promoted.Code != 0 || !strings.Contains(promoted.Stdout, "operator") {
		t.Fatalf("%+v", promoted)
	}
	testenv.Eventually(t, program.Patience, "the new role", func() bool { return s.Do("GET", "/api/v1/monitoring/database", "", nil, bearer).StatusCode == 200 })
	want(204, s.Do("DELETE", "/api/v1/keys/"+key.ID, "", nil, bearer))
	want(401, s.Do("GET", "/api/v1/me", "", nil, "X-API-Key: "+key.Key))
	want(200, s.Do("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+in.RefreshToken+`"}`, nil))
	want(401, s.Do("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+in.RefreshToken+`"}`, nil))
	want(401, s.Do("GET", "/api/v1/me", "", nil, bearer)) // somebody has a copy
	want(200, s.Do("POST", "/api/v1/auth/login", credentials(adasPassword), &in))
	bearer = "Authorization: Bearer " + in.AccessToken
	want(422, s.Do("DELETE", "/api/v1/me", `{"password":"something-else-entirely"}`, nil, bearer))
	want(204, s.Do("DELETE", "/api/v1/me", `{"password":"`+adasPassword+`"}`, nil, bearer))
	want(401, s.Do("GET", "/api/v1/me", "", nil, bearer))
	for _, secret := range []string{adasPassword, adasAddress, in.AccessToken, in.RefreshToken, key.Key, "something-else-entirely"} {
		if strings.Contains(s.Logs.String(), secret) {
			t.Errorf("the log has %.12s…", secret)
		}
	}
}

// TestSigningInWithABrowser uses the forms, which work without scripts.
func TestSigningInWithABrowser(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	cmd := program.Command(t.Context(), nil, "user", "create", "--role", "operator", adasAddress, "--data", data)
	cmd.Stdin = strings.NewReader(adasPassword + "\n")
	if made := program.Finish(t, cmd); made.Code != 0 {
		t.Fatalf("%+v", made)
	}
	s := program.Serve(t, data, "CROWNSAFE_OPS_TOKEN=a-token-of-the-operators-that-is-long")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	status := func(resp *http.Response, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	post := func(path string, form url.Values) int { return status(browser.PostForm(s.Base+path, form)) }
	if got := status(browser.Get(s.Base + "/api/v1/monitoring/database")); got != 401 {
		t.Errorf("before: %d", got)
	}
	if got := post("/signin", url.Values{"email": {adasAddress}, "password": {"something-else-entirely"}}); got != 401 {
		t.Errorf("with a wrong password: %d", got)
	}
	for name, form := range map[string]url.Values{
		"password": {"email": {adasAddress}, "password": {adasPassword}}, "token": {"token": {"a-token-of-the-operators-that-is-long"}},
	} {
		if got := post("/signin", form); got != 200 {
			t.Errorf("signing in by %s: %d", name, got)
		}
		if got := status(browser.Get(s.Base + "/api/v1/monitoring/database")); got != 200 {
			t.Errorf("signed in by %s: %d", name, got)
		}
		foreign, err := http.NewRequest(http.MethodPost, s.Base+"/signout", nil)
		if err != nil {
			t.Fatal(err)
		}
		foreign.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := status(browser.Do(foreign)); got != 403 {
			t.Errorf("a form of another site: %d", got)
		}
		if got := post("/signout", nil); got != 200 {
			t.Errorf("signing out: %d", got)
		}
		if got := status(browser.Get(s.Base + "/api/v1/monitoring/database")); got != 401 {
			t.Errorf("signed out: %d", got)
		}
	}
}
