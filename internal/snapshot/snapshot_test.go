package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
	"github.com/crownsafe/api/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var agencies = []agency.Description{
	{Code: "us-example", Name: "Example", Objective: time.Hour, Republish: true},
	{Code: "us-other", Name: "Other", Objective: time.Hour},
}

// process is what one process has: a catalogue, a board, and a keeper of both.
type process struct {
	*Keeper
	store *sqlite.Store
	log   *bytes.Buffer
}

// newProcess makes one on a folder; objects may be nil, and so may the store.
func newProcess(t *testing.T, folder string, objects blob.Store, st *sqlite.Store) *process {
	t.Helper()
	p := &process{store: st, log: &bytes.Buffer{}}
	var records source.Records
	if st != nil {
		records = st
	}
	p.Keeper = &Keeper{
		Folder: folder, Blobs: objects, Catalogue: catalogue.New(), Sources: source.NewBoard(agencies, records, false, time.Now),
		Now: time.Now, Logger: slog.New(slog.NewTextHandler(p.log, nil)),
	}
	if st != nil {
		p.refresh(t)
	}
	return p
}

// refresh brings the process to where its store is.
func (p *process) refresh(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.Catalogue.Refresh(t.Context(), p.store), p.Sources.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func (p *process) save(t *testing.T) {
	t.Helper()
	if err := p.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// grow adds a notice and follows it.
func (p *process) grow(t *testing.T, n int) {
	t.Helper()
	apply(t, p.store, n)
	p.refresh(t)
}

func apply(t *testing.T, st store.Store, notices ...int) {
	t.Helper()
	var batch []store.Incoming
	for _, n := range notices {
		batch = append(batch, storetest.Copy(storetest.Notice(n)))
	}
	if _, err := st.Apply(t.Context(), batch, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// newStore makes a store with some notices, of which one was withdrawn and one
// superseded, and a poll of one source.
func newStore(t *testing.T) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	apply(t, st, 1, 2, 3, 4, 5)
	heir := storetest.Copy(storetest.Notice(6))
	heir.FormerIDs = []string{storetest.Notice(4).ID}
	if _, err := st.Apply(t.Context(), []store.Incoming{heir}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := st.Withdraw(t.Context(), storetest.Notice(3).ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	run := store.Run{Agency: "us-example", Kind: store.RunPoll, State: store.RunDone, Read: 5, StartedAt: time.Now(), FinishedAt: time.Now()}
	if run.ID, err = st.StartRun(t.Context(), run.Agency, run.Kind, run.StartedAt); err != nil {
		t.Fatal(err)
	}
	if err := st.FinishRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return st
}

// answers is what a process answers, as JSON, to some questions of every kind.
func (p *process) answers(t *testing.T) string {
	t.Helper()
	snap := p.Catalogue.Current()
	now := func() time.Time { return snap.FreshAt().Add(time.Minute) }
	board := source.NewBoard(agencies, nil, false, now)
	board.Restore(p.Sources.Known())
	changes, more := snap.Changes(0, 1000)
	page, err := snap.Search(catalogue.Query{Words: "bassinet grey", Facets: []string{"agency", "year"}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var verdicts []recall.Verdict
	for n := range 9 {
		v, err := lookup.New(board, now).Verdict(snap, recall.Unit{Brand: "Birchlane", Name: "Bassinet", Model: storetest.Notice(n).Products[0].Models[0]})
		if err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, v)
	}
	out, err := json.MarshalIndent([]any{snap.Serial(), snap.Counts(), changes, more, page, verdicts, board.List(snap)}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func objectsIn(t *testing.T) *disk.Store {
	t.Helper()
	objects, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
	return objects
}

func TestARestoredProcessAnswersTheSame(t *testing.T) {
	t.Parallel()
	folder, objects := t.TempDir(), objectsIn(t)
	before := newProcess(t, folder, objects, newStore(t))
	before.save(t)
	for _, place := range []struct {
		name   string
		folder string
		blobs  blob.Store
	}{{"folder", folder, nil}, {"objects", t.TempDir(), objects}, {"objects, without a folder", filepath.Join(t.TempDir(), "new"), objects}} {
		after := newProcess(t, place.folder, place.blobs, nil)
		header, err := after.Restore(t.Context())
		if err != nil {
			t.Fatalf("%s: %v\n%s", place.name, err, after.log)
		}
		if diff := cmp.Diff(before.answers(t), after.answers(t)); diff != "" {
			t.Errorf("%s: answers differ:\n%s", place.name, diff)
		}
		if header.Serial != 8 || header.Records != 6 || header.WrittenAt.IsZero() || !header.FreshAt.Equal(before.Catalogue.FreshAt()) || !after.Catalogue.Current().Restored() {
			t.Errorf("%s: %+v", place.name, header)
		}
		if list, err := os.ReadDir(place.folder); err != nil || len(list) != 1 {
			t.Errorf("%s: the folder holds %v, %v", place.name, list, err)
		}
	}
}

// names lists what is in a place, by serial, the highest first.
func names(t *testing.T, list []entry, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	newestFirst(list)
	var serials []int64
	for _, e := range list {
		serials = append(serials, e.serial)
	}
	return fmt.Sprint(serials)
}

func TestOnlyWhatIsNewIsWrittenAndTheOldGoes(t *testing.T) {
	t.Parallel()
	p := newProcess(t, t.TempDir(), objectsIn(t), newStore(t))
	holds := func(when, want string) {
		t.Helper()
		files, err := p.files()
		if got := names(t, files, err); got != want {
			t.Errorf("%s: the folder holds %s, want %s", when, got, want)
		}
		objects, err := p.objects(t.Context())
		if got := names(t, objects, err); got != want {
			t.Errorf("%s: the objects are %s, want %s", when, got, want)
		}
	}
	written := func() string {
		t.Helper()
		file, err := os.ReadFile(p.path(nameOf(p.Catalogue.Current().Store(), 8)))
		if err != nil {
			t.Fatal(err)
		}
		return string(file)
	}
	p.save(t)
	holds("at first", "[8]")
	first := written()
	p.refresh(t)
	p.save(t)
	if written() != first {
		t.Error("it was written again although nothing changed")
	}
	for n := range 4 {
		p.grow(t, 10+n)
		p.save(t)
	}
	holds("after four changes", "[12 11 10]")
	for _, e := range []string{nameOf(p.Catalogue.Current().Store(), 12)} {
		if err := errors.Join(os.Remove(p.path(e)), p.Blobs.Delete(t.Context(), prefix+e)); err != nil {
			t.Fatal(err)
		}
	}
	holds("with one missing", "[11 10]")
	p.save(t)
	holds("which was written again", "[12 11 10]")
}

// aged makes files look older than they are.
func aged(t *testing.T, folder string, by time.Duration) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		at := time.Now().Add(-by)
		if err := os.Chtimes(filepath.Join(folder, f.Name()), at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// While the notices stay the same the sources are asked: an old snapshot would
// tell of sources that nobody asked since.
func TestWhatLagsBehindIsWrittenAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := newProcess(t, folder, objectsIn(t), newStore(t))
	p.save(t)
	aged(t, folder, outdated+time.Minute)
	p.save(t)
	after := newProcess(t, folder, nil, nil)
	header, err := after.Restore(t.Context())
	if err != nil || time.Since(header.WrittenAt) > time.Minute {
		t.Errorf("written at %s, %v", header.WrittenAt, err)
	}
	files, err := p.files()
	if err != nil || len(files) != 1 || time.Since(files[0].modified) > time.Minute {
		t.Errorf("%+v, %v", files, err)
	}
}

func TestLeftoversAreClearedAway(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{".incoming-1", "readme.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aged(t, folder, 2*leftover)
	if err := os.WriteFile(filepath.Join(folder, ".incoming-2"), []byte("at work"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, folder, nil, newStore(t))
	p.save(t)
	list, err := os.ReadDir(folder)
	var left []string
	for _, f := range list {
		left = append(left, f.Name())
	}
	if diff := cmp.Diff([]string{".incoming-2", nameOf(p.Catalogue.Current().Store(), 8), "readme.txt"}, slices.Sorted(slices.Values(left))); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestADamagedSnapshotGivesWayToTheNextOlder(t *testing.T) {
	t.Parallel()
	before := newProcess(t, t.TempDir(), nil, newStore(t))
	before.save(t)
	before.grow(t, 20)
	before.save(t)
	name, older := nameOf(before.Catalogue.Current().Store(), 9), nameOf(before.Catalogue.Current().Store(), 8)
	good, err := os.ReadFile(before.path(name))
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(before.path(older))
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int, b byte) []byte {
		bad := bytes.Clone(good)
		bad[(i+len(bad))%len(bad)] ^= b
		return bad
	}
	for name, bad := range map[string][]byte{
		"empty": {}, "cut in the header": good[:40], "without its checksum": good[:len(good)-32], "cut in the middle": good[:len(good)/2],
		"longer": append(bytes.Clone(good), 0), "a bit in the header": at(20, 1), "a bit in the records": at(-100, 8), "a bit in the checksum": at(-1, 1),
		"another format": bytes.Replace(good, []byte(`"format":1`), []byte(`"format":2`), 1),
		"another shape":  bytes.Replace(good, []byte(`"shape":"`), []byte(`"shape":"0`), 1),
		"zeros":          make([]byte, len(good)), "text": []byte(strings.Repeat("no snapshot ", 1000)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			put := func(name string, content []byte) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put(nameOf(before.Catalogue.Current().Store(), 9), bad)
			alone := newProcess(t, folder, nil, nil)
			if _, err := alone.Restore(t.Context()); !errors.Is(err, ErrNone) || alone.Catalogue.Current().Loaded() || len(alone.Sources.Known()) > 0 {
				t.Errorf("alone: %v, loaded %v", err, alone.Catalogue.Current().Loaded())
			}
			put(older, old)
			after := newProcess(t, folder, nil, nil)
			if header, err := after.Restore(t.Context()); err != nil || header.Serial != 8 || after.Catalogue.Current().Serial() != 8 {
				t.Errorf("serial %d, %v", after.Catalogue.Current().Serial(), err)
			}
			if !strings.Contains(after.log.String(), "can't be used") {
				t.Errorf("the log says %s", after.log)
			}
			// Of objects the damaged one isn't even kept as a file.
			objects := objectsIn(t)
			if _, err := objects.Put(t.Context(), prefix+nameOf(before.Catalogue.Current().Store(), 9), bytes.NewReader(bad), blob.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			far := newProcess(t, t.TempDir(), objects, nil)
			if _, err := far.Restore(t.Context()); !errors.Is(err, ErrNone) {
				t.Errorf("from the objects: %v", err)
			}
			if left, err := os.ReadDir(far.Folder); err != nil || len(left) > 0 {
				t.Errorf("the folder holds %v, %v", left, err)
			}
		})
	}
}

func TestTheNewestWinsWhereverItIs(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(line string, serial int64, age time.Duration, object bool) entry {
		return entry{name: fmt.Sprint(line, serial, object), line: line, serial: serial, modified: now.Add(-age), object: object}
	}
	for _, c := range []struct {
		name string
		list []entry // in the order that is right
	}{
		{"the highest serial", []entry{at("a", 9, 10*time.Minute, true), at("a", 8, 0, false), at("a", 7, 0, true)}},
		{"the file before its object", []entry{at("a", 9, time.Minute, false), at("a", 9, 0, true)}},
		{"an object that was written again", []entry{at("a", 9, time.Hour, true), at("a", 9, 3*time.Hour, false)}},
		{"the line that was written to last", []entry{at("b", 3, time.Minute, true), at("b", 2, 50*time.Hour, false), at("a", 90, time.Hour, false)}},
	} {
		list := slices.Clone(c.list)
		slices.Reverse(list)
		newestFirst(list)
		if diff := cmp.Diff(c.list, list, cmp.AllowUnexported(entry{})); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

func TestWhatMayGo(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(line string, serial int64, age time.Duration) entry {
		return entry{name: fmt.Sprint(line, serial), line: line, serial: serial, modified: now.Add(-age)}
	}
	list := []entry{
		at("a", 5, 3*time.Hour), at("a", 6, 2*time.Hour), at("a", 7, time.Hour), at("a", 8, 0), // one too many
		at("a", 9, time.Minute),   // another process is ahead
		at("a", 20, 20*time.Hour), // taken back by a restored backup
		at("b", 50, 24*time.Hour), at("c", 3, 8*24*time.Hour),
	}
	var gone []string
	for _, e := range superfluous(list, "a", 8, now) {
		gone = append(gone, e.name)
	}
	if diff := cmp.Diff([]string{"a20", "a5", "c3"}, slices.Sorted(slices.Values(gone))); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsWrittenOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	empty := newProcess(t, t.TempDir(), objectsIn(t), nil)
	empty.save(t)
	objects := objectsIn(t)
	newProcess(t, t.TempDir(), objects, newStore(t)).save(t)
	restored := newProcess(t, t.TempDir(), objects, nil)
	if _, err := restored.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	aged(t, restored.Folder, 50*time.Hour)
	restored.save(t)
	for _, p := range []*process{empty, restored} {
		list, err := p.files()
		if err != nil || slices.ContainsFunc(list, func(e entry) bool { return time.Since(e.modified) < time.Hour }) {
			t.Errorf("%+v, %v", list, err)
		}
	}
}

// counting counts how often objects are put.
type counting struct {
	blob.Store
	mu   sync.Mutex
	puts int
}

func (c *counting) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	info, err := c.Store.Put(ctx, key, content, opts)
	if err == nil {
		c.mu.Lock()
		c.puts++
		c.mu.Unlock()
	}
	return info, err
}

func TestOfManyProcessesOneStoresTheObject(t *testing.T) {
	t.Parallel()
	st, objects := newStore(t), &counting{Store: objectsIn(t)}
	var wg sync.WaitGroup
	for range 6 {
		p := newProcess(t, t.TempDir(), objects, st)
		wg.Go(func() {
			if err := p.Save(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if objects.puts != 1 {
		t.Errorf("it was stored %d times", objects.puts)
	}
}

// down is an object store that doesn't answer.
type down struct{ blob.Store }

func (down) List(context.Context, string, string, int) ([]blob.Info, error) {
	return nil, errors.New("no answer")
}

func TestWithoutTheObjectsTheFilesServe(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	before := newProcess(t, folder, down{}, newStore(t))
	if err := before.Save(t.Context()); err == nil {
		t.Error("nobody hears that the objects are down")
	}
	after := newProcess(t, folder, down{}, nil)
	if header, err := after.Restore(t.Context()); err != nil || header.Serial != 8 {
		t.Errorf("%+v, %v", header, err)
	}
}

func TestAFolderThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, file, nil, newStore(t))
	if err := p.Save(t.Context()); err == nil {
		t.Error("no error")
	}
	if _, err := newProcess(t, file, nil, nil).Restore(t.Context()); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

func TestRunWritesAndEnds(t *testing.T) {
	t.Parallel()
	p := newProcess(t, t.TempDir(), objectsIn(t), newStore(t))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx, time.Millisecond); close(done) }()
	look, late := time.NewTicker(time.Millisecond), time.After(30*time.Second)
	defer look.Stop()
	for {
		if list, err := p.objects(t.Context()); err == nil && len(list) == 1 {
			break
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatal("nothing was written")
		}
	}
	stop()
	<-done
}
