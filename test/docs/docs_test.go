package docs

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/reference"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

var update = flag.Bool("update", false, "ask the program, and write internal/api/examples.json anew")

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

const (
	manuals      = "../../docs"
	examplesPath = "../../internal/api/examples.json"
)

// letter waits for the first letter and returns the token in it.
func letter(t *testing.T, data string) (token string) {
	testenv.Eventually(t, program.Patience, "a letter", func() bool {
		files, err := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
		if err != nil || len(files) == 0 {
			return false
		}
		raw, err := os.ReadFile(files[0])
		token = regexp.MustCompile(`crs_vt_[0-9A-Za-z]{49}`).FindString(strings.ReplaceAll(string(raw), "=\r\n", ""))
		return err == nil && token != ""
	})
	return token
}

// document is what crownsafe docs writes from.
func document(t *testing.T) *reference.Document {
	t.Helper()
	d, err := reference.Parse(api.OpenAPI("2.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// operations are the document's, by their ids.
func operations(t *testing.T) map[string]*reference.Operation {
	t.Helper()
	byID := map[string]*reference.Operation{}
	for _, group := range document(t).Groups {
		for _, op := range group.Operations {
			byID[op.ID] = op
		}
	}
	return byID
}

// asked is an exchange's question.
func asked(t *testing.T, ops map[string]*reference.Operation, e *exchange) reference.Request {
	t.Helper()
	op := ops[e.Operation]
	if op == nil {
		t.Fatalf("there is no operation %s", e.Operation)
	}
	return op.Request(&reference.Example{Name: e.Name, Parameters: e.Parameters, Body: e.Body, File: e.File, Status: e.Status})
}

// TestExamplesAreWhatTheProgramAnswers asks the real program everything that the
// document has an example of.
func TestExamplesAreWhatTheProgramAnswers(t *testing.T) {
	t.Parallel()
	s, ops, list := startStage(t), operations(t), exchanges()
	s.awaitAudit()
	for i := range list {
		s.record(ops, &list[i])
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(list); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(examplesPath, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(examplesPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), out.String()); diff != "" {
		t.Errorf("the program doesn't answer what %s says; look at the difference, and run make docs:\n%s", examplesPath, diff)
	}
	for id := range ops {
		if !strings.Contains(out.String(), `"operation": "`+id+`"`) {
			t.Errorf("there is no example of %s", id)
		}
	}
}

// record asks and fills in what was answered.
func (s *stage) record(ops map[string]*reference.Operation, e *exchange) {
	s.t.Helper()
	r := asked(s.t, ops, e)
	var body io.Reader
	switch {
	case r.File != "":
		raw, err := os.ReadFile(filepath.Join(manuals, r.File))
		if err != nil {
			s.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	case r.Body != "":
		body = strings.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), r.Method, s.URL+r.Target, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.ContentType != "" {
		req.Header.Set("Content-Type", r.ContentType)
	}
	if r.Secret != "" {
		req.Header.Set("Authorization", "Bearer "+secrets[r.Secret])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != e.Status {
		s.t.Errorf("%s, %s: %d, want %d: %.500s", e.Operation, e.Name, resp.StatusCode, e.Status, answer)
	}
	e.Type, _, _ = strings.Cut(resp.Header.Get("Content-Type"), ";")
	if strings.Contains(e.Type, "json") && len(answer) > 0 {
		e.Answer = answer
	}
}

// secrets are what samples find in their environment.
var secrets = map[string]string{reference.TokenVariable: placeholderAccess, reference.OperatorVariable: opsToken}

// awaitAudit waits for the first security audit, of which examples tell.
func (s *stage) awaitAudit() {
	s.t.Helper()
	testenv.Eventually(s.t, program.Patience, "the first security audit", func() bool {
		return s.program.Do("GET", "/api/v1/monitoring/security-audit", "", nil, "Authorization: Bearer "+opsToken).StatusCode == http.StatusOK
	})
}
