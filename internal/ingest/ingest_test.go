package ingest_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
)

var now = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

// lineAgency is an agency whose format is one notice a line, "id|title", behind
// a first line that names it. A title of "!" is a record that cannot be read, and
// the parser panics at one of "?".
type lineAgency struct {
	payloads []agency.Payload // what Fetch delivers
	err      error            // what Fetch ends with
	since    []agency.Since   // what Fetch was told
	withheld string
	doubts   []string                  // of every record
	reading  func(title string) string // of a parser that reads better: every title; nil: those but "!", as they are
}

const magic = "LINES/1\n"

func (a *lineAgency) Describe() agency.Description {
	return agency.Description{Code: "xx-lines", Name: "Lines", Country: "XX", Licence: "CC0", Attribution: "Lines",
		Interval: time.Hour, Objective: 2 * time.Hour, Withheld: a.withheld}
}

func (a *lineAgency) Recognise(_ string, head []byte) agency.Recognition {
	switch {
	case bytes.HasPrefix(head, []byte(magic)):
		return agency.Recognition{Kind: agency.Notices, Format: "lines"}
	case bytes.HasPrefix(head, []byte("SORRY ")):
		return agency.Recognition{Kind: agency.ErrorBody, Note: strings.TrimSpace(string(head[6:]))}
	case bytes.Equal(head, []byte("LINES/0\n")):
		return agency.Recognition{Kind: agency.Empty}
	}
	return agency.Recognition{}
}

func (a *lineAgency) Parse(_ context.Context, _ string, payload io.Reader, sink agency.Sink) error {
	lines := bufio.NewScanner(payload)
	lines.Scan()
	for position := 1; lines.Scan(); position++ {
		id, title, ok := strings.Cut(lines.Text(), "|")
		if !ok {
			return fmt.Errorf("line %d: %w", position, agency.ErrTruncated)
		}
		if a.reading != nil {
			title = a.reading(title)
		}
		if title == "?" {
			panic("a parser's fault")
		}
		if title == "!" {
			if err := sink.Reject(agency.Reject{NativeID: id, Position: position, Reason: "cannot be read", Excerpt: lines.Text()}); err != nil {
				return err
			}
			continue
		}
		n := recall.Notice{ID: "xx-lines:" + id, Title: title, PublishedAt: now.AddDate(0, -1, 0), Products: []recall.Product{{Name: title}}}
		if err := sink.Record(agency.Record{Notice: n, SourceHash: agency.HashOf(lines.Text()), Completeness: 1, Doubts: a.doubts}); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (a *lineAgency) Fetch(_ context.Context, _ *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	a.since = append(a.since, since)
	for _, p := range a.payloads {
		if err := deliver(p); err != nil {
			return err
		}
	}
	return a.err
}

func lines(n int, title string) string {
	var b strings.Builder
	b.WriteString(magic)
	for i := range n {
		fmt.Fprintf(&b, "%d|%s %d\n", i, title, i)
	}
	return b.String()
}

// cutAt returns so much of a file's beginning.
func cutAt(file []byte, share float64) []byte { return file[:int(float64(len(file))*share)] }

type fixture struct {
	*ingest.Runner
	agency *lineAgency
	blobs  string // folder of the archive
}

func newRunner(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	st, err := sqlite.Open(t.Context(), filepath.Join(dir, "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	blobs, err := disk.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	a := &lineAgency{}
	return &fixture{agency: a, blobs: filepath.Join(dir, "blobs"), Runner: &ingest.Runner{Agencies: []agency.Agency{a}, Store: st, Archive: blob.NewArchive(blobs, t.TempDir()),
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)}}
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if name != "" {
		z := zip.NewWriter(&b)
		member, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportReportsOnEveryFile(t *testing.T) {
	t.Parallel()
	r, dir := newRunner(t), t.TempDir()
	good := []byte(lines(1200, "crib"))
	packed := zipped(t, "", []byte(lines(3, "crib")+"99999|stroller\n"))
	write(t, dir, "a-plain", good)
	write(t, dir, "b-gzip.gz", packed)
	write(t, dir, "c-zip.zip", zipped(t, "inner.txt", good))
	write(t, dir, "d-cut.gz", cutAt(zipped(t, "", []byte(lines(3000, "walker"))), 0.7))
	write(t, dir, "e-error", []byte("SORRY the database is down"))
	write(t, dir, "f-empty-answer", []byte("LINES/0\n"))
	write(t, dir, "g-manual.txt", []byte("read me"))
	write(t, dir, "h-nothing", nil)
	write(t, dir, "j-cut.zip", zipped(t, "inner.txt", good)[:200])
	write(t, dir, "k-no.gz", []byte{0x1f, 0x8b, 1})
	write(t, dir, "i-rejects", []byte(magic+"90501|!\n90502|gate\n90503|\n"))
	report, err := r.Import(t.Context(), []string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		path   string
		status ingest.FileStatus
		failed bool
		tally  func(ingest.Tally) bool
	}{
		{"a-plain", ingest.FileRead, false, func(x ingest.Tally) bool { return x.Read == 1200 && x.Added == 1200 }},
		{"b-gzip.gz", ingest.FileRead, false, func(x ingest.Tally) bool { return x.Unchanged == 3 && x.Added == 1 }},
		{"c-zip.zip!inner.txt", ingest.FileRead, false, func(x ingest.Tally) bool { return x.Unchanged == 1200 }},
		{"d-cut.gz", ingest.FileCutOff, true, func(x ingest.Tally) bool { return x.Read > 1000 && x.Read < 3000 }},
		{"e-error", ingest.FileErrorBody, false, func(x ingest.Tally) bool { return x == ingest.Tally{} }},
		{"f-empty-answer", ingest.FileEmpty, false, func(x ingest.Tally) bool { return x == ingest.Tally{} }},
		{"g-manual.txt", ingest.FileUnknown, false, func(x ingest.Tally) bool { return x == ingest.Tally{} }},
		{"h-nothing", ingest.FileUnknown, false, func(x ingest.Tally) bool { return x == ingest.Tally{} }},
		{"j-cut.zip", ingest.FileFailed, true, func(x ingest.Tally) bool { return x == ingest.Tally{} }},
		{"k-no.gz", ingest.FileFailed, true, func(x ingest.Tally) bool { return x == ingest.Tally{} }},
		{"i-rejects", ingest.FileRead, false, func(x ingest.Tally) bool { return x.Read == 3 && x.Added == 1 && x.Rejected == 2 }},
	} {
		found := false
		for _, row := range report {
			if row.Path != want.path {
				continue
			}
			found = true
			if row.Status != want.status || row.Failed() != want.failed || !want.tally(row.Tally) {
				t.Errorf("%s: %+v", want.path, row)
			}
		}
		if !found {
			t.Errorf("no row for %s in %+v", want.path, report)
		}
	}
	rejections, err := r.Store.Rejections(t.Context(), "xx-lines", nil, 10)
	if err != nil || len(rejections) != 2 {
		t.Fatalf("%d rejections, %v", len(rejections), err)
	}
	for _, rej := range rejections {
		if rej.Reason == "" || rej.Raw == "" {
			t.Errorf("a rejection without reason or raw bytes: %+v", rej)
		}
	}
}

func TestImportingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	path := write(t, t.TempDir(), "x", []byte(lines(700, "crib")))
	for round, want := range []ingest.Tally{{Read: 700, Added: 700}, {Read: 700, Unchanged: 700}} {
		report, err := r.Import(t.Context(), []string{path}, nil)
		if err != nil || len(report) != 1 || report[0].Tally != want {
			t.Errorf("round %d: %+v, %v", round, report, err)
		}
	}
	if serial, err := r.Store.Serial(t.Context()); err != nil || serial != 700 {
		t.Errorf("serial %d, %v", serial, err)
	}
}

func TestImportWalksALinkToAFolder(t *testing.T) {
	t.Parallel()
	r, dir := newRunner(t), t.TempDir()
	write(t, dir, "x", []byte(lines(2, "crib")))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	report, err := r.Import(t.Context(), []string{link}, nil)
	if err != nil || len(report) != 1 || report[0].Tally.Added != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestImportArchivesTheRawBytes(t *testing.T) {
	t.Parallel()
	r, content := newRunner(t), lines(2, "crib")
	if _, err := r.Import(t.Context(), []string{write(t, t.TempDir(), "x", []byte(content))}, nil); err != nil {
		t.Fatal(err)
	}
	stored, err := r.Store.Notice(t.Context(), "xx-lines:1")
	if err != nil {
		t.Fatal(err)
	}
	p := stored.Notice.Provenance
	raw, err := r.Archive.OpenRaw(t.Context(), p.Raw)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	got, err := io.ReadAll(raw)
	if err != nil || string(got) != content || p.SHA256 == "" || p.SourceURL != "x" || p.Licence != "CC0" {
		t.Errorf("provenance %+v, raw %q, %v", p, got, err)
	}
}

func TestSeedStandsUntilTheAgencySpeaks(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	starter := recall.Notice{ID: "xx-lines:1", Agency: "xx-lines", Title: "starter crib", PublishedAt: now, Products: []recall.Product{{Name: "crib"}}}
	starter.Normalise()
	for range 2 {
		if _, err := r.Seed(t.Context(), []recall.Notice{starter}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Import(t.Context(), []string{write(t, t.TempDir(), "x", []byte(lines(2, "crib")))}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Seed(t.Context(), []recall.Notice{starter}); err != nil {
		t.Fatal(err)
	}
	stored, err := r.Store.Notice(t.Context(), "xx-lines:1")
	if err != nil || stored.Notice.Title != "crib 1" || stored.Notice.Revision != 2 || stored.Notice.Starter() {
		t.Errorf("%+v, %v", stored.Notice, err)
	}
}

func TestPollRecordsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	good := agency.Payload{URL: "https://lines.example/1", FetchedAt: now, Body: []byte(lines(3, "crib"))}
	apology := agency.Payload{URL: "https://lines.example/2", FetchedAt: now, Body: []byte("SORRY we are closed")}
	page := agency.Payload{URL: "https://lines.example/3", FetchedAt: now, Body: []byte("<html>Access denied</html>")}
	cut := agency.Payload{URL: "https://lines.example/4", FetchedAt: now, Body: []byte(magic + "1|crib 1\n2")}
	for _, c := range []struct {
		name     string
		payloads []agency.Payload
		err      error
		state    store.RunState
		says     string
		success  bool
	}{
		{"all read", []agency.Payload{good}, nil, store.RunDone, "", true},
		{"nothing new", nil, nil, store.RunDone, "", true},
		{"error with status 200", []agency.Payload{apology}, nil, store.RunFailed, "answered with an error", false},
		{"a page instead of notices", []agency.Payload{page}, nil, store.RunFailed, "not in the expected format", false},
		{"some, then an error", []agency.Payload{good, apology}, nil, store.RunPartial, "answered with an error", false},
		{"cut off", []agency.Payload{cut}, nil, store.RunPartial, "ended in the middle", false},
		{"no network", nil, fmt.Errorf("dial tcp 127.0.0.1:9: connect: %w", syscall.ECONNREFUSED), store.RunFailed, "connection was refused", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.agency.payloads, r.agency.err = c.payloads, c.err
			run, err := r.Poll(t.Context(), r.agency, nil)
			if run.State != c.state || !strings.Contains(run.Reason, c.says) || (err == nil) != (c.state == store.RunDone) {
				t.Errorf("run %+v, error %v", run, err)
			}
			records, err := r.Store.Sources(t.Context())
			if err != nil || len(records) != 1 || records[0].LastSuccess.IsZero() == c.success {
				t.Errorf("sources %+v, %v", records, err)
			}
		})
	}
}

func TestPublicReasonsNameNoAddress(t *testing.T) {
	t.Parallel()
	asked := func(err error) error {
		return fmt.Errorf("asking http://10.1.2.3:9?key=hunter2: %w", &url.Error{Op: "Get", URL: "http://10.1.2.3:9?key=hunter2", Err: err})
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"refused":       {asked(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), "the connection was refused"},
		"cut":           {asked(syscall.ECONNRESET), "the connection was cut"},
		"no way":        {asked(syscall.EHOSTUNREACH), "the feed's host cannot be reached"},
		"no such name":  {asked(&net.DNSError{Err: "no such host", Name: "feed.inside", IsNotFound: true}), "the feed's name was not found"},
		"too slow":      {asked(context.DeadlineExceeded), "no answer in time (timeout)"},
		"slow to name":  {asked(&net.DNSError{Err: "i/o timeout", Name: "feed.inside", IsTimeout: true}), "no answer in time (timeout)"},
		"refused long":  {fmt.Errorf("%w, after: %w", context.DeadlineExceeded, asked(syscall.ECONNREFUSED)), "the connection was refused"},
		"certificate":   {asked(x509.UnknownAuthorityError{}), "no secure connection could be made (TLS)"},
		"no TLS":        {asked(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "no secure connection could be made (TLS)"},
		"early end":     {asked(io.EOF), "the connection failed"},
		"a refusal":     {fmt.Errorf("fetching: %w", &agency.StatusError{URL: "http://10.1.2.3:9", Status: 403, Said: "hunter2"}), "the agency refuses access (HTTP status 403 Forbidden)"},
		"status":        {fmt.Errorf("fetching: %w", &agency.StatusError{URL: "http://10.1.2.3:9", Status: 503, Said: "hunter2"}), "the agency answered with HTTP status 503 Service Unavailable"},
		"too large":     {asked(agency.ErrTooLarge), agency.ErrTooLarge.Error()},
		"half":          {asked(agency.ErrTruncated), "the answer ended in the middle"},
		"no JSON":       {fmt.Errorf("reading the answer of http://10.1.2.3:9: %w", &json.SyntaxError{}), "the answer is not in the expected format"},
		"an apology":    {&agency.AnswerError{Agency: "xx-lines", URL: "http://10.1.2.3:9", Said: "hunter2"}, "the agency answered with an error or without notices"},
		"no space":      {fmt.Errorf("archiving in /srv/data: %w", blob.ErrFull), blob.ErrFull.Error()},
		"a file":        {&fs.PathError{Op: "open", Path: "/srv/data/spool", Err: syscall.EACCES}, "a file could not be written or read"},
		"stopped":       {asked(context.Canceled), "the poll was stopped"},
		"what not else": {errors.New("http://10.1.2.3:9 ignored the filter"), "the poll could not be finished; the log says why"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.agency.err = c.err
			run, err := r.Poll(t.Context(), r.agency, nil)
			if run.Reason != c.want || !errors.Is(err, c.err) {
				t.Errorf("reason %q, error %v; want %q and all of the error", run.Reason, err, c.want)
			}
		})
	}
}

func TestDoubtsAreCountedAndTold(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.agency.doubts = []string{"the date is none"}
	var log strings.Builder
	r.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	report, err := r.Import(t.Context(), []string{write(t, t.TempDir(), "file", []byte(lines(2, "crib")))}, nil)
	if err != nil || report[0].Status != ingest.FileRead || report[0].Tally.Doubtful != 2 || !strings.Contains(report[0].Note, "2 notices") {
		t.Fatalf("%+v, %v", report, err)
	}
	if !strings.Contains(log.String(), "the date is none") || !strings.Contains(log.String(), "xx-lines:1") {
		t.Errorf("the log says %s", log.String())
	}
}

func TestAParserThatPanicsFailsOnThatPayloadAlone(t *testing.T) {
	t.Parallel()
	r, dir := newRunner(t), t.TempDir()
	bad := magic + "1|crib\n2|?\n3|gate\n"
	r.agency.payloads = []agency.Payload{{URL: "https://example.com/lines", Body: []byte(bad), Complete: true}}
	if run, err := r.Poll(t.Context(), r.agency, nil); err == nil || run.State != store.RunPartial || run.Added != 1 {
		t.Errorf("a poll: %+v, %v", run, err)
	}
	write(t, dir, "a-bad", []byte(bad))
	write(t, dir, "b-good", []byte(magic+"4|walker\n"))
	report, err := r.Import(t.Context(), []string{dir}, nil)
	if err != nil || len(report) != 2 || report[0].Status != ingest.FileCutOff || report[1].Tally.Added != 1 {
		t.Errorf("an import: %+v, %v", report, err)
	}
}

func TestPollTellsTheAgencyWhenItLastSucceeded(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	for range 2 {
		if _, err := r.Poll(t.Context(), r.agency, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !r.agency.since[0].LastSuccess.IsZero() || !r.agency.since[1].LastSuccess.Equal(now) {
		t.Errorf("since %+v", r.agency.since)
	}
}

func TestPollOfAWithheldAgencyAsksNobodyAndRecordsNothing(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.agency.withheld = "set the key"
	_, err := r.Poll(t.Context(), r.agency, nil)
	if !errors.Is(err, ingest.ErrWithheld) || !strings.Contains(err.Error(), "set the key") || len(r.agency.since) != 0 {
		t.Errorf("error %v after %d fetches", err, len(r.agency.since))
	}
	if records, err := r.Store.Sources(t.Context()); err != nil || len(records) != 0 {
		t.Errorf("sources %+v, %v", records, err)
	}
	if _, err := r.Import(t.Context(), []string{write(t, t.TempDir(), "x", []byte(lines(2, "crib")))}, nil); err != nil {
		t.Error(err)
	}
	if serial, err := r.Store.Serial(t.Context()); err != nil || serial != 2 {
		t.Errorf("serial %d, %v: its files are read all the same", serial, err)
	}
}

func TestStoppedImportKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	ctx, cancel := context.WithCancel(t.Context())
	path := write(t, t.TempDir(), "x", []byte(lines(5000, "crib")))
	_, err := r.Import(ctx, []string{path}, func(p ingest.Progress) {
		if p.Tally.Read >= 1000 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	serial, err := r.Store.Serial(t.Context())
	if err != nil || serial < 1000 || serial == 5000 {
		t.Errorf("serial %d, %v", serial, err)
	}
}
