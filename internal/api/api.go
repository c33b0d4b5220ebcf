// Package api is the HTTP face of Crown Safe: the operations that docs/openapi.json
// describes, one file per resource, the one writer of problem documents, and
// the middleware around them. huma is fenced in here: no other package sees it.
//
// It knows nothing of how notices are stored, indexed or decided on; it asks
// the small interfaces in Dependencies. Handlers return a value or an error,
// and nothing of an internal error ever reaches a client.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/jub0bs/cors"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
)

// Catalogue gives the snapshot that is current now; it never blocks and is never nil.
type Catalogue interface {
	Current() *catalogue.Snapshot
}

// Lookup answers questions about one unit. An error that is a *recall.BadUnit
// is the asker's; any other is ours.
type Lookup interface {
	Verdict(snap *catalogue.Snapshot, u recall.Unit) (recall.Verdict, error)
	// Verdicts answers for each unit with a verdict or an error, in order.
	Verdicts(snap *catalogue.Snapshot, units []recall.Unit) ([]recall.Verdict, []error)
	// Barcode takes the code as printed or scanned; u carries lot, serial and
	// model. A bad code's field is "code".
	Barcode(snap *catalogue.Snapshot, code string, u recall.Unit) (recall.Verdict, error)
}

// Sources tells how far each agency can be relied on.
type Sources interface {
	// List returns one source per agency, in order of code.
	List(snap *catalogue.Snapshot) []source.Source
	// Fingerprint changes when any source's state does; ages don't count.
	Fingerprint(snap *catalogue.Snapshot) string
}

// History reads what the catalogue doesn't hold: former ids and old revisions.
// Its errors are those of package store.
type History interface {
	Notice(ctx context.Context, id string) (store.Stored, error)
	NoticeAsOf(ctx context.Context, id string, at time.Time) (store.Revision, error)
	Revisions(ctx context.Context, id string) ([]store.Revision, error)
}

// Pages serves the human pages. Error writes a page for an error on a path
// that is no API path; the request id helps support to find the log line.
type Pages interface {
	http.Handler
	Error(w http.ResponseWriter, r *http.Request, status int, requestID string)
	// Photo writes the page for a photograph of a barcode: the verdicts on the
	// codes that it shows, or the code and status of the problem that there are none.
	Photo(w http.ResponseWriter, r *http.Request, found []recall.Verdict, failure string, status int)
	// Account writes one of the pages for accounts, by its path: with the token of a
	// letter's link, and with what became of its form: "" before it was sent, "done",
	// or the code and status of the problem.
	Account(w http.ResponseWriter, r *http.Request, page, token, code string, status int)
}

// Dependencies is what the API needs. All but those that may be nil are required.
type Dependencies struct {
	Catalogue Catalogue
	Lookup    Lookup
	Sources   Sources
	History   History
	// Quarantine holds what could not be read; Operators may look at it.
	Quarantine Quarantine
	Operators  Operators
	// Authenticator tells who calls; nil: only the operator's token counts.
	Authenticator Authenticator
	Limits        Limits
	Proxies       Proxies  // whose word is taken about where a request comes from
	Origins       []string // of pages elsewhere whose scripts may read answers; see AllowOrigins
	// PublicURL is where clients reach the service; "" where nobody can tell.
	PublicURL string
	Once      Once // keeps what was answered to requests that create
	// Monitored is what operators see of database, cache and storage.
	Monitored Monitored
	// Accounts keeps people's accounts; nil: nobody has one here.
	Accounts *auth.Service
	// CookieName is that of the browsers' sign-in; "": SessionCookie.
	CookieName string
	Audit      Audit                           // tells operators what the last security audit found
	Board      Board                           // tells operators how the service does as a whole
	Traffic    Traffic                         // nil: nobody counts requests
	Shared     SharedAnswers                   // nil: each process makes its own answers
	Ping       func(ctx context.Context) error // asks the database; nil: there is none to ask
	Exports    KeptExports                     // nil: each export is made anew
	Objects    http.Handler                    // answers /blobs/, the signed addresses of objects; nil: there are none
	Draining   func() bool                     // the process is about to stop
	Logger     *slog.Logger
	LogLevels  LogLevels    // nil: they can't be changed
	Tracer     trace.Tracer // nil: nobody takes traces
	Now        func() time.Time
	Version    string
	Pages      Pages        // nil: no human pages
	Observer   Observer     // nil: nobody counts
	Metrics    http.Handler // answers /metrics; nil: nothing is measured
}

// service is the handler that New returns.
type service struct {
	Dependencies
	mux      *routes
	origins  *cors.Middleware // nil: no page elsewhere may read answers
	csrf     *http.CrossOriginProtection
	policies sync.Map // of ratelimit.Limit: its header
	overTLS  bool     // clients reach the service over TLS, whatever a request looks like
	streams  streams  // of operators' events
	answers  *answers
	edition  atomic.Pointer[edition] // of the snapshot that was asked for last
	images   chan struct{}           // holds one for each picture that is being looked at

	worthKeeping int // see the constant
}

// New returns the handler for everything that the server answers. An error is one
// of Origins' or of PublicURL's.
func New(d Dependencies) (http.Handler, error) {
	s := &service{Dependencies: d, mux: newRoutes(), answers: newAnswers(answersBytes), images: make(chan struct{}, imagesAtOnce), streams: streams{open: map[string]int{}}, worthKeeping: worthKeeping}
	if err := s.guardOrigins(); err != nil {
		return nil, err
	}
	document := s.register()
	s.serve("GET /openapi.json", static(document, "application/vnd.oai.openapi+json;version=3.1"))
	s.serve("GET "+securityTextPath, http.HandlerFunc(s.securityText))
	if d.Objects != nil {
		s.serve("/blobs/", d.Objects)
	}
	if d.Pages != nil {
		for _, pattern := range []string{"GET /{$}", "GET /static/", "GET /docs", "GET /docs/errors", "GET /photo", "GET /photos/", "GET /status"} {
			s.serve(pattern, d.Pages)
		}
		s.serve("POST /photo", http.HandlerFunc(s.showPhoto))
		s.registerAccountPages()
		s.serve("GET /ops", d.Pages)
		s.serve("GET /ops/events", http.HandlerFunc(s.opsEvents))
	}
	return s, nil
}

// serve adds what is no operation to the mux.
func (s *service) serve(pattern string, handler http.Handler) {
	s.mux.page(pattern, handler)
	s.announce(pattern)
}

// register adds every operation to the mux and returns the OpenAPI document
// that describes them.
func (s *service) register() []byte {
	settings := configuration(s.Version)
	settings.OnAddOperation = append(settings.OnAddOperation, s.mux.describeAccess)
	api := humago.New(s.mux, settings)
	api.UseMiddleware(strictQuery)
	s.registerRecalls(api)
	s.registerRevisions(api)
	s.registerBarcode(api)
	s.registerBarcodeImage(api)
	s.registerVerdict(api)
	s.registerSources(api)
	s.registerQuarantine(api)
	s.registerChanges(api)
	s.registerExport(api)
	s.registerHealth(api)
	s.registerMonitoring(api)
	s.registerAuth(api)
	s.registerMe(api)
	s.registerKeys(api)
	s.registerAudit(api)
	s.registerLogLevels(api)
	s.registerMetrics(api)
	s.registerDashboard(api)
	s.announce(patterns(api.OpenAPI())...)
	describeExamples(api.OpenAPI())
	return encodeDocument(api.OpenAPI())
}

// OpenAPI returns the OpenAPI 3.1 document of the server, the same bytes that
// /openapi.json answers.
func OpenAPI(version string) []byte {
	s := &service{Dependencies: Dependencies{Version: version}, mux: newRoutes()}
	return s.register()
}

// snapshot returns the current catalogue, or the problem that there is none:
// an empty list from a catalogue that is still being loaded would be a lie.
func (s *service) snapshot() (*catalogue.Snapshot, error) {
	snap := s.Catalogue.Current()
	if !snap.Loaded() {
		p := newProblem(codeUnavailable, "The catalogue is being loaded; ask again in a moment.")
		p.header = http.Header{"Retry-After": {"2"}}
		return nil, p
	}
	return snap, nil
}

// operation fills in what all operations have in common.
func operation(id, method, path, tag, summary, description string, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Tags: []string{tag},
		Summary: summary, Description: description, Errors: errors,
	}
}
