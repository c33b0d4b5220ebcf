package reference_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/reference"
)

func parse(t *testing.T, document []byte) *reference.Document {
	t.Helper()
	d, err := reference.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func committed(t *testing.T) *reference.Document {
	t.Helper()
	raw, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw)
}

func rendered(t *testing.T, d *reference.Document) (markdown, page string) {
	t.Helper()
	var m, h bytes.Buffer
	if err := d.Markdown(&m, &reference.Facts{}); err != nil {
		t.Fatal(err)
	}
	if err := d.HTML(&h, &reference.Facts{}); err != nil {
		t.Fatal(err)
	}
	return m.String(), h.String()
}

// TestEverythingIsShown looks for each operation, parameter, status and schema.
func TestEverythingIsShown(t *testing.T) {
	t.Parallel()
	d := committed(t)
	markdown, page := rendered(t, d)
	count := 0
	for _, group := range d.Groups {
		for _, op := range group.Operations {
			count++
			if len(op.Examples) == 0 || op.Access.Role == "" {
				t.Errorf("%s has %d examples and the role %q", op.ID, len(op.Examples), op.Access.Role)
			}
			want := append([]string{op.Summary, op.Path, op.Method}, op.Others...)
			for _, p := range op.Parameters {
				want = append(want, p.Name)
			}
			for _, text := range want {
				if !strings.Contains(markdown, text) || !strings.Contains(page, strings.ReplaceAll(text, "'", "&#39;")) {
					t.Errorf("%s: %q is not shown", op.ID, text)
				}
			}
		}
	}
	if count < 30 || len(d.Schemas) < 50 {
		t.Errorf("only %d operations and %d schemas", count, len(d.Schemas))
	}
}

// TestLinksLeadSomewhere follows each link within the page.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	markdown, page := rendered(t, committed(t))
	ids := map[string]int{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[id[1]]++; ids[id[1]] > 1 {
			t.Errorf("the page has the id %s twice", id[1])
		}
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[link[1]] == 0 {
			t.Errorf("the page links to #%s, which isn't there", link[1])
		}
	}
	headings := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^##+ (.*)$`).FindAllStringSubmatch(markdown, -1) {
		headings[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(line[1]), ""), " ", "-")] = true
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(markdown, -1) {
		if !headings[link[1]] && !strings.Contains(markdown, `<a id="`+link[1]+`">`) {
			t.Errorf("the Markdown links to #%s, which isn't there", link[1])
		}
	}
}

// TestMarkupIsText gives the document what would be markup, code or another cell.
func TestMarkupIsText(t *testing.T) {
	t.Parallel()
	_, page := rendered(t, parse(t, []byte(`{
		"info": {"title": "<script>alert(1)</script>", "version": "1", "description": "a [link](javascript:alert(1)) and <b>"},
		"tags": [{"name": "T"}],
		"paths": {"/x": {"get": {"operationId": "x", "tags": ["T"], "summary": "<img src=x>",
			"parameters": [{"name": "p", "in": "query", "description": "a | b", "schema": {"type": "string"}}],
			"x-crownsafe-access": {"role": "reader"},
			"x-crownsafe-examples": [{"name": "e", "status": 200, "parameters": {"p": "</code><script>"}}], "responses": {"200": {"description": "OK"}}}}}
	}`)))
	for _, bad := range []string{"<script", "<img", "<b> ", `href="javascript`} {
		if strings.Contains(strings.ReplaceAll(page, "<b>GET</b>", ""), bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if _, err := reference.Parse([]byte(`{"paths": {"/x": {"get": {"operationId": "x", "tags": ["T"]}}}}`)); err == nil {
		t.Error("an operation of an unknown tag was taken")
	}
	if _, err := reference.Parse([]byte(`<html>`)); err == nil {
		t.Error("what is no document was taken")
	}
}

// TestShellSamplesQuote lets a shell read what a sample sends.
func TestShellSamplesQuote(t *testing.T) {
	t.Parallel()
	body := `{"name":"the shop's $HOME ` + "`till`" + ` \\ \"x\""}`
	text, err := reference.Languages[0].Sample(reference.Request{Method: "POST", Target: "/a?b=c&d=%27", ContentType: "application/json", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "bash", "-c", strings.Replace(text, "curl", `printf '%s\n'`, 1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "-H\nContent-Type: application/json\n-d\n" + body + "\nhttp://localhost:8001/a?b=c&d=%27\n"
	if string(out) != want {
		t.Errorf("the shell read\n%swant\n%s", out, want)
	}
}
