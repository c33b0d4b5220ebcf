package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
)

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
	if diff := cmp.Diff([]string{".incoming-2", nameOf(p.Catalogue.Current().Store(), 8), "readme.txt", lastStoreFile}, slices.Sorted(slices.Values(left))); diff != "" || err != nil {
		t.Error(diff, err)
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
	for name, test := range map[string]struct {
		freshAt time.Time
		want    []string
	}{
		"following the store":    {now, []string{"a20", "a5", "c3"}},
		"cut off from the store": {now.Add(-30 * time.Hour), []string{"a5", "c3"}}, // the others went on
	} {
		var gone []string
		for _, e := range superfluous(slices.Clone(list), present{"a", 8, test.freshAt, now}) {
			gone = append(gone, e.name)
		}
		if diff := cmp.Diff(test.want, slices.Sorted(slices.Values(gone))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
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
