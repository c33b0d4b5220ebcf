package client

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	gocmp "github.com/google/go-cmp/cmp"
)

func init() {
	openapi3filter.RegisterBodyDecoder("image/png", openapi3filter.FileBodyDecoder)
}

// contract is a server that knows nothing but the committed document: it refuses what
// the document doesn't allow, and answers its examples.
type contract struct {
	document *openapi3.T
	router   routers.Router

	mu     sync.Mutex
	asked  map[string]int // by operation
	faults []string
}

func readContract() (*contract, error) {
	raw, err := os.ReadFile("../docs/openapi.json")
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	router, err := legacy.NewRouter(document)
	if err != nil {
		return nil, err
	}
	return &contract{document: document, router: router, asked: map[string]int{}}, nil
}

func loadContract(t testing.TB) *contract {
	t.Helper()
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ServeHTTP implements http.Handler.
func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.faults = append(c.faults, err.Error())
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.faults = append(c.faults, fmt.Sprintf("%s %s: %v", r.Method, r.URL, err))
		w.WriteHeader(http.StatusNotFound)
		return
	}
	c.asked[route.Operation.OperationID]++
	err = openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if err != nil {
		c.faults = append(c.faults, fmt.Sprintf("%s %s: %v", r.Method, r.URL, err))
	}
	status, kind, answer := good(route.Operation)
	if kind == "application/gzip" {
		answer = packed(c.example("get-recall"))
	}
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the client may be gone
}

// good is an operation's first example of success.
func good(op *openapi3.Operation) (status int, kind string, answer []byte) {
	for _, code := range slices.Sorted(maps.Keys(op.Responses.Map())) {
		n, err := strconv.Atoi(code)
		if err != nil || n >= 300 {
			continue
		}
		content := op.Responses.Value(code).Value.Content
		for _, kind := range slices.Sorted(maps.Keys(content)) {
			for _, name := range slices.Sorted(maps.Keys(content[kind].Examples)) {
				answer, _ := json.Marshal(content[kind].Examples[name].Value.Value)
				return n, kind, answer
			}
		}
		status, kind = n, cmp.Or(kind, first(content))
	}
	return status, kind, nil
}

func first(content openapi3.Content) string {
	for kind := range content {
		return kind
	}
	return ""
}

func (c *contract) example(id string) []byte {
	for _, item := range c.document.Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID == id {
				_, _, answer := good(op)
				return answer
			}
		}
	}
	return nil
}

// packed is an export of one notice.
func packed(notice []byte) []byte {
	var out bytes.Buffer
	line := append(bytes.TrimSpace(notice), '\n')
	z := gzip.NewWriter(&out)
	_, _ = z.Write(line) // into memory
	fmt.Fprintf(z, `{"manifest":{"format":"recall/1","serial":281,"notices":1,"sha256":"%x","agencies":[]}}`+"\n", sha256.Sum256(line))
	_ = z.Close()
	return out.Bytes()
}

// calls are the operations' methods. Each returns what the answer's JSON should hold; nil:
// the method returns none of it.
var calls = map[string]func(ctx context.Context, c *Client) (any, error){
	"find-barcode": func(ctx context.Context, c *Client) (any, error) {
		return c.Barcode(ctx, "850044968008", Unit{Lot: "A"})
	},
	"post-verdict":       func(ctx context.Context, c *Client) (any, error) { return c.Verdict(ctx, Unit{GTIN: "850044968008"}) },
	"post-verdict-batch": func(ctx context.Context, c *Client) (any, error) { return nil, second(c.Batch(ctx, make([]Unit, 2))) },
	"post-barcode-image": func(ctx context.Context, c *Client) (any, error) {
		return items(c.Photo(ctx, strings.NewReader("\x89PNG\r\n\x1a\n")))
	},
	"list-recalls": func(ctx context.Context, c *Client) (any, error) {
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		return c.RecallPage(ctx, Search{
			Q: "crib", Agency: []string{"us-cpsc", "ca-hc"}, Country: []string{"US"}, Audience: []string{"infant"}, Category: []string{"cribs"},
			Hazard: []string{"fall"}, Remedy: []string{"repair"}, Status: "active", PublishedFrom: day, PublishedTo: day, Sort: "newest",
			Facets: []string{"agency", "year"}, Limit: 5,
		}, "a-cursor")
	},
	"get-recall":     func(ctx context.Context, c *Client) (any, error) { return c.Recall(ctx, "us-cpsc:26-348", time.Now()) },
	"list-revisions": func(ctx context.Context, c *Client) (any, error) { return items(c.Revisions(ctx, "us-cpsc:26-348")) },
	"list-sources":   func(ctx context.Context, c *Client) (any, error) { return items(c.Sources(ctx)) },
	"list-changes":   func(ctx context.Context, c *Client) (any, error) { return c.ChangePage(ctx, 0, 1) },
	"export-recalls": func(ctx context.Context, c *Client) (any, error) { return nil, drained(c.Export(ctx, nil)) },
	"auth-register": func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Register(ctx, Credentials{"a@example.org", "p"})
	},
	"auth-verify": func(ctx context.Context, c *Client) (any, error) {
		return nil, errors.Join(c.Verify(ctx, "t"), c.RequestVerification(ctx, "a@example.org"))
	},
	"auth-reset": func(ctx context.Context, c *Client) (any, error) {
		return nil, errors.Join(c.Reset(ctx, "t", "p"), c.RequestReset(ctx, "a@example.org"))
	},
	"auth-login": func(ctx context.Context, c *Client) (any, error) {
		return c.Login(ctx, Credentials{"a@example.org", "p"})
	},
	"auth-refresh":     func(ctx context.Context, c *Client) (any, error) { return c.Refresh(ctx, "t") },
	"auth-logout":      func(ctx context.Context, c *Client) (any, error) { return nil, c.Logout(ctx, "t") },
	"get-me":           func(ctx context.Context, c *Client) (any, error) { return c.Me(ctx) },
	"export-me":        func(ctx context.Context, c *Client) (any, error) { return c.AccountExport(ctx) },
	"delete-me":        func(ctx context.Context, c *Client) (any, error) { return nil, c.DeleteAccount(ctx, "p") },
	"list-my-sessions": func(ctx context.Context, c *Client) (any, error) { return items(c.Sessions(ctx)) },
	"end-my-session":   func(ctx context.Context, c *Client) (any, error) { return nil, c.EndSession(ctx, "1") },
	"list-keys":        func(ctx context.Context, c *Client) (any, error) { return items(c.Keys(ctx)) },
	"create-key": func(ctx context.Context, c *Client) (any, error) {
		return c.CreateKey(ctx, KeyRequest{Name: "till", Scopes: []string{"lookup"}, ExpiresAt: time.Now(), Replaces: "1", OverlapHours: new(int64)})
	},
	"revoke-key":              func(ctx context.Context, c *Client) (any, error) { return nil, c.RevokeKey(ctx, "1") },
	"health":                  func(ctx context.Context, c *Client) (any, error) { return nil, c.Alive(ctx) },
	"readyz":                  func(ctx context.Context, c *Client) (any, error) { return nil, c.Ready(ctx) },
	"healthz":                 func(ctx context.Context, c *Client) (any, error) { return c.Health(ctx) },
	"system-health-dashboard": func(ctx context.Context, c *Client) (any, error) { return c.Dashboard(ctx) },
	"security-audit":          func(ctx context.Context, c *Client) (any, error) { return c.SecurityAudit(ctx) },
	"azure-cache-stats":       func(ctx context.Context, c *Client) (any, error) { return c.CacheStats(ctx) },
	"azure-storage-health":    func(ctx context.Context, c *Client) (any, error) { return c.StorageHealth(ctx) },
	"database-health":         func(ctx context.Context, c *Client) (any, error) { return c.DatabaseHealth(ctx) },
	"log-levels":              func(ctx context.Context, c *Client) (any, error) { return c.LogLevels(ctx) },
	"set-log-levels": func(ctx context.Context, c *Client) (any, error) {
		return c.SetLogLevels(ctx, "info", map[string]string{"ingest": "debug"})
	},
	"list-quarantine": func(ctx context.Context, c *Client) (any, error) { return c.QuarantinePage(ctx, "us-cpsc", "c", 5) },
}

// leftOut are operations without a method, and why.
var leftOut = map[string]string{
	"get-barcode": "find-barcode is the same, and takes codes of any form",
	"metrics":     "it is Prometheus' text, which Prometheus reads",
}

func second[T any](_ T, err error) error { return err }

func items[T any](list []T, err error) (any, error) { return map[string][]T{"items": list}, err }

// drained goes through all of it, to the first error.
func drained[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestEveryOperation calls each as the document has it, and loses nothing of its answer.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	server := loadContract(t)
	c, stop := serveContract(t, server)
	defer stop()
	for _, item := range server.document.Paths.Map() {
		for _, op := range item.Operations() {
			id := strings.TrimSuffix(op.OperationID, "-2")
			if (calls[id] == nil) == (leftOut[id] == "") {
				t.Errorf("%s has no method and is not left out either, or both", id)
			}
		}
	}
	for id, call := range calls {
		got, err := call(t.Context(), c)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if server.asked[id] == 0 {
			t.Errorf("the method of %s asks for something else", id)
		}
		if got != nil {
			lossless(t, id, server.example(id), got)
		}
	}
	for _, fault := range server.faults {
		t.Error(fault)
	}
}

func serveContract(t testing.TB, server *contract) (*Client, func()) {
	t.Helper()
	s := httptest.NewServer(server)
	c, err := New(Options{BaseURL: s.URL, Key: "a-key", Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c, s.Close
}

// lossless compares what was answered with what the client's value encodes to.
func lossless(t *testing.T, id string, answered []byte, got any) {
	t.Helper()
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var want, have any
	if err := errors.Join(json.Unmarshal(answered, &want), json.Unmarshal(raw, &have)); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, have); diff != "" {
		t.Errorf("%s: something of the answer was lost or added:\n%s", id, diff)
	}
}
