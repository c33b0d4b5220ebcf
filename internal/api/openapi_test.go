package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the generated documents in docs")

const docsFolder = "../../docs"

// held compares a generated document with the committed one; -update writes it.
func held(t *testing.T, name string, generated []byte) {
	t.Helper()
	path := filepath.Join(docsFolder, name)
	if *update {
		if err := os.WriteFile(path, generated, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), string(generated)); diff != "" {
		t.Errorf("%s is not what the code generates; run go test ./internal/api -update, and look at the difference:\n%s", path, diff)
	}
}

// committedVersion stands for the program's version in the committed document,
// which must not change with every build.
const committedVersion = "2.0.0"

func TestOpenAPIDocumentIsCommitted(t *testing.T) {
	held(t, "openapi.json", OpenAPI(committedVersion))
}

func TestServedDocumentIsTheGeneratedOne(t *testing.T) {
	b := newBench(t)
	r := b.get(t, "/openapi.json")
	if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Content-Type"), "json") || !bytes.Equal(r.body, OpenAPI("test")) {
		t.Fatalf("%d %v, %d bytes", r.StatusCode, r.Header, len(r.body))
	}
	if again := b.get(t, "/openapi.json", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 || len(again.body) != 0 {
		t.Errorf("If-None-Match: %d, %d bytes", again.StatusCode, len(again.body))
	}
}

func TestDocumentHasEveryCallOfTheContract(t *testing.T) {
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(OpenAPI("test"), &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" {
		t.Errorf("version %q", document.OpenAPI)
	}
	for path, method := range map[string]string{
		"/api/v1/recalls": "get", "/api/recalls": "get", "/api/v1/recalls/{id}": "get", "/api/recalls/{id}": "get",
		"/api/v1/recalls/{id}/revisions": "get", "/api/v1/barcode/{code}": "get", "/api/barcode/{code}": "get", "/api/v1/barcode": "get", "/api/barcode": "get",
		"/api/v1/verdict": "post", "/api/v1/verdict/batch": "post", "/api/v1/sources": "get", "/api/v1/sources/{agency}/quarantine": "get", "/api/v1/changes": "get",
		"/api/v1/export/recalls.ndjson.gz": "get", "/api/v1/barcode/image": "post", "/api/barcode/image": "post",
		"/health": "get", "/api/readyz": "get", "/api/healthz": "get",
	} {
		if document.Paths[path][method] == nil {
			t.Errorf("%s %s is not in the document", method, path)
		}
	}
}

func init() {
	openapi3filter.RegisterBodyDecoder(exportType, openapi3filter.FileBodyDecoder)
}

// second is the document as another implementation reads it.
func second(t *testing.T) routers.Router {
	t.Helper()
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData(OpenAPI("test"))
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(loader.Context); err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

func TestAnswersKeepToTheDocument(t *testing.T) {
	router := second(t)
	b := newBench(t)
	changed := fixture()[1]
	changed.Title = "Tumblewick recalls Snoozle strollers again"
	b.store.put(changed, start)
	b.store.former["us-cpsc:old"] = changed.ID
	b.load(t)
	tests := []struct {
		method, target, body string
		status               int
	}{
		{"GET", "/api/v1/recalls?q=snoozle&facets=agency,year&limit=3", "", 200},
		{"GET", "/api/recalls?hazard=fall&remedy=repair", "", 200},
		{"GET", "/api/v1/recalls?status=withdrawn", "", 200},
		{"GET", "/api/v1/recalls?limit=0", "", 422},
		{"GET", "/api/v1/recalls?limt=1", "", 400},
		{"GET", "/api/v1/recalls/us-cpsc:26-100", "", 200},
		{"GET", "/api/recalls/us-cpsc:old", "", 200},
		{"GET", "/api/v1/recalls/us-cpsc:26-101?as_of=2026-11-21", "", 200},
		{"GET", "/api/v1/recalls/us-cpsc:99-999", "", 404},
		{"GET", "/api/v1/recalls/us-cpsc:26-101/revisions", "", 200},
		{"GET", "/api/v1/barcode/036000291452?lot=A17", "", 200},
		{"GET", "/api/v1/barcode/036000291452", "", 200},
		{"GET", "/api/v1/barcode/01234565", "", 200},
		{"GET", "/api/barcode?code=036000291453", "", 422},
		{"GET", "/api/v1/barcode?code=4006381333931", "", 200},
		{"POST", "/api/v1/verdict", `{"brand":"Tumblewick","name":"Snoozle stroller","model":"SZ-105","made_on":"2026"}`, 200},
		{"POST", "/api/v1/verdict", `{"lot":"A17"}`, 200},
		{"POST", "/api/v1/verdict", `{}`, 422},
		{"POST", "/api/v1/verdict/batch", `{"units":[{"gtin":"036000291452"},{"gtin":"036000291453"},{},{"lot":7}]}`, 200},
		{"POST", "/api/v1/verdict/batch", `{"units":[]}`, 200},
		{"GET", "/api/v1/sources", "", 200},
		{"GET", "/api/v1/sources/us-cpsc/quarantine", "", 401},
		{"GET", "/api/v1/changes?limit=5", "", 200},
		{"GET", "/api/v1/changes?since=29", "", 200},
		{"POST", "/api/v1/barcode/image", "no picture", 415},
		{"GET", "/api/v1/export/recalls.ndjson.gz", "", 200},
		{"GET", "/api/v1/export/recalls.ndjson.gz?limit=1", "", 400},
		{"GET", "/health", "", 200},
		{"GET", "/api/readyz", "", 200},
		{"GET", "/api/healthz", "", 200},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			r := b.do(t, test.method, test.target, test.body)
			if r.StatusCode != test.status {
				t.Fatalf("status %d, want %d: %s", r.StatusCode, test.status, r.body)
			}
			conforms(t, router, test.method, test.target, r)
		})
	}
	conforms(t, router, "POST", imagePath, b.do(t, "POST", imagePath, asPNG(t, paste(t, eanCode(t, "0036000291452"))), "Content-Type", "image/png"))
	b.ping = fmt.Errorf("down")
	conforms(t, router, "GET", "/api/healthz", b.get(t, "/api/healthz"))
}

// conforms lets the second implementation judge an answer.
func conforms(t *testing.T, router routers.Router, method, target string, r reply) {
	t.Helper()
	req := httptest.NewRequest(method, target, nil)
	route, params, err := router.FindRoute(req)
	if err != nil {
		t.Fatalf("finding %s %s in the document: %v", method, target, err)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 r.StatusCode, Header: r.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(r.body)
	if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
		t.Errorf("%s %s: %v\n%.1000s", method, target, err, r.body)
	}
}

func TestSecondImplementationSeesFaults(t *testing.T) {
	router := second(t)
	b := newBench(t)
	r := b.get(t, "/api/v1/sources")
	r.body = bytes.Replace(r.body, []byte(`"state":"ok"`), []byte(`"state":"fine"`), 1)
	req := httptest.NewRequest(http.MethodGet, "/api/v1/sources", nil)
	route, params, err := router.FindRoute(req)
	if err != nil {
		t.Fatal(err)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 200, Header: r.Header,
	}
	input.SetBodyBytes(r.body)
	if openapi3filter.ValidateResponse(t.Context(), input) == nil {
		t.Error("a state that the document doesn't know was let through")
	}
}

func TestOpenAPIErrorsAreCommitted(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("# Errors\n\nEvery error is an RFC 9457 problem document (`application/problem+json`): `type`, `title`, `status`, `detail`, `instance`, `code`, `trace_id`, and for bad fields `errors[] {location, message, value}`. A barcode that can't be used comes with `suggestions[]`. The `code` is stable; the words around it may get better.\n\nThis list is generated from the code: `go test ./internal/api -update`.\n\n| code | status | title | meaning |\n|---|---|---|---|\n")
	for _, k := range Kinds() {
		fmt.Fprintf(&doc, "| <a id=%q></a>`%s` | %d | %s | %s |\n", k.Code, k.Code, k.Status, k.Title, k.Meaning)
	}
	held(t, "errors.md", []byte(doc.String()))
}

// noticeSchema is the JSON Schema of recall/1, from the same Go types as the answers.
func noticeSchema(t *testing.T) []byte {
	t.Helper()
	const prefix = "#/$defs/"
	registry := huma.NewMapRegistry(prefix, huma.DefaultSchemaNamer)
	registry.Schema(reflect.TypeFor[recall.Notice](), true, "Notice")
	definitions := registry.Map()
	raw, err := json.Marshal(definitions["Notice"])
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	delete(definitions, "Notice")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/crownsafe/api/blob/main/docs/recall-1.schema.json"
	root["title"] = "recall/1"
	root["description"] = "One agency's recall notice in canonical form, as of one revision."
	root["$defs"] = definitions
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func TestSchemaOfNoticesIsCommitted(t *testing.T) {
	held(t, "recall-1.schema.json", noticeSchema(t))
}

func TestNoticesKeepToTheirSchema(t *testing.T) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(noticeSchema(t)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("recall-1.schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("recall-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.get(t, "/api/v1/recalls/us-cpsc:26-100").body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance); err != nil {
		t.Error(err)
	}
	for field, bad := range map[string]any{"status": "closed", "audience": "teenagers", "products": nil, "published_at": "yesterday", "colour": "red"} {
		broken := map[string]any{}
		for name, value := range instance.(map[string]any) {
			broken[name] = value
		}
		broken[field] = bad
		if schema.Validate(broken) == nil {
			t.Errorf("a notice with %s %v passes", field, bad)
		}
	}
}
