// Package web is the human face of Crown Safe: one page on which a person types
// a code or a name and sees the verdict, the evidence and what to do, and the
// readable pages of the API's documentation.
//
// The pages are plain HTML that works without JavaScript; everything that comes
// from outside is escaped by html/template, and the content security policy
// allows no style or script but those that stand with the nonce of that answer.
// It knows nothing of storage and of how verdicts are made, and no page ever
// calls a product safe.
package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/photo"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// Catalogue gives the snapshot that is current now.
type Catalogue interface {
	Current() *catalogue.Snapshot
}

// Lookup answers questions about one unit; see package lookup.
type Lookup interface {
	Verdict(snap *catalogue.Snapshot, u recall.Unit) (recall.Verdict, error)
	Barcode(snap *catalogue.Snapshot, code string, u recall.Unit) (recall.Verdict, error)
}

// Sources tells how far each agency can be relied on.
type Sources interface {
	List(snap *catalogue.Snapshot) []source.Source
}

// ProblemKind explains one code of the API's problems.
type ProblemKind struct {
	Code           string
	Status         int
	Title, Meaning string
}

// Photos has the pictures that agencies show with their notices; see package photo.
type Photos interface {
	Picture(ctx context.Context, address string) (photo.Picture, error)
}

// Dependencies is what the pages need. All up to Version are
// required.
type Dependencies struct {
	Catalogue Catalogue
	Lookup    Lookup
	Sources   Sources
	OpenAPI   []byte // the API's document, for /docs
	Problems  []ProblemKind
	Version   string
	Photos    Photos // nil: notices are shown without pictures
	// PhotoOrigin is where Photos sends browsers for pictures that are kept
	// elsewhere ("https://account.example"); "" where it doesn't.
	PhotoOrigin string

	Now     func() time.Time // nil: time.Now
	Offline bool             // no agency is polled, as the settings want it

	// Board and Traffic are what the operators' page shows; without them there is none.
	Board   Board
	Traffic Traffic
	// Audit returns the last security audit, nil before the first; nil: there are none.
	Audit  func() *health.Audit
	Ending <-chan struct{} // closed when the process begins to stop: no page is kept up to date any more
	SignIn string          // path of the page on which operators sign in; "": there is none
}

//go:embed templates/*.html
var templateFiles embed.FS

// Site serves the pages.
type Site struct {
	Dependencies
	mux     *http.ServeMux
	pages   map[string]*template.Template
	files   map[string]file
	docs    docs
	sending chan struct{} // holds one for each picture that is being sent

	listening chan struct{} // holds one for each operators' page that is kept up to date
}

// New makes the site. It fails when the OpenAPI document can't be read, which
// is a fault of the build.
func New(d Dependencies) (*Site, error) {
	documentation, err := readDocs(d.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document for /docs: %w", err)
	}
	s := &Site{
		Dependencies: d, mux: http.NewServeMux(), docs: documentation,
		sending: make(chan struct{}, picturesAtOnce), listening: make(chan struct{}, listenersAtOnce),
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.files, err = readFiles(); err != nil {
		return nil, err
	}
	if s.pages, err = s.parse("account", "home", "docs", "errors", "error", "status", "ops"); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("GET /{$}", s.home)
	s.mux.Handle("GET /photo", http.RedirectHandler("/", http.StatusSeeOther)) // reloaded, or kept as a bookmark
	s.mux.HandleFunc("GET /docs", s.showDocs)
	s.mux.HandleFunc("GET /docs/errors", s.showErrors)
	s.mux.HandleFunc("GET /static/{name}", s.static)
	s.mux.HandleFunc("GET /status", s.showStatus)
	if d.Board != nil && d.Traffic != nil {
		s.mux.HandleFunc("GET /ops", s.showOps)
		s.mux.HandleFunc("GET /ops/events", s.streamOps)
	}
	if d.Photos != nil {
		s.mux.HandleFunc("GET /photos/{id}/{n}", s.picture)
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.Error(w, r, http.StatusNotFound, "") })
	return s, nil
}

func (s *Site) parse(names ...string) (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	for _, name := range names {
		t, err := template.New("layout.html").Funcs(s.functions()).ParseFS(templateFiles, "templates/layout.html", "templates/answer.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parsing the page %s: %w", name, err)
		}
		pages[name] = t
	}
	return pages, nil
}

// ServeHTTP serves a page or a static file.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Content-Security-Policy"] = filePolicy // render has another
	s.mux.ServeHTTP(w, r)
}

// Error writes a friendly page for an error on a path that is no API path.
func (s *Site) Error(w http.ResponseWriter, r *http.Request, status int, requestID string) {
	view := struct {
		Title, Text, RequestID string
		Status                 int
		SignIn                 string
	}{Title: "Something went wrong", Text: "The fault is ours. Please try again in a moment.", RequestID: requestID, Status: status}
	switch {
	case status == http.StatusUnauthorized:
		view.Title, view.RequestID, view.SignIn = "This page is for operators", "", s.SignIn
		view.Text = "Show the operator’s token (Authorization: Bearer), or, on the machine of a development server without one, ask for localhost."
	case status == http.StatusForbidden:
		view.Title, view.Text, view.RequestID = "This page is for operators", "Your account is not one of theirs. An administrator can change that.", ""
	case status == http.StatusNotFound:
		view.Title, view.Text, view.RequestID = "There is no such page", "The address may be mistyped, or the page has moved.", ""
	case status < http.StatusInternalServerError:
		view.Title, view.Text, view.RequestID = "That request can't be answered", "The address or the form holds something that can't be used.", ""
	}
	s.render(w, r, "error", status, view)
}

// render writes a page whole or not at all: a page that breaks off in the
// middle could lose the half that warns.
func (s *Site) render(w http.ResponseWriter, r *http.Request, page string, status int, view any) {
	nonce := rand.Text()
	var body bytes.Buffer
	if err := s.pages[page].Execute(&body, layout{nonce, view}); err != nil {
		panic(fmt.Errorf("rendering the page %s: %w", page, err))
	}
	h := w.Header()
	h.Set("Content-Security-Policy", s.policy(page, nonce))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // the reader may be gone
	}
}
