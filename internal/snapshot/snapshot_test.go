package snapshot

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/catalogue"
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
