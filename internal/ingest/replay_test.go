package ingest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// better reads every title, and in another way.
func better(title string) string {
	if title == "!" {
		return "read at last"
	}
	return strings.ToUpper(title)
}

// live takes payloads in, one poll and one hour after the other.
func (f *fixture) live(t testing.TB, bodies ...string) {
	t.Helper()
	for i, body := range bodies {
		f.agency.payloads = []agency.Payload{{URL: "https://lines.example/news", FetchedAt: now.Add(time.Duration(i) * time.Hour), Body: []byte(magic + body)}}
		if _, err := f.Poll(t.Context(), f.agency, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fixture) replay(t testing.TB) ingest.ReplayReport {
	t.Helper()
	report, err := f.Replay(t.Context(), f.agency, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// titles are the titles of the active notices by native id, and of the withdrawn
// ones in brackets.
func (f *fixture) titles(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := f.Store.Changes(t.Context(), 0, 0, func(s store.Stored) error {
		title := s.Notice.Title
		if s.Notice.Status == recall.Withdrawn {
			title = "(" + title + ")"
		}
		found[strings.TrimPrefix(s.Notice.ID, "xx-lines:")] = title
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (f *fixture) quarantine(t testing.TB) (ids []string) {
	t.Helper()
	all, err := f.Store.Rejections(t.Context(), "xx-lines", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		ids = append(ids, r.NativeID)
	}
	slices.Sort(ids)
	return ids
}

func TestReplayWithTheSameParserChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.live(t, "1|a\n2|b\n3|!\n", "1|a new\n2|!\n4|d\n", "1|a\n", "1|a new\n2|!\n4|d\n")
	dir := t.TempDir()
	for name, content := range map[string]string{"new": "5|e new\n1|a of a file\n", "old": "5|e\n6|!\n"} {
		path := write(t, dir, name, []byte(magic+content))
		if err := os.Chtimes(path, now, now.AddDate(0, 0, -len(name)-len(content))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Import(t.Context(), []string{dir}, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Store.Withdraw(t.Context(), "xx-lines:4", now.AddDate(0, 0, 2)); err != nil {
		t.Fatal(err)
	}
	serial, err := r.Store.Serial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	titles, quarantine := r.titles(t), r.quarantine(t)
	for range 2 {
		report := r.replay(t)
		if run := report.Run; run.Added+run.Revised != 0 || run.State != store.RunDone || report.Payloads != 5 || run.Read != 11 || len(report.Faults) != 0 {
			t.Errorf("%+v", report)
		}
	}
	if diff := cmp.Diff(titles, r.titles(t)); diff != "" {
		t.Errorf("notices (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(quarantine, r.quarantine(t)); diff != "" {
		t.Errorf("quarantine (-before +after):\n%s", diff)
	}
	if again, err := r.Store.Serial(t.Context()); err != nil || again != serial {
		t.Errorf("serial %d after %d, %v", again, serial, err)
	}
}

func TestReplayWithABetterParser(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payloads   []string
		want       map[string]string
		quarantine []string // before; afterwards it is empty
	}{
		"a better reading":                 {[]string{"1|a\n"}, map[string]string{"1": "A"}, nil},
		"not of an older record":           {[]string{"1|a\n", "1|b\n"}, map[string]string{"1": "B"}, nil},
		"of the record that came back":     {[]string{"1|a\n", "1|b\n", "1|a\n"}, map[string]string{"1": "A"}, nil},
		"of the last of two that said one": {[]string{"1|a\n", "1|a\n2|b\n"}, map[string]string{"1": "A", "2": "B"}, nil},
		"a record that was rejected":       {[]string{"1|a\n2|!\n"}, map[string]string{"1": "A", "2": "read at last"}, []string{"2"}},
		"the latest was rejected":          {[]string{"1|a\n", "1|!\n"}, map[string]string{"1": "read at last"}, []string{"1"}},
		"an older one was rejected":        {[]string{"1|!\n", "1|a\n"}, map[string]string{"1": "A"}, nil},
		"rejected between":                 {[]string{"1|a\n", "1|!\n", "1|b\n"}, map[string]string{"1": "B"}, nil},
		"rejected, and the old one again":  {[]string{"1|a\n", "1|!\n", "1|a\n"}, map[string]string{"1": "A"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.live(t, c.payloads...)
			if got := r.quarantine(t); !slices.Equal(got, c.quarantine) {
				t.Errorf("in quarantine before: %v, want %v", got, c.quarantine)
			}
			r.agency.reading = better
			for range 2 {
				r.replay(t)
				if diff := cmp.Diff(c.want, r.titles(t)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if got := r.quarantine(t); len(got) != 0 {
					t.Errorf("in quarantine: %v", got)
				}
			}
			if again := r.replay(t).Run; again.Added+again.Revised != 0 {
				t.Errorf("a further replay: %+v", again)
			}
		})
	}
}

func TestReplayLeavesWithdrawnNoticesAlone(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.live(t, "1|a\n2|b\n", "2|!\n")
	for _, id := range []string{"xx-lines:1", "xx-lines:2"} {
		if err := r.Store.Withdraw(t.Context(), id, now.AddDate(0, 0, 2)); err != nil {
			t.Fatal(err)
		}
	}
	r.agency.reading = better
	r.replay(t)
	if diff := cmp.Diff(map[string]string{"1": "(a)", "2": "(b)"}, r.titles(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReplayGoesOnBehindADamagedPayload(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.live(t, "1|a\n2|!\n", "3|c\n")
	payloads, err := r.Store.Payloads(t.Context(), "xx-lines")
	if err != nil || len(payloads) != 2 {
		t.Fatalf("%d payloads, %v", len(payloads), err)
	}
	if err := os.Remove(filepath.Join(r.blobs, filepath.FromSlash(payloads[0].Key))); err != nil {
		t.Fatal(err)
	}
	r.agency.reading = better
	report := r.replay(t)
	if len(report.Faults) != 1 || report.Faults[0].Raw != payloads[0].Key || report.Run.State != store.RunPartial || report.Run.Revised != 1 {
		t.Errorf("%+v", report)
	}
	if diff := cmp.Diff(map[string]string{"1": "a", "3": "C"}, r.titles(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := r.quarantine(t); len(got) != 1 {
		t.Errorf("in quarantine: %v; what cannot be read anew stays as it was", got)
	}
}

// Whatever an agency sent of a notice in three payloads, a replay with a better
// parser leaves what the better parser would have made of it at once.
func TestReplayIsAsIfTheParserHadAlwaysBeenBetter(t *testing.T) {
	t.Parallel()
	said := []string{"", "a", "A", "b", "!"} // "a" and "A" read the same better; "": nothing
	payloads := make([]string, 3)
	for id := range len(said) * len(said) * len(said) {
		for i, rest := 0, id; i < len(payloads); i, rest = i+1, rest/len(said) {
			if title := said[rest%len(said)]; title != "" {
				payloads[i] += fmt.Sprintf("%d|%s\n", id, title)
			}
		}
	}
	always, replayed := newRunner(t), newRunner(t)
	always.agency.reading = better
	always.live(t, payloads...)
	replayed.live(t, payloads...)
	replayed.agency.reading = better
	replayed.replay(t)
	if diff := cmp.Diff(always.titles(t), replayed.titles(t)); diff != "" {
		t.Fatalf("(-always better +replayed):\n%s", diff)
	}
	if left := replayed.quarantine(t); len(left) != 0 {
		t.Fatalf("in quarantine: %v", left)
	}
}
