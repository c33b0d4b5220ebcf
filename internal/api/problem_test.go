package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBadRequestsGetTheirProblem(t *testing.T) {
	long := strings.Repeat("9", 1<<20)
	manyUnits := `{"units":[` + strings.Repeat(`{"gtin":"036000291452"},`, 1000) + `{}]}`
	tests := map[string]struct {
		method, target, body string
		headers              []string
		status               int
		code                 string
		says                 []string // parts of the body
	}{
		"unknown parameter like none":      {target: "/api/v1/recalls?since=5", status: 400, code: "unknown_parameter", says: []string{`\"since\" is not a parameter of this call; the nearest one is \"`, `\". It takes q, `}},
		"parameter of the document":        {target: "/openapi.json?x=1", status: 400, code: "unknown_parameter", says: []string{"query.x"}},
		"unknown field like none":          {method: "POST", target: "/api/v1/verdict", body: `{"foo":"036000291452"}`, status: 422, code: "invalid", says: []string{"body.foo is not a field; the fields are gtin, scan, "}},
		"pictures are posted":              {target: "/api/v1/barcode/image", status: 405, code: "method_not_allowed", says: []string{"This address takes POST."}},
		"unknown path":                     {target: "/nowhere", status: 404, code: "not_found"},
		"unknown path of the API":          {target: "/api/v1/nowhere", status: 404, code: "not_found"},
		"unknown notice":                   {target: "/api/v1/recalls/us-cpsc:99-999", status: 404, code: "not_found", says: []string{"us-cpsc:99-999"}},
		"no id at all":                     {target: "/api/v1/recalls/nonsense", status: 404, code: "not_found"},
		"wrong method":                     {method: "POST", target: "/api/v1/recalls", body: "{}", status: 405, code: "method_not_allowed", says: []string{"GET, HEAD"}},
		"GET of a POST":                    {target: "/api/v1/verdict", status: 405, code: "method_not_allowed", says: []string{"POST"}},
		"DELETE of a page":                 {method: "DELETE", target: "/openapi.json", status: 405, code: "method_not_allowed"},
		"unknown parameter":                {target: "/api/v1/recalls?limt=5", status: 400, code: "unknown_parameter", says: []string{`\"limt\"`, `\"limit\"`, "query.limt"}},
		"parameter in the wrong case":      {target: "/api/v1/recalls?Limit=5", status: 400, code: "unknown_parameter", says: []string{`\"limit\"`}},
		"unknown parameter of a barcode":   {target: "/api/barcode?cod=036000291452", status: 400, code: "unknown_parameter", says: []string{`\"code\"`}},
		"parameter where none is taken":    {target: "/api/v1/sources?agency=us-cpsc", status: 400, code: "unknown_parameter", says: []string{"agency"}},
		"code in path and query":           {target: "/api/v1/barcode/036000291452?code=1", status: 400, code: "unknown_parameter"},
		"parameter twice":                  {target: "/api/barcode?code=1&code=2", status: 400, code: "repeated_parameter", says: []string{"query.code"}},
		"broken escape":                    {target: "/api/v1/recalls?q=%zz", status: 400, code: "malformed"},
		"semicolon":                        {target: "/api/v1/recalls?q=a;limit=3", status: 400, code: "malformed"},
		"limit of zero":                    {target: "/api/v1/recalls?limit=0", status: 422, code: "out_of_range", says: []string{"1 to 100"}},
		"limit too high":                   {target: "/api/v1/recalls?limit=101", status: 422, code: "out_of_range", says: []string{"1 to 100", `"value":"101"`}},
		"limit no number":                  {target: "/api/v1/recalls?limit=ten", status: 422, code: "out_of_range", says: []string{"1 to 100"}},
		"limit beyond integers":            {target: "/api/v1/recalls?limit=99999999999999999999", status: 422, code: "out_of_range"},
		"changes: limit too high":          {target: "/api/v1/changes?limit=1001", status: 422, code: "out_of_range", says: []string{"1 to 1000"}},
		"changes: negative serial":         {target: "/api/v1/changes?since=-1", status: 422, code: "out_of_range", says: []string{"0 or above"}},
		"unknown hazard":                   {target: "/api/v1/recalls?hazard=fall,gloom", status: 422, code: "invalid", says: []string{"choking", "carbon_monoxide", "gloom"}},
		"unknown audience":                 {target: "/api/v1/recalls?audience=teenager", status: 422, code: "invalid", says: []string{"infant, child, general"}},
		"unknown sort":                     {target: "/api/v1/recalls?sort=best", status: 422, code: "invalid", says: []string{"relevance, newest, oldest"}},
		"unknown status":                   {target: "/api/v1/recalls?status=closed", status: 422, code: "invalid"},
		"unknown facet":                    {target: "/api/v1/recalls?facets=colour", status: 422, code: "invalid", says: []string{"audience"}},
		"unknown agency":                   {target: "/api/v1/recalls?agency=xx-none", status: 422, code: "invalid", says: []string{"us-cpsc", "eu-safety-gate", "xx-none"}},
		"country no code":                  {target: "/api/v1/recalls?country=France", status: 422, code: "country"},
		"date no date":                     {target: "/api/v1/recalls?published_from=yesterday", status: 422, code: "date"},
		"date that doesn't exist":          {target: "/api/v1/recalls?published_to=2026-02-30", status: 422, code: "date"},
		"dates the wrong way round":        {target: "/api/v1/recalls?published_from=2026-02-03&published_to=2026-02-01", status: 422, code: "out_of_range"},
		"as_of no time":                    {target: "/api/v1/recalls/us-cpsc:26-100?as_of=then", status: 422, code: "date"},
		"broken cursor":                    {target: "/api/v1/recalls?cursor=%2B%2B%2B", status: 422, code: "bad_cursor", says: []string{"query.cursor"}},
		"q too long":                       {target: "/api/v1/recalls?q=" + strings.Repeat("a", 501), status: 422, code: "invalid", says: []string{"500"}},
		"q with control characters":        {target: "/api/v1/recalls?q=%00%01", status: 422, code: "characters"},
		"q in wrong UTF-8":                 {target: "/api/v1/recalls?q=%ff%fe", status: 422, code: "characters"},
		"empty code as parameter":          {target: "/api/barcode?code=", status: 422, code: "length", says: []string{`"suggestions":[]`}},
		"no code at all":                   {target: "/api/v1/barcode", status: 422, code: "length"},
		"code without a value":             {target: "/api/v1/barcode?code", status: 422, code: "length"},
		"empty code in the path":           {target: "/api/v1/barcode/", status: 422, code: "length"},
		"blank code":                       {target: "/api/barcode/%20%20", status: 422, code: "length"},
		"code of a mebibyte in the path":   {target: "/api/v1/barcode/" + long, status: 414, code: "uri_too_long", says: []string{"16384"}},
		"code of a mebibyte in the query":  {target: "/api/barcode?code=" + long, status: 414, code: "uri_too_long"},
		"code in wrong UTF-8":              {target: "/api/v1/barcode/%ff%fe%fd", status: 422, code: "characters", says: []string{`"suggestions":[]`}},
		"binary code":                      {target: "/api/v1/barcode/%00%01%02", status: 422, code: "characters"},
		"wrong check digit":                {target: "/api/v1/barcode/036000291453", status: 422, code: "check_digit", says: []string{`"suggestions":["036000291452"]`, "path.code"}},
		"eleven digits":                    {target: "/api/barcode?code=03600029145", status: 422, code: "length", says: []string{"036000291452"}},
		"letters":                          {target: "/api/barcode?code=stroller", status: 422, says: []string{`"suggestions":[]`}},
		"web address without a code":       {target: "/api/barcode?code=https%3A%2F%2Fexample.org%2F", status: 422, code: "no_gtin"},
		"lot too long":                     {target: "/api/barcode?code=036000291452&lot=" + strings.Repeat("a", 600), status: 422, code: "invalid"},
		"no body":                          {method: "POST", target: "/api/v1/verdict", status: 400, code: "malformed"},
		"body of blanks":                   {method: "POST", target: "/api/v1/verdict", body: "  \n", status: 400, code: "malformed"},
		"broken JSON":                      {method: "POST", target: "/api/v1/verdict", body: `{"gtin":`, status: 400, code: "malformed"},
		"two documents":                    {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"1"} {}`, status: 400, code: "malformed"},
		"body in wrong UTF-8":              {method: "POST", target: "/api/v1/verdict", body: "{\"gtin\":\"\xff\"}", status: 422, code: "characters"},
		"body no object":                   {method: "POST", target: "/api/v1/verdict", body: `["036000291452"]`, status: 422, code: "invalid"},
		"body null":                        {method: "POST", target: "/api/v1/verdict", body: `null`, status: 422, code: "invalid"},
		"empty object":                     {method: "POST", target: "/api/v1/verdict", body: `{}`, status: 422, code: "empty"},
		"blank fields":                     {method: "POST", target: "/api/v1/verdict", body: `{"gtin":" ","brand":""}`, status: 422, code: "empty"},
		"unknown field":                    {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"036000291452","seriel":"1"}`, status: 422, code: "invalid", says: []string{"body.seriel", "serial"}},
		"field in the wrong case":          {method: "POST", target: "/api/v1/verdict", body: `{"GTIN":"036000291452"}`, status: 422, code: "invalid", says: []string{"body.GTIN", "gtin"}},
		"field without a name":             {method: "POST", target: "/api/v1/verdict", body: `{"":"036000291452"}`, status: 422, code: "invalid"},
		"field twice":                      {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"036000291452","lot":"A","lot":"B"}`, status: 422, code: "invalid", says: []string{"body.lot", "twice"}},
		"field of another type":            {method: "POST", target: "/api/v1/verdict", body: `{"gtin":36000291452}`, status: 422, code: "invalid", says: []string{"body.gtin", "string"}},
		"malformed gtin":                   {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"036000291453"}`, status: 422, code: "check_digit", says: []string{"body.gtin", `"suggestions":["036000291452"]`}},
		"malformed scan":                   {method: "POST", target: "/api/v1/verdict", body: `{"scan":"abc"}`, status: 422, says: []string{"body.scan"}},
		"date no date in a unit":           {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"036000291452","made_on":"soon"}`, status: 422, code: "date", says: []string{"body.made_on"}},
		"country no code in a unit":        {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"036000291452","country":"Narnia"}`, status: 422, code: "country"},
		"field too long":                   {method: "POST", target: "/api/v1/verdict", body: `{"name":"` + strings.Repeat("a", 600) + `"}`, status: 422, code: "too_long"},
		"code of a mebibyte in a body":     {method: "POST", target: "/api/v1/verdict", body: `{"gtin":"` + long + `"}`, status: 413, code: "too_large", says: []string{"65536"}},
		"body of another type":             {method: "POST", target: "/api/v1/verdict", body: `gtin=036000291452`, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media_type"},
		"compressed body":                  {method: "POST", target: "/api/v1/verdict", body: `{}`, headers: []string{"Content-Encoding", "gzip"}, status: 415, code: "unsupported_media_type"},
		"verdict with a parameter":         {method: "POST", target: "/api/v1/verdict?lot=A", body: `{"gtin":"036000291452"}`, status: 400, code: "unknown_parameter"},
		"batch of 1,001":                   {method: "POST", target: "/api/v1/verdict/batch", body: manyUnits, status: 422, code: "out_of_range", says: []string{"0 to 1000", "1001"}},
		"batch without units":              {method: "POST", target: "/api/v1/verdict/batch", body: `{}`, status: 422, code: "invalid", says: []string{"body.units"}},
		"batch of null":                    {method: "POST", target: "/api/v1/verdict/batch", body: `{"units":null}`, status: 422, code: "invalid"},
		"batch that is a list":             {method: "POST", target: "/api/v1/verdict/batch", body: `[{}]`, status: 422, code: "invalid"},
		"batch with an unknown field":      {method: "POST", target: "/api/v1/verdict/batch", body: `{"units":[],"mode":"fast"}`, status: 422, code: "invalid", says: []string{"body.mode"}},
		"batch above four mebibytes":       {method: "POST", target: "/api/v1/verdict/batch", body: `{"units":["` + strings.Repeat("a", 4<<20) + `"]}`, status: 413, code: "too_large"},
		"batch with broken JSON":           {method: "POST", target: "/api/v1/verdict/batch", body: `{"units":[{]}`, status: 400, code: "malformed"},
		"revisions of an unknown notice":   {target: "/api/v1/recalls/us-cpsc:99-999/revisions", status: 404, code: "not_found"},
		"as_of before it was known":        {target: "/api/v1/recalls/us-cpsc:26-100?as_of=1999-01-01", status: 404, code: "not_found"},
		"id in wrong UTF-8":                {target: "/api/v1/recalls/us-cpsc:%ff", status: 422, code: "characters"},
		"list of more values than is read": {target: "/api/v1/recalls?category=" + strings.Repeat("a,", 101), status: 422, code: "out_of_range"},
	}
	b := newBench(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			method := test.method
			if method == "" {
				method = http.MethodGet
			}
			r := b.do(t, method, test.target, test.body, test.headers...)
			p := decode[Problem](t, r, test.status)
			if test.code != "" && p.Code != test.code {
				t.Errorf("code %q, want %q in %s", p.Code, test.code, r.body)
			}
			if p.Status != test.status || p.Type != "/docs/errors#"+p.Code || p.Title == "" || p.Detail == "" || p.Instance == "" || len(p.TraceID) != 32 {
				t.Errorf("incomplete problem: %s", r.body)
			}
			if len(p.Instance) > 200 {
				t.Errorf("instance has %d bytes", len(p.Instance))
			}
			for _, f := range p.Errors {
				if len([]rune(f.Value)) > 100 {
					t.Errorf("value of %s has %d characters", f.Location, len([]rune(f.Value)))
				}
			}
			for _, part := range test.says {
				if !strings.Contains(string(r.body), part) {
					t.Errorf("%s doesn't say %q", r.body, part)
				}
			}
			if got := r.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			if r.Header.Get("ETag") != "" {
				t.Errorf("an error has an ETag")
			}
		})
	}
}

func TestMethodNotAllowedListsWhatIsAllowed(t *testing.T) {
	b := newBench(t)
	if got := b.do(t, http.MethodPut, "/api/v1/verdict", "{}").Header.Get("Allow"); got != "POST" {
		t.Errorf("Allow of /api/v1/verdict: %q", got)
	}
	for _, path := range imagePaths {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
			if r := b.do(t, method, path, ""); r.StatusCode != 405 || r.Header.Get("Allow") != "POST" {
				t.Errorf("%s %s: %d, Allow %q", method, path, r.StatusCode, r.Header.Get("Allow"))
			}
		}
	}
	if got := b.do(t, http.MethodPut, "/api/v1/barcode/036000291452", "{}").Header.Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow of a barcode: %q", got)
	}
}

func TestShownValues(t *testing.T) {
	tests := map[string]struct{ location, value, want string }{
		"short":               {"query.q", "stroller", "stroller"},
		"long":                {"query.q", strings.Repeat("é", 150), strings.Repeat("é", 100)},
		"wrong UTF-8":         {"query.q", "a\xffb", "a\uFFFDb"},
		"password":            {"body.password", "hunter2", ""},
		"new password":        {"body.new_password", "hunter2", ""},
		"refresh token":       {"body.refresh_token", "abc", ""},
		"API key":             {"header.X-API-Key", "abc", ""},
		"key below something": {"body.users[3].apiKey", "abc", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := shown(test.location, test.value); got != test.want {
				t.Errorf("shown(%q, %q) = %q, want %q", test.location, test.value, got, test.want)
			}
		})
	}
}

func TestOnlyScalarsAreRepeated(t *testing.T) {
	for _, value := range []any{map[string]any{"password": "hunter2"}, []any{"hunter2"}, nil} {
		if got := scalar("body.account", value); got != "" {
			t.Errorf("scalar(%v) = %q", value, got)
		}
	}
	if got := scalar("body", `{"password":"hunter2"}`); got != "" {
		t.Errorf("a whole body was repeated: %q", got)
	}
	if got := scalar("query.limit", int64(500)); got != "500" {
		t.Errorf("scalar(500) = %q", got)
	}
}

func TestServerErrorsTellNothingOfTheInside(t *testing.T) {
	p := problemOf(http.StatusInternalServerError, "sql: no such table notices at db.internal:5432", nil)
	if diff := cmp.Diff(kindOf("internal").Meaning, p.Detail); diff != "" {
		t.Error(diff)
	}
}

func TestEveryCodeHasOneMeaning(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if seen[k.Code] || k.Title == "" || k.Meaning == "" || k.Status < 400 {
			t.Errorf("bad entry %+v", k)
		}
		seen[k.Code] = true
	}
}

// pages stands in for the human pages.
type pages struct{ http.Handler }

func (pages) Error(w http.ResponseWriter, _ *http.Request, status int, requestID string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte("a friendly page " + requestID))
}

func TestBrowsersGetAPageForErrorsOutsideTheAPI(t *testing.T) {
	b := newBench(t, func(d *Dependencies) { d.Pages = pages{http.NotFoundHandler()} })
	r := b.get(t, "/nowhere", "Accept", "text/html,*/*", "X-Request-Id", "r1")
	if r.StatusCode != 404 || string(r.body) != "a friendly page r1" {
		t.Errorf("browser: %d %s", r.StatusCode, r.body)
	}
	decode[Problem](t, b.get(t, "/nowhere"), 404)
	decode[Problem](t, b.get(t, "/api/v1/nowhere", "Accept", "text/html"), 404)
}

func TestDeepCallersSeeTheirOwnTrace(t *testing.T) {
	b := newBench(t)
	req := httptest.NewRequest(http.MethodGet, "/nowhere", nil)
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	if !strings.Contains(rec.Body.String(), `"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"`) {
		t.Errorf("problem without the caller's trace id: %s", rec.Body)
	}
	got := rec.Header().Get("Traceparent")
	if !strings.HasPrefix(got, "00-4bf92f3577b34da6a3ce929d0e0e4736-") || strings.Contains(got, "00f067aa0ba902b7") || !strings.HasSuffix(got, "-01") {
		t.Errorf("traceparent %q doesn't continue the caller's", got)
	}
}
