package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/lookup"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store/storetest"
)

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
		if list, err := after.files(); err != nil || len(list) != 1 {
			t.Errorf("%s: the folder holds %v, %v", place.name, list, err)
		}
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

// Two deployments that keep their objects in one place don't answer from one
// another's, as long as they have their own.
func TestOwnSnapshotsComeBeforeAnotherDeployments(t *testing.T) {
	t.Parallel()
	objects := objectsIn(t)
	own := newProcess(t, t.TempDir(), objects, newStore(t))
	own.save(t)
	other := newProcess(t, t.TempDir(), objects, newStore(t))
	other.grow(t, 20)
	other.save(t) // later, and of a higher serial
	ownID, otherID := own.Catalogue.Current().Store(), other.Catalogue.Current().Store()
	restored := func(when, folder, want string, warned bool) {
		t.Helper()
		after := newProcess(t, folder, objects, nil)
		header, err := after.Restore(t.Context())
		if err != nil || header.Store != want {
			t.Errorf("%s: of the store %s, want %s; %v", when, header.Store, want, err)
		}
		if got := strings.Contains(after.log.String(), "another store"); got != warned {
			t.Errorf("%s: the log says %q", when, after.log)
		}
	}
	name := nameOf(ownID, 8)
	restored("without a folder", t.TempDir(), otherID, false)
	restored("with its file", own.Folder, ownID, false)
	if err := os.Remove(own.path(name)); err != nil {
		t.Fatal(err)
	}
	restored("with its object", own.Folder, ownID, false)
	if err := errors.Join(os.Remove(own.path(name)), objects.Delete(t.Context(), prefix+name)); err != nil {
		t.Fatal(err)
	}
	restored("with none of its own", own.Folder, otherID, true)
	// The deployment moves to the other store, with its folder.
	moved := newProcess(t, own.Folder, nil, other.store)
	moved.save(t)
	own.Folder = t.TempDir()
	own.grow(t, 21)
	own.save(t)
	restored("moved", moved.Folder, otherID, false)
}

func TestAStoreThatIsNotNotedLeavesTheNewest(t *testing.T) {
	t.Parallel()
	before := newProcess(t, t.TempDir(), nil, newStore(t))
	before.save(t)
	if err := errors.Join(os.Remove(before.path(lastStoreFile)), os.Mkdir(before.path(lastStoreFile), 0o750)); err != nil {
		t.Fatal(err)
	}
	after := newProcess(t, before.Folder, nil, nil)
	if header, err := after.Restore(t.Context()); err != nil || header.Serial != 8 || !strings.Contains(after.log.String(), "can't be told which store") {
		t.Errorf("%+v, %v, %s", header, err, after.log)
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
