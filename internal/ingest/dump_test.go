package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// without is a payload of the notices below n but for some.
func without(n int, title string, absent ...int) string {
	text := lines(n, title)
	for _, i := range absent {
		text = strings.Replace(text, fmt.Sprintf("\n%d|%s %d\n", i, title, i), "\n", 1)
	}
	return text
}

// polled delivers payloads in one poll; the last ends a complete dump.
func (f *fixture) polled(t *testing.T, bodies ...string) (store.Run, error) {
	t.Helper()
	f.agency.payloads = nil
	for i, body := range bodies {
		f.agency.payloads = append(f.agency.payloads, agency.Payload{
			URL: fmt.Sprintf("https://lines.example/%d", i), FetchedAt: now, Body: []byte(body), Complete: i == len(bodies)-1,
		})
	}
	return f.Poll(t.Context(), f.agency, nil)
}

// withdrawn lists the native ids of the withdrawn notices below n.
func (f *fixture) withdrawn(t *testing.T, n int) (list []int) {
	t.Helper()
	for i := range n {
		stored, err := f.Store.Notice(t.Context(), fmt.Sprintf("xx-lines:%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if stored.Notice.Status == recall.Withdrawn {
			list = append(list, i)
		}
	}
	return list
}

func TestMissingFromTwoDumpsIsWithdrawn(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	step := func(what string, want []int, withdrawn int, bodies ...string) {
		t.Helper()
		run, err := r.polled(t, bodies...)
		if err != nil || run.State != store.RunDone || run.Withdrawn != withdrawn {
			t.Fatalf("%s: %+v, %v", what, run, err)
		}
		if got := r.withdrawn(t, 40); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: withdrawn %v, want %v", what, got, want)
		}
	}
	step("everything", nil, 0, lines(40, "crib"))
	step("two are missing", nil, 0, without(40, "crib", 7, 9))
	step("one is back, in two payloads", []int{9}, 1, lines(9, "crib"), without(40, "crib", 9))
	step("the other is missing again, for the first time", []int{9}, 0, without(40, "crib", 9, 7))
	step("both return", nil, 0, lines(40, "crib"))
}

func TestDumpsThatDontCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dump  string
		err   error // of the fetch
		state store.RunState
		says  string
		added bool // of a notice in it that is new
	}{
		"exactly 5 % missing":       {dump: without(41, "crib", 1, 2), state: store.RunDone, added: true},
		"more than 5 % missing":     {dump: without(41, "crib", 1, 2, 3), state: store.RunPartial, says: "lacks 3 of the 41", added: true},
		"more than 5 % rejected":    {dump: without(41, "crib", 1) + "a|!\nb|!\nc|!\n", state: store.RunPartial, says: "3 of its 43 records were rejected", added: true},
		"nothing of what is here":   {dump: magic + "900|other\n", state: store.RunPartial, says: "lacks 40 of the 41"},
		"no record at all":          {dump: magic, state: store.RunPartial, says: "none of the notices"},
		"cut off":                   {dump: without(41, "crib", 1) + "4", state: store.RunPartial, says: "ended in the middle", added: true},
		"the fetch failed later":    {dump: without(41, "crib", 1), err: fmt.Errorf("dial tcp 127.0.0.1:9: connect: %w", syscall.ECONNREFUSED), state: store.RunPartial, says: "refused", added: true},
		"a reject without a number": {dump: without(41, "crib", 1) + "|!\n", state: store.RunDone, says: "no readable number", added: true},
		"the reject is the notice":  {dump: without(41, "crib", 1) + "1|!\n", state: store.RunDone, added: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			if _, err := r.polled(t, lines(40, "crib")); err != nil {
				t.Fatal(err)
			}
			r.agency.err = c.err
			for range 3 {
				run, err := r.polled(t, c.dump)
				if run.State != c.state || !strings.Contains(run.Reason, c.says) || (err == nil) != (c.state == store.RunDone) {
					t.Fatalf("%+v, %v", run, err)
				}
			}
			wantGone := 0
			if name == "exactly 5 % missing" {
				wantGone = 2
			}
			if got := r.withdrawn(t, 40); len(got) != wantGone {
				t.Errorf("withdrawn %v, want %d", got, wantGone)
			}
			if _, err := r.Store.Notice(t.Context(), "xx-lines:40"); (err == nil) != c.added {
				t.Errorf("a new notice of the dump: %v, want it stored: %v", err, c.added)
			}
		})
	}
}

func TestSmallWindowsAreNotGuarded(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	if _, err := r.polled(t, lines(40, "crib")); err != nil {
		t.Fatal(err)
	}
	r.agency.payloads = []agency.Payload{{URL: "https://lines.example/news", FetchedAt: now, Body: []byte(magic + "1|crib 1\n2|!\n")}}
	for range 3 {
		if run, err := r.Poll(t.Context(), r.agency, nil); err != nil || run.State != store.RunDone {
			t.Fatalf("%+v, %v", run, err)
		}
	}
	if got := r.withdrawn(t, 40); len(got) != 0 {
		t.Errorf("withdrawn %v", got)
	}
}

func TestStarterEntriesAreNotMissed(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	var starter []recall.Notice
	for i := range 30 {
		n := recall.Notice{ID: fmt.Sprintf("xx-lines:s%d", i), Agency: "xx-lines", Title: "starter crib", PublishedAt: now, Products: []recall.Product{{Name: "crib"}}}
		n.Normalise()
		starter = append(starter, n)
	}
	if _, err := r.Seed(t.Context(), starter); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if run, err := r.polled(t, lines(40, "crib")); err != nil || run.State != store.RunDone {
			t.Fatalf("%+v, %v", run, err)
		}
	}
	if stored, err := r.Store.Notice(t.Context(), "xx-lines:s3"); err != nil || stored.Tombstone {
		t.Errorf("a starter entry became a tombstone: %v, %v", stored.Tombstone, err)
	}
}

// dividedAgency's notices with even numbers come from elsewhere than the others.
type dividedAgency struct{ *lineAgency }

func (dividedAgency) PartOf(n *recall.Notice) string {
	if strings.ContainsAny(n.ID[len(n.ID)-1:], "02468") {
		return "even"
	}
	return "odd"
}

func TestDumpOfOnePartLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	if _, err := r.polled(t, lines(80, "crib")); err != nil {
		t.Fatal(err)
	}
	divided := dividedAgency{r.agency}
	odd := magic
	for i := 3; i < 80; i += 2 {
		odd += fmt.Sprintf("%d|crib %d\n", i, i)
	}
	for range 2 {
		r.agency.payloads = []agency.Payload{{URL: "https://lines.example/odd", FetchedAt: now, Body: []byte(odd), Complete: true}}
		if run, err := r.Poll(t.Context(), divided, nil); err != nil || run.State != store.RunDone {
			t.Fatalf("%+v, %v", run, err)
		}
	}
	if got := r.withdrawn(t, 80); fmt.Sprint(got) != "[1]" {
		t.Errorf("withdrawn %v, want the one odd number that is missing", got)
	}
	r.agency.payloads[0].Body = []byte(magic)
	if run, err := r.Poll(t.Context(), divided, nil); err == nil || !strings.Contains(run.Reason, "none of the notices") {
		t.Errorf("a dump of nothing: %+v, %v", run, err)
	}
}

func TestImportOfCompleteFiles(t *testing.T) {
	t.Parallel()
	r, dir := newRunner(t), t.TempDir()
	imported := func(files ...string) (ingest.DumpReport, error) {
		t.Helper()
		var paths []string
		for i, content := range files {
			paths = append(paths, write(t, dir, fmt.Sprint(i), []byte(content)))
		}
		report, dumps, err := r.ImportComplete(t.Context(), paths, nil)
		if len(report) != len(files) {
			t.Fatalf("%d rows for %d files", len(report), len(files))
		}
		if len(dumps) == 0 {
			return ingest.DumpReport{}, err
		}
		return dumps[0], err
	}
	if _, err := r.Import(t.Context(), []string{write(t, dir, "0", []byte(lines(40, "crib")))}, nil); err != nil {
		t.Fatal(err)
	}
	half, rest := lines(20, "crib"), magic+strings.SplitAfterN(without(40, "crib", 39), "\n19|crib 19\n", 2)[1]
	for round, want := range []ingest.DumpReport{{Agency: "xx-lines", State: store.RunDone, Missing: 1}, {Agency: "xx-lines", State: store.RunDone, Missing: 1, Withdrawn: 1}} {
		if got, err := imported(half, rest); err != nil || got != want {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
	}
	if got := r.withdrawn(t, 40); fmt.Sprint(got) != "[39]" {
		t.Errorf("withdrawn %v", got)
	}
	if _, err := r.Import(t.Context(), []string{filepath.Join(dir, "0")}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := imported(lines(40, "crib")); err != nil || got.Restored != 1 || len(r.withdrawn(t, 40)) != 0 {
		t.Errorf("the notice is back: %+v, %v", got, err)
	}
	for name, files := range map[string][]string{
		"half of it":           {half},
		"a file that is cut":   {half, rest + "9"},
		"the agency's failure": {lines(40, "crib"), "SORRY closed"},
		"another kind of file": {lines(40, "crib"), "how to read our files"},
	} {
		got, err := imported(files...)
		if !errors.Is(err, ingest.ErrGuarded) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got := r.withdrawn(t, 40); len(got) != 0 {
		t.Errorf("withdrawn %v", got)
	}
}

// What came of the dumps is the report's: a log would stand in it twice.
func TestImportOfCompleteFilesLogsNothing(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	var log strings.Builder
	r.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	whole := write(t, t.TempDir(), "whole", []byte(lines(3, "crib")))
	if _, dumps, err := r.ImportComplete(t.Context(), []string{whole}, nil); err != nil || len(dumps) != 1 {
		t.Fatalf("%+v, %v", dumps, err)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
	if _, err := r.polled(t, lines(3, "crib")); err != nil || !strings.Contains(log.String(), "a complete dump was held against the store") {
		t.Errorf("of a poll the log says %q, %v", log.String(), err)
	}
}

func TestFilesOfWhichNothingCouldBeRead(t *testing.T) {
	t.Parallel()
	const rejects, page = magic + "1|!\n2|!\n3|!\n", magic + "7|!\n"
	for name, c := range map[string]struct {
		files  []string
		failed []bool
		reason string // of the run, when it is partial
	}{
		"all of three records":        {[]string{rejects}, []bool{true}, "all 3 records were rejected"},
		"beside a file that was read": {[]string{rejects, lines(9, "crib")}, []bool{true, false}, "all 3 records were rejected"},
		"the only page":               {[]string{page}, []bool{true}, "its only record was rejected"},
		"a page among others":         {[]string{page, lines(9, "crib")}, []bool{false, false}, ""},
		"pages":                       {[]string{page, magic + "8|!\n"}, []bool{true, true}, "its only record was rejected"},
		"some records":                {[]string{rejects + "4|crib\n"}, []bool{false}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, dir := newRunner(t), t.TempDir()
			for i, content := range c.files {
				write(t, dir, fmt.Sprint(i), []byte(content))
			}
			report, err := r.Import(t.Context(), []string{dir}, nil)
			if err != nil || len(report) != len(c.files) {
				t.Fatalf("%+v, %v", report, err)
			}
			for i := range report {
				if report[i].Failed() != c.failed[i] {
					t.Errorf("file %d: %+v", i, report[i])
				}
			}
			records, err := r.Store.Sources(t.Context())
			if err != nil || len(records) != 1 || !strings.Contains(records[0].ImportFault, c.reason) || (c.reason == "") != (records[0].ImportFault == "") {
				t.Errorf("%+v, %v", records, err)
			}
		})
	}
}

func TestCompleteDumpOfWhichNothingCouldBeRead(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	file := write(t, t.TempDir(), "dump", []byte(magic+"1|!\n2|!\n3|!\n"))
	report, dumps, err := r.ImportComplete(t.Context(), []string{file}, nil)
	if !errors.Is(err, ingest.ErrGuarded) || len(dumps) != 1 || dumps[0].State != store.RunPartial || report[0].Status != ingest.FileRejected {
		t.Fatalf("%+v, %+v, %v", report, dumps, err)
	}
	records, err := r.Store.Sources(t.Context())
	if err != nil || len(records) != 1 || !strings.Contains(records[0].ImportFault, "3 of its 3 records were rejected") {
		t.Errorf("%+v, %v", records, err)
	}
}

func TestCancelledImportOfCompleteFilesCountsNothing(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	path := write(t, t.TempDir(), "x", []byte(without(1600, "crib", 5)))
	if _, err := r.polled(t, lines(1600, "crib")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		_, dumps, err := r.ImportComplete(ctx, []string{path}, func(p ingest.Progress) {
			if p.Tally.Read >= 500 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || len(dumps) != 0 {
			t.Fatalf("%+v, %v", dumps, err)
		}
	}
	if got := r.withdrawn(t, 10); len(got) != 0 {
		t.Errorf("withdrawn %v", got)
	}
}

// The way of a notice is timed when a poll brings it after the first that
// succeeded, and it was published after that: nothing else tells of our speed.
func TestOnlyNewsIsTimed(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	clock := now.AddDate(0, -1, -1) // the day before the notices are published
	r.Now = func() time.Time { return clock }
	r.agency.err = errors.New("connection refused")
	if _, err := r.polled(t, lines(2, "crib")); err == nil {
		t.Fatal("no error")
	}
	r.agency.err = nil
	if _, err := r.polled(t, lines(3, "crib")); err != nil { // the first load
		t.Fatal(err)
	}
	clock = now
	if _, err := r.Import(t.Context(), []string{write(t, t.TempDir(), "x", []byte(lines(4, "crib")))}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.polled(t, lines(6, "crib")); err != nil {
		t.Fatal(err)
	}
	serial, err := r.Store.Serial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Store.Served(t.Context(), serial, now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	timed, err := r.Store.Arrivals(t.Context(), "xx-lines", 0)
	if err != nil || len(timed) != 2 {
		t.Fatalf("%d notices were timed, %v; want the two that are new", len(timed), err)
	}
	for _, a := range timed {
		if !a.PublishedAt.Equal(now.AddDate(0, -1, 0)) || !a.SeenAt.Equal(now) || !a.SearchableAt.Equal(now.Add(time.Second)) {
			t.Errorf("%+v", a)
		}
	}
	clock = now.AddDate(0, 2, 0) // with a first success after they were published, nothing is
	late := newRunner(t)
	late.Now = func() time.Time { return clock }
	for n := 2; n < 5; n++ {
		if _, err := late.polled(t, lines(n, "crib")); err != nil {
			t.Fatal(err)
		}
	}
	if err := late.Store.Served(t.Context(), 99, clock); err != nil {
		t.Fatal(err)
	}
	if timed, err := late.Store.Arrivals(t.Context(), "xx-lines", 0); err != nil || len(timed) != 0 {
		t.Errorf("%d old notices were timed, %v", len(timed), err)
	}
}
