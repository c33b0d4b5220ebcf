package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

const exportPath = "/api/v1/export/recalls.ndjson.gz"

// unpackExport reads an export as its documentation tells a mirror to: every
// line before the last one is a notice, and their hash is the manifest's.
func unpackExport(t testing.TB, body []byte) ([]json.RawMessage, ExportManifest) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] != "" {
		t.Fatalf("the last line has no line feed: %.200q", lines[len(lines)-1])
	}
	lines = lines[:len(lines)-1]
	var trailer ExportTrailer
	last := lines[len(lines)-1]
	if err := json.Unmarshal([]byte(last), &trailer); err != nil || trailer.Manifest.Format != "recall/1" {
		t.Fatalf("the last line is no manifest (%v): %.300s", err, last)
	}
	sum := sha256.Sum256(text[:len(text)-len(last)])
	if got := hex.EncodeToString(sum[:]); got != trailer.Manifest.SHA256 {
		t.Errorf("the lines hash to %s, the manifest says %s", got, trailer.Manifest.SHA256)
	}
	var notices []json.RawMessage
	for _, line := range lines[:len(lines)-1] {
		notices = append(notices, json.RawMessage(strings.TrimSuffix(line, "\n")))
	}
	return notices, trailer.Manifest
}

// addUnpublishable stores two notices of an agency that may not be passed on.
func addUnpublishable(b *bench) {
	for _, id := range []string{"eu-safety-gate:SR-1", "eu-safety-gate:SR-2"} {
		n := fixture()[3]
		n.ID, n.Agency, n.Title = id, "eu-safety-gate", "Not to be passed on"
		b.store.put(n, start)
	}
}

func TestExportHoldsWhatTheCatalogueHolds(t *testing.T) {
	b := newBench(t)
	starter := fixture()[4]
	starter.ID, starter.Provenance.SHA256, starter.Provenance.Raw = "us-cpsc:26-900", "", ""
	b.store.put(starter, start)
	addUnpublishable(b)
	stranger := fixture()[5]
	stranger.ID, stranger.Agency = "zz-closed:1", "zz-closed"
	b.store.put(stranger, start)
	b.load(t)

	r := b.get(t, exportPath)
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/gzip" ||
		r.Header.Get("Content-Disposition") != `attachment; filename="recalls-34.ndjson.gz"` || r.Header.Get("Crown-Safe-Serial") != "34" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	notices, manifest := unpackExport(t, r.body)
	at := start
	want := ExportManifest{
		Format: "recall/1", Serial: 34, AsOf: &at, Notices: 30, Withdrawn: 1, LeftOut: 3, SHA256: manifest.SHA256,
		Agencies: []ExportedAgency{
			{Agency: "eu-safety-gate", LeftOut: 2},
			{Agency: "us-cpsc", Notices: 30, Starter: 1, Withdrawn: 1, Republish: true, Licence: "public domain"},
			{Agency: "zz-closed", LeftOut: 1},
		},
	}
	if diff := cmp.Diff(want, manifest); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	if len(notices) != manifest.Notices {
		t.Fatalf("%d lines, the manifest says %d", len(notices), manifest.Notices)
	}
	for _, line := range notices {
		var n recall.Notice
		if err := json.Unmarshal(line, &n); err != nil {
			t.Fatal(err)
		}
		if one := b.get(t, "/api/v1/recalls/"+n.ID); !bytes.Equal(one.body, line) {
			t.Errorf("%s differs from the notice on its own:\n%s\n%s", n.ID, line, one.body)
		}
	}
	if bytes.Contains(bytes.Join(rawBytes(notices), nil), []byte("Not to be passed on")) {
		t.Error("a notice is passed on whose licence forbids it")
	}
}

func rawBytes(list []json.RawMessage) [][]byte {
	var out [][]byte
	for _, raw := range list {
		out = append(out, raw)
	}
	return out
}

// A mirror that takes the export and goes on with the changes holds what one
// has that followed the changes from the beginning.
func TestExportAndChangesMakeTheSameMirror(t *testing.T) {
	b := newBench(t)
	notices, manifest := unpackExport(t, b.get(t, exportPath).body)
	mirror := map[string]json.RawMessage{}
	for _, line := range notices {
		var n recall.Notice
		if err := json.Unmarshal(line, &n); err != nil {
			t.Fatal(err)
		}
		mirror[n.ID] = line
	}
	gone, changed := fixture()[2], fixture()[3]
	gone.Status, changed.Title = recall.Withdrawn, "Tumblewick recalls Snoozle strollers again"
	b.store.put(gone, start)
	b.store.put(changed, start)
	b.load(t)
	follow := func(mirror map[string]json.RawMessage, since int64) map[string]json.RawMessage {
		changes, _ := b.Current().Changes(since, 1000)
		for _, c := range changes {
			if delete(mirror, c.ID); c.Tombstone {
				continue
			}
			document, _, _ := b.Current().Document(c.ID)
			mirror[c.ID] = document
		}
		return mirror
	}
	want := follow(map[string]json.RawMessage{}, 0)
	if diff := cmp.Diff(want, follow(mirror, manifest.Serial)); diff != "" {
		t.Errorf("(-from the beginning +from the export):\n%s", diff)
	}
}

func TestExportOfOneSerialIsAlwaysTheSame(t *testing.T) {
	b := newBench(t)
	first := b.get(t, exportPath)
	b.clock = b.clock.Add(90 * time.Minute)
	b.sources.state = source.Stale
	second := b.get(t, exportPath)
	tag := first.Header.Get("ETag")
	if !bytes.Equal(first.body, second.body) || tag != second.Header.Get("ETag") || !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("two exports of one serial differ: %d and %d bytes, tags %s and %s", len(first.body), len(second.body), tag, second.Header.Get("ETag"))
	}
	for _, wants := range []string{tag, `"x", ` + tag, "*"} {
		if r := b.get(t, exportPath, "If-None-Match", wants); r.StatusCode != 304 || len(r.body) != 0 || r.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d with %d bytes", wants, r.StatusCode, len(r.body))
		}
	}
	if r := b.do(t, http.MethodHead, exportPath, ""); r.StatusCode != 200 || len(r.body) != 0 || r.Header.Get("ETag") != tag {
		t.Errorf("HEAD: %d with %d bytes, tag %s", r.StatusCode, len(r.body), r.Header.Get("ETag"))
	}
	b.store.put(fixture()[1], start)
	b.load(t)
	if r := b.get(t, exportPath, "If-None-Match", tag); r.StatusCode != 200 || r.Header.Get("ETag") == tag {
		t.Errorf("after a change: %d", r.StatusCode)
	}
}

func TestExportIsAsPoliteAsOtherAnswers(t *testing.T) {
	b := newBench(t)
	if p := decode[Problem](t, b.get(t, exportPath+"?agency=us-cpsc"), 400); p.Code != "unknown_parameter" {
		t.Errorf("a parameter: %+v", p)
	}
	b.board = catalogue.New()
	r := b.get(t, exportPath)
	if p := decode[Problem](t, r, 503); p.Code != "unavailable" || r.Header.Get("Retry-After") == "" {
		t.Errorf("without a catalogue: %+v", p)
	}
}

// hangUp is a client that goes after a number of bytes.
type hangUp struct {
	*httptest.ResponseRecorder
	cancel context.CancelFunc
	after  int
}

func (h *hangUp) Write(p []byte) (int, error) {
	if h.after -= len(p); h.after < 0 {
		h.cancel()
		return 0, errors.New("the client is gone")
	}
	return h.ResponseRecorder.Write(p)
}

func TestExportStopsWhenTheClientGoes(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	w := &hangUp{ResponseRecorder: httptest.NewRecorder(), cancel: cancel}
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v, so that half a file passes for a whole one", v)
		}
		if log := b.log.String(); !strings.Contains(log, "an export broke off") {
			t.Errorf("the log: %s", log)
		}
		if r := b.get(t, exportPath); r.StatusCode != 200 {
			t.Errorf("the next client: %d", r.StatusCode)
		}
	}()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, exportPath, nil).WithContext(ctx))
}

func TestExportAsksBeforeEveryPage(t *testing.T) {
	b := newBench(t)
	for i := range 3 * exportPage {
		n := fixture()[6]
		n.ID = "us-cpsc:7" + strings.Repeat("0", i%7) + "-" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		b.store.put(n, start)
	}
	b.load(t)
	asked, gone := 0, errors.New("gone")
	m := newManifest(b.Current(), b.sources.List(b.Current()))
	err := m.write(io.Discard, b.Current(), func() error {
		if asked++; asked == 2 {
			return gone
		}
		return nil
	})
	if !errors.Is(err, gone) || asked != 2 {
		t.Errorf("after %d pages: %v", asked, err)
	}
}

func TestExportsAtOnceAreBounded(t *testing.T) {
	b := newBench(t)
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	for range exportsAtOnce {
		go func() {
			defer func() { done <- struct{}{} }()
			b.ServeHTTP(&slowClient{httptest.NewRecorder(), inside, leave}, httptest.NewRequest(http.MethodGet, exportPath, nil))
		}()
	}
	for range exportsAtOnce {
		<-inside
	}
	r := b.get(t, exportPath)
	if p := decode[Problem](t, r, 503); p.Code != "unavailable" || r.Header.Get("Retry-After") != "10" || r.Header.Get("ETag") != "" {
		t.Errorf("one too many: %+v %v", p, r.Header)
	}
	close(leave)
	for range exportsAtOnce {
		<-done
	}
	if r := b.get(t, exportPath); r.StatusCode != 200 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
}

// slowClient tells when its answer begins, and waits then.
type slowClient struct {
	*httptest.ResponseRecorder
	inside, leave chan struct{}
}

func (c *slowClient) WriteHeader(status int) {
	c.inside <- struct{}{}
	<-c.leave
	c.ResponseRecorder.WriteHeader(status)
}

func TestManifestListsAgenciesInOrder(t *testing.T) {
	b := newBench(t)
	_, manifest := unpackExport(t, b.get(t, exportPath).body)
	if !slices.IsSortedFunc(manifest.Agencies, func(a, b ExportedAgency) int { return strings.Compare(a.Agency, b.Agency) }) {
		t.Errorf("agencies %+v", manifest.Agencies)
	}
}
