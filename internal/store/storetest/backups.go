package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// Backups is a place for a store and for what is restored of its backups.
type Backups struct {
	// Open opens the store.
	Open func() store.Store
	// Restoration begins to restore into another place, which Restored opens once it is
	// finished.
	Restoration func() store.Restoration
	Restored    func() store.Store
	// Shell executes texts one after the other in an empty database by the database's
	// own shell, and returns the store that comes of it.
	Shell func(texts ...string) store.Store
}

// ExerciseBackups holds an adapter to what store.Backups and store.Restoration
// promise.
func ExerciseBackups(t *testing.T, place func(t *testing.T) Backups) {
	for name, test := range map[string]func(t *testing.T, p Backups){
		"everything and what changed, by the shell and by a restoration": backedUp,
		"what is not known any more is refused":                          untracked,
		"a text that is not whole changes nothing":                       cutShort,
		"what is there stays until it is finished":                       guarded,
		"while several write":                                            meanwhile,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, place(t))
		})
	}
}

// backup is one that was written.
type backup struct {
	name     string
	text     string
	rows     int64
	changed  map[string]int64 // by table
	position store.Position
	digest   store.Digest
}

func backupsOf(t *testing.T, s store.Store) store.Backups {
	t.Helper()
	b, ok := s.(store.Backups)
	if !ok {
		t.Fatalf("%T makes no backups", s)
	}
	return b
}

// writeBackup writes everything, or what changed since another.
func writeBackup(t *testing.T, s store.Store, name string, since *backup) (*backup, error) {
	t.Helper()
	b := &backup{name: name}
	err := backupsOf(t, s).BackUp(t.Context(), name, func(v store.BackupView) (err error) {
		var text bytes.Buffer
		b.position = v.Position()
		if v.Untracked() != nil || b.position == (store.Position{}) {
			t.Errorf("changes are not tracked: %v", v.Untracked())
		}
		if since == nil {
			err = v.WriteFull(t.Context(), &text)
		} else {
			var rows map[string]int64
			rows, err = v.WriteIncrement(t.Context(), &text, since.position, since.name)
			for _, n := range rows {
				b.rows += n
			}
			b.changed = rows
		}
		if err != nil {
			return err
		}
		b.text = text.String()
		if b.digest, err = store.DigestOf(t.Context(), v, nil); err != nil || since == nil || since.digest.Tables == nil {
			return err
		}
		for i, now := range b.digest.Tables {
			if now != since.digest.Tables[i] && b.changed[now.Table] == 0 {
				t.Errorf("%s says that nothing has changed in %s", name, now.Table)
			}
		}
		return nil
	})
	return b, err
}

func backUp(t *testing.T, s store.Store, name string, since *backup) *backup {
	t.Helper()
	b, err := writeBackup(t, s, name, since)
	if err != nil {
		t.Fatalf("backup %s: %v", name, err)
	}
	return b
}

// restoreAll applies backups and finishes.
func restoreAll(t *testing.T, r store.Restoration, all ...*backup) {
	t.Helper()
	for i, b := range all {
		if err := r.Apply(t.Context(), b.name, i == 0, strings.NewReader(b.text)); err != nil {
			t.Fatalf("applying %s: %v", b.name, err)
		}
		if state, err := r.State(t.Context()); err != nil || state.Applied != b.name {
			t.Errorf("after %s the state is %+v, %v", b.name, state, err)
		}
	}
	err := r.Snapshot(t.Context(), func(s store.Snapshot) error {
		d, err := store.DigestOf(t.Context(), s, nil)
		same(t, "the digest of what was applied", d, all[len(all)-1].digest)
		return err
	})
	if err := errors.Join(err, r.Check(t.Context()), r.Finish(t.Context()), r.Close()); err != nil {
		t.Fatalf("finishing: %v", err)
	}
}

// backedUp: a full backup, three increments, of which one is empty, and after each
// what was written is restored in both ways.
func backedUp(t *testing.T, p Backups) {
	s := p.Open()
	furnish(t, s)
	full := backUp(t, s, "full-1", nil)
	same(t, "the digest", full.digest, digestOf(t, s))
	same(t, "what the shell makes of it", digestOf(t, p.Shell(full.text)), full.digest)

	settle(t, s, day(10), nil, []int{6, 7})
	apply(t, s, day(11), titled(Copy(Notice(1)), "third"), Copy(Notice(3)), Copy(Notice(60)))
	if err := s.ForgetRejections(t.Context(), example, "raw/1"); err != nil {
		t.Fatal(err)
	}
	furnishMoreAccounts(t, accountsOf(t, s))
	first := backUp(t, s, "increment-1", full)
	if first.rows == 0 {
		t.Error("an increment of no rows")
	}
	if err := backupsOf(t, s).ForgetChanges(t.Context(), first.position); err != nil {
		t.Error(err)
	}
	none := backUp(t, s, "increment-2", first)
	if none.rows != 0 {
		t.Errorf("%d rows have changed while nobody wrote", none.rows)
	}
	apply(t, s, day(12), titled(Copy(Notice(1)), "fourth"))
	begin(t, s, "us-other", store.RunPoll, day(12))
	last := backUp(t, s, "increment-3", none)
	same(t, "the digest", last.digest, digestOf(t, s))

	same(t, "what the shell makes of it", digestOf(t, p.Shell(full.text, first.text, none.text, last.text)), last.digest)
	restoreAll(t, p.Restoration(), full, first, none, last)
	back := p.Restored()
	same(t, "what was restored", digestOf(t, back), last.digest)
	same(t, "notices", stateOf(t, back), stateOf(t, s))
	same(t, "the identity", identityOf(t, back), identityOf(t, s))

	// Both go on in the same way.
	for _, s := range []store.Store{s, back} {
		apply(t, s, day(13), titled(Copy(Notice(1)), "fifth"), Copy(Notice(61)))
		begin(t, s, "us-other", store.RunPoll, day(13))
	}
	same(t, "what came later", digestOf(t, back), digestOf(t, s))

	// What was restored has no part in the sequence of what it was made of.
	if _, err := writeBackup(t, back, "increment-4", last); !errors.Is(err, store.ErrUntracked) {
		t.Errorf("an increment of another store: %v", err)
	}
	again := backUp(t, back, "full-2", nil)
	same(t, "a backup of what was restored", digestOf(t, p.Shell(again.text)), digestOf(t, back))
}

func untracked(t *testing.T, p Backups) {
	s := p.Open()
	furnish(t, s)
	b := backupsOf(t, s)
	full := backUp(t, s, "full-1", nil)
	if _, err := writeBackup(t, s, "increment-1", &backup{name: "another", position: full.position}); !errors.Is(err, store.ErrUntracked) {
		t.Errorf("behind a backup that was never made here: %v", err)
	}
	if _, err := writeBackup(t, s, "increment-2", &backup{name: "full-1", position: store.Position{Epoch: "another", Value: full.position.Value}}); !errors.Is(err, store.ErrUntracked) {
		t.Errorf("of another epoch: %v", err)
	}
	apply(t, s, day(2), Copy(Notice(70)))
	second := backUp(t, s, "increment-3", full)
	if err := b.ForgetChanges(t.Context(), second.position); err != nil {
		t.Fatal(err)
	}
	// A transaction elsewhere on the server may keep it from being forgotten.
	if again, err := writeBackup(t, s, "increment-4", full); !errors.Is(err, store.ErrUntracked) && (err != nil || again.rows < second.rows) {
		t.Errorf("since what was forgotten: %d rows, %v", again.rows, err)
	}
	apply(t, s, day(3), Copy(Notice(71)))
	if ended, err := b.BoundChanges(t.Context(), 1<<30); ended || err != nil {
		t.Errorf("BoundChanges far below the bound: %v, %v", ended, err)
	}
	backUp(t, s, "increment-5", second)
	if ended, err := b.BoundChanges(t.Context(), 1); !ended || err != nil {
		t.Errorf("BoundChanges above the bound: %v, %v", ended, err)
	}
	apply(t, s, day(4), Copy(Notice(72)))
	if _, err := writeBackup(t, s, "increment-6", second); !errors.Is(err, store.ErrUntracked) {
		t.Errorf("since before nobody kept track: %v", err)
	}
}

func cutShort(t *testing.T, p Backups) {
	s := p.Open()
	furnish(t, s)
	full := backUp(t, s, "full-1", nil)
	apply(t, s, day(2), Copy(Notice(70)), titled(Copy(Notice(1)), "third"))
	next := backUp(t, s, "increment-1", full)
	apply(t, s, day(3), Copy(Notice(71)))
	last := backUp(t, s, "increment-2", next)
	r := p.Restoration()
	if err := r.Apply(t.Context(), "full-1", true, strings.NewReader(full.text[:len(full.text)*2/3])); err == nil {
		t.Error("two thirds of a full backup are applied")
	}
	if state, err := r.State(t.Context()); err != nil || state.Applied != "" {
		t.Errorf("then the state is %+v, %v", state, err)
	}
	if err := r.Apply(t.Context(), "full-1", true, strings.NewReader(full.text)); err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(t.Context(), "increment-1", false, strings.NewReader(next.text[:len(next.text)*2/3])); err == nil {
		t.Error("two thirds of an increment are applied")
	}
	if err := r.Apply(t.Context(), "increment-2", false, strings.NewReader(last.text)); err == nil {
		t.Error("an increment is applied out of its order")
	}
	if state, err := r.State(t.Context()); err != nil || state.Applied != "full-1" {
		t.Errorf("then the state is %+v, %v", state, err)
	}
	if err := r.Apply(t.Context(), "increment-1", false, strings.NewReader(next.text)); err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(t.Context(), "increment-1", false, strings.NewReader(next.text)); err == nil {
		t.Error("an increment is applied twice")
	}
	if err := r.Close(); err != nil { // another process goes on
		t.Fatal(err)
	}
	r = p.Restoration()
	if state, err := r.State(t.Context()); err != nil || state.Applied != "increment-1" {
		t.Errorf("for another process the state is %+v, %v", state, err)
	}
	if err := errors.Join(r.Apply(t.Context(), "increment-2", false, strings.NewReader(last.text)), r.Check(t.Context()), r.Finish(t.Context()), r.Close()); err != nil {
		t.Fatal(err)
	}
	same(t, "what was restored", digestOf(t, p.Restored()), last.digest)
}

// guarded: a store that is there is seen, and replaced whole.
func guarded(t *testing.T, p Backups) {
	s := p.Open()
	furnish(t, s)
	full := backUp(t, s, "full-1", nil)
	r := p.Restoration()
	if state, err := r.State(t.Context()); err != nil || state.Occupied || state.Applied != "" {
		t.Errorf("of an empty place the state is %+v, %v", state, err)
	}
	restoreAll(t, r, full)
	there := p.Restored()
	apply(t, there, day(9), Copy(Notice(80)))
	if err := there.Close(); err != nil {
		t.Fatal(err)
	}
	r = p.Restoration()
	if state, err := r.State(t.Context()); err != nil || !state.Occupied || state.Applied != "" {
		t.Errorf("of an occupied place the state is %+v, %v", state, err)
	}
	// Half done, what is there is a store as long as programs use it.
	if err := r.Apply(t.Context(), full.name, true, strings.NewReader(full.text)); err != nil {
		t.Fatal(err)
	}
	there = p.Restored()
	_, unused := there.Serial(t.Context())
	if err := there.Close(); err != nil {
		t.Fatal(err)
	}
	if state, err := r.State(t.Context()); err != nil || state.Occupied != (unused == nil) || state.Applied != full.name {
		t.Errorf("of a half beside a store that is used (%v) the state is %+v, %v", unused == nil, state, err)
	}
	restoreAll(t, r, full)
	same(t, "what was restored", digestOf(t, p.Restored()), full.digest)
}

func identityOf(t *testing.T, s store.Store) string {
	t.Helper()
	identity, err := store.IdentityOf(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// meanwhile: while several write, increments are made; each row that was written is
// in one of them, in its last state.
func meanwhile(t *testing.T, p Backups) {
	s := p.Open()
	furnish(t, s)
	all := []*backup{backUp(t, s, "full", nil)}
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := range 12 {
				id := 100 + w*100 + i
				_, err := s.Apply(t.Context(), []store.Incoming{Copy(Notice(id)), titled(Copy(Notice(100+w*100)), fmt.Sprint("state ", i))}, day(20+i))
				if err == nil {
					_, err = s.StartRun(t.Context(), example, store.RunPoll, day(20+i))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()
	for i, last := 1, false; !last; i++ {
		if i == 6 {
			<-written // to restore them takes long enough
		}
		select {
		case <-written:
			last = true // this one has the rest
		default:
		}
		before := all[len(all)-1]
		next := backUp(t, s, fmt.Sprintf("increment-%03d", i), before)
		all = append(all, next)
		if i%3 == 0 {
			if err := backupsOf(t, s).ForgetChanges(t.Context(), next.position); err != nil {
				t.Fatal(err)
			}
		}
	}
	same(t, "the last digest", all[len(all)-1].digest, digestOf(t, s))
	r := p.Restoration()
	for i, b := range all {
		if err := r.Apply(t.Context(), b.name, i == 0, strings.NewReader(b.text)); err != nil {
			t.Fatalf("applying %s: %v", b.name, err)
		}
		err := r.Snapshot(t.Context(), func(s store.Snapshot) error {
			d, err := store.DigestOf(t.Context(), s, nil)
			same(t, "the digest after "+b.name, d, b.digest)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
