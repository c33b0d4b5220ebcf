package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/klauspost/compress/gzip"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/source"
)

const (
	// exportPage is how many notices are unpacked before they are written.
	exportPage = 256
	// exportsAtOnce bounds what exports may take of the processors: verdicts
	// come first.
	exportsAtOnce = 4
	// exportStall is how long a client may take over one page of notices. The
	// server's limit for a whole answer is too short for a whole catalogue.
	exportStall = 30 * time.Second
	// exportLevel is where the curve bends: on agencies' notices, level 4 takes
	// a ninth more room for four fifths of the time, and level 9 saves a
	// twentieth for three times as much.
	exportLevel = 6

	exportType = "application/gzip"
)

// ExportTrailer is the last line of an export.
type ExportTrailer struct {
	Manifest ExportManifest `json:"manifest"`
}

// ExportManifest tells what an export holds. It stands at the end, so that the
// export can be streamed: a file without it is not whole.
type ExportManifest struct {
	Format    string           `json:"format" enum:"recall/1" doc:"of the lines before this one"`
	Serial    int64            `json:"serial" doc:"of the catalogue; give it as since to /api/v1/changes to go on from here"`
	AsOf      *time.Time       `json:"as_of" nullable:"true" doc:"when the newest of these notices was fetched; no clock is asked, so that one serial always gives the same bytes"`
	Notices   int              `json:"notices" doc:"lines before this one"`
	Withdrawn int              `json:"withdrawn" doc:"notices that are not here because their agency took them back"`
	LeftOut   int              `json:"left_out" doc:"notices that are not here because their licence does not let them be passed on"`
	SHA256    string           `json:"sha256" doc:"hexadecimal, of the unpacked lines before this one, each with its line feed"`
	Agencies  []ExportedAgency `json:"agencies" doc:"in order of code"`
}

// ExportedAgency is an agency's share of an export.
type ExportedAgency struct {
	Agency      string `json:"agency"`
	Notices     int    `json:"notices" doc:"lines, starter entries included"`
	Starter     int    `json:"starter" doc:"of these, starter entries, which have no provenance.sha256"`
	Withdrawn   int    `json:"withdrawn"`
	LeftOut     int    `json:"left_out"`
	Republish   bool   `json:"republish" doc:"whether the licence lets the notices be passed on"`
	Licence     string `json:"licence"`
	Attribution string `json:"attribution" doc:"to be shown with the notices"`
}

const exportDescription = "Every active notice in one file: gzip over lines, each a notice as `/api/v1/recalls/{id}` shows it, in order of serial. " +
	"The last line is `{\"manifest\": {...}}` with the serial, the counts and a SHA-256 of the lines before it; a file without it was cut off. " +
	"Withdrawn notices, and those of agencies whose licence does not let them be passed on, are left out and counted. " +
	"One serial always gives the same bytes. A mirror takes this once and goes on with `/api/v1/changes?since=` the manifest's serial."

func (s *service) registerExport(api huma.API) {
	op := operation("export-recalls", http.MethodGet, "/api/v1/export/recalls.ndjson.gz", tagSafety, "All notices in one file", exportDescription,
		http.StatusBadRequest, http.StatusServiceUnavailable)
	api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ExportTrailer](), true, "ExportTrailer")
	text := func(doc string) *huma.Param {
		return &huma.Param{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Responses = map[string]*huma.Response{
		"200": {
			Description: "The notices, one a line, and a last line that ExportTrailer describes",
			Content:     map[string]*huma.MediaType{exportType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
			Headers: map[string]*huma.Param{
				"ETag": text("weak"), "Cache-Control": text(""), "Content-Disposition": text("names the file after the serial"),
				"Crown-Safe-Serial": {Description: "serial of the catalogue that the answer was read from", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}},
			},
		},
		"304": {Description: "The caller has this file already"},
	}
	slots := make(chan struct{}, exportsAtOnce)
	huma.Register(api, op, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		snap, err := s.snapshot()
		if err != nil {
			return nil, s.problem(ctx, op.OperationID, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			s.export(w, r, snap, slots)
		}}, nil
	})
}

// export answers with the notices of one snapshot. What breaks off is cut, so
// that no client takes half a file for a whole one.
func (s *service) export(w http.ResponseWriter, r *http.Request, snap *catalogue.Snapshot, slots chan struct{}) {
	x := exchangeOf(r.Context())
	manifest := newManifest(snap, s.Sources.List(snap))
	h := w.Header()
	// The sources' states don't show in the file; who may be passed on does.
	edition, _ := s.editionOf(snap)
	tag := s.etag(&states{snap: snap.Serial(), dataset: edition.Dataset, fingerprint: manifest.fingerprint()}, "export")
	h.Set("ETag", tag)
	h.Set("Cache-Control", readCaching[0])
	h.Set("Crown-Safe-Serial", strconv.FormatInt(snap.Serial(), 10))
	if matchesTag(x.wants, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	default:
		h.Del("ETag")
		p := newProblem(codeUnavailable, "Others are being sent the export now; ask again in a moment.")
		p.header = http.Header{"Retry-After": {"10"}}
		p.send(w, r)
		return
	}
	h.Set("Content-Type", exportType)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="recalls-%d.ndjson.gz"`, snap.Serial()))
	name := s.keptName(snap, manifest)
	sent, err := s.sendKept(w, r, name)
	if !sent {
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return
		}
		err = s.makeExport(w, r, manifest, snap, name)
	}
	if err != nil {
		s.Logger.LogAttrs(r.Context(), slog.LevelWarn, "an export broke off", slog.String("error", err.Error()),
			slog.String("request_id", x.requestID), slog.String("trace_id", x.traceID))
		panic(http.ErrAbortHandler)
	}
}

// makeExport writes an export that isn't kept yet, and has it kept under a name,
// unless that is empty.
func (s *service) makeExport(w http.ResponseWriter, r *http.Request, manifest *ExportManifest, snap *catalogue.Snapshot, name string) error {
	connection := http.NewResponseController(w)
	write := func(out io.Writer) error {
		return manifest.write(out, snap, func() error {
			if err := extend(connection); err != nil {
				return err
			}
			return r.Context().Err()
		})
	}
	if name == "" {
		return write(w)
	}
	return s.Exports.Keep(name, w, write)
}

// newManifest begins a manifest: it lists the agencies, and what of each is to
// be left out. An agency that no source describes is not passed on.
func newManifest(snap *catalogue.Snapshot, sources []source.Source) *ExportManifest {
	m := &ExportManifest{Format: "recall/1", Serial: snap.Serial(), Agencies: []ExportedAgency{}}
	for _, src := range sources {
		m.Agencies = append(m.Agencies, ExportedAgency{Agency: src.Agency, Republish: src.Republish, Licence: src.Licence, Attribution: src.Attribution})
	}
	for code := range snap.Counts() {
		if !slices.ContainsFunc(m.Agencies, func(a ExportedAgency) bool { return a.Agency == code }) {
			m.Agencies = append(m.Agencies, ExportedAgency{Agency: code})
		}
	}
	slices.SortFunc(m.Agencies, func(a, b ExportedAgency) int { return cmp.Compare(a.Agency, b.Agency) })
	return m
}

// fingerprint changes when what is left out does, or what is said of an agency.
func (m *ExportManifest) fingerprint() string {
	var b strings.Builder
	for _, a := range m.Agencies {
		fmt.Fprintf(&b, "%s %t %q %q;", a.Agency, a.Republish, a.Licence, a.Attribution)
	}
	return b.String()
}

// write writes the whole export and completes the manifest, which is its last
// line. proceed is asked before each page; its error ends the work.
func (m *ExportManifest) write(out io.Writer, snap *catalogue.Snapshot, proceed func() error) error {
	packed, err := gzip.NewWriterLevel(out, exportLevel)
	if err != nil {
		return fmt.Errorf("preparing the compression of an export: %w", err)
	}
	agencies := make(map[string]*ExportedAgency, len(m.Agencies))
	for i := range m.Agencies {
		agencies[m.Agencies[i].Agency] = &m.Agencies[i]
	}
	sum := sha256.New()
	lines := io.MultiWriter(packed, sum)
	for since, more := int64(0), true; more; {
		if err := proceed(); err != nil {
			return fmt.Errorf("exporting the notices above serial %d: %w", since, err)
		}
		var changes []catalogue.Change
		changes, more = snap.Changes(since, exportPage)
		for _, c := range changes {
			since = c.Serial
			if c.Tombstone {
				continue
			}
			if err := m.writeNotice(lines, agencies[c.Notice.Agency], c); err != nil {
				return err
			}
		}
	}
	m.settle(snap)
	m.SHA256 = hex.EncodeToString(sum.Sum(nil))
	trailer, err := encode(ExportTrailer{*m})
	if err != nil {
		return err
	}
	if _, err := packed.Write(append(trailer, '\n')); err != nil {
		return fmt.Errorf("writing the manifest of an export: %w", err)
	}
	if err := packed.Close(); err != nil {
		return fmt.Errorf("finishing an export: %w", err)
	}
	return nil
}

func (m *ExportManifest) writeNotice(lines io.Writer, agency *ExportedAgency, c catalogue.Change) error {
	if !agency.Republish {
		agency.LeftOut++
		return nil
	}
	document, err := json.Marshal(c.Notice)
	if err != nil {
		return fmt.Errorf("encoding notice %s: %w", c.ID, err)
	}
	if _, err := lines.Write(append(document, '\n')); err != nil {
		return fmt.Errorf("writing notice %s: %w", c.ID, err)
	}
	agency.Notices++
	if c.Notice.Starter() {
		agency.Starter++
	}
	if at := c.Notice.Provenance.FetchedAt; m.AsOf == nil || at.After(*m.AsOf) {
		m.AsOf = &at
	}
	return nil
}

// settle counts what was neither written nor left out, and sums up.
func (m *ExportManifest) settle(snap *catalogue.Snapshot) {
	for i := range m.Agencies {
		a := &m.Agencies[i]
		held := snap.Counts()[a.Agency]
		a.Withdrawn = held.Notices + held.Starter - a.Notices - a.LeftOut
		m.Notices += a.Notices
		m.Withdrawn += a.Withdrawn
		m.LeftOut += a.LeftOut
	}
}
