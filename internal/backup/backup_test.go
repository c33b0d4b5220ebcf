package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a store of SQLite's with its backups in a folder.
type bench struct {
	*Keeper
	t       *testing.T
	store   *sqlite.Store
	path    string // where backups are restored to
	folder  string // of the backups
	now     time.Time
	people  int
	checked int   // times that a restored store was looked at
	unfit   error // what the look finds
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "crownsafe.db"), folder: t.TempDir(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var err error
	if b.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "crownsafe.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.store.Close() })
	objects, err := disk.Open(b.folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { objects.Close() })
	b.Keeper = b.keeper(objects, "one")
	return b
}

// keeper makes one as another process would.
func (b *bench) keeper(objects blob.Store, holder string) *Keeper {
	return &Keeper{
		Objects: objects, Program: "test", Holder: holder, Now: func() time.Time { return b.now }, Logger: slog.New(slog.DiscardHandler),
		Source: func(context.Context) (Source, func() error, error) { return b.store, func() error { return nil }, nil },
		Target: func(context.Context) (store.Restoration, error) { return sqlite.OpenRestoration(b.path) },
		Scratch: func(context.Context) (Scratch, error) {
			folder := b.t.TempDir()
			r, err := sqlite.OpenRestoration(filepath.Join(folder, "crownsafe.db"))
			return Scratch{
				Restoration: r,
				SelfCheck:   func(context.Context) error { b.checked++; return b.unfit },
				Remove:      func(context.Context) error { return os.RemoveAll(folder) },
			}, err
		},
	}
}

// join adds somebody to the store.
func (b *bench) join() {
	b.t.Helper()
	b.people++
	at := time.Unix(int64(b.people), 0).UTC()
	u := account.User{ID: fmt.Sprintf("u%d", b.people), Email: fmt.Sprintf("u%d@example.org", b.people), EmailKey: fmt.Sprintf("u%d", b.people), PasswordHash: []byte("x"), Role: "member", CreatedAt: at, PasswordAt: at}
	if err := b.store.CreateUser(b.t.Context(), u); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) create(kind Kind) Manifest {
	b.t.Helper()
	m, err := b.Create(b.t.Context(), kind, "test", nil)
	if err != nil {
		b.t.Fatalf("Create(%s): %v", kind, err)
	}
	b.now = b.now.Add(time.Minute)
	return m
}

func (b *bench) names() []string {
	b.t.Helper()
	all, err := b.List(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	names := []string{}
	for _, e := range all {
		names = append(names, e.Name)
	}
	return names
}

func (b *bench) verify(name string) Verification {
	b.t.Helper()
	_, v, err := b.Verify(b.t.Context(), name, nil)
	if err != nil {
		b.t.Fatalf("Verify(%q): %v", name, err)
	}
	return v
}

func (b *bench) digest() store.Digest {
	b.t.Helper()
	return digestAt(b.t, b.store)
}

func digestAt(t *testing.T, st *sqlite.Store) (d store.Digest) {
	t.Helper()
	err := st.Snapshot(t.Context(), func(s store.Snapshot) (err error) {
		d, err = store.DigestOf(t.Context(), s, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// restored is the digest of what was restored.
func (b *bench) restored() store.Digest {
	b.t.Helper()
	st, err := sqlite.Open(b.t.Context(), b.path, sqlite.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	defer st.Close()
	return digestAt(b.t, st)
}

func TestAChainIsMadeVerifiedAndRestored(t *testing.T) {
	t.Parallel()
	for name, encrypted := range map[string]bool{"plain": false, "encrypted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if encrypted {
				key, err := age.GenerateX25519Identity()
				if err != nil {
					t.Fatal(err)
				}
				b.Recipients, b.Identities = []age.Recipient{key.Recipient()}, []age.Identity{key}
			}
			b.join()
			full := b.create(Full)
			b.join()
			next := b.create(Incremental)
			b.join()
			last := b.create(Incremental)
			if full.Name != "crownsafe_backup_full_20261123_120000" || last.Name != "crownsafe_backup_incremental_20261123_120200" || last.Encrypted != encrypted {
				t.Errorf("made %s, %s", full.Name, last.Name)
			}
			if next.Changed != 1 || last.Predecessor.Name != next.Name {
				t.Errorf("%d rows have changed, %+v", next.Changed, last.Predecessor)
			}
			stored, err := os.ReadFile(filepath.Join(b.folder, full.Object))
			if err != nil {
				t.Fatal(err)
			}
			if sealed := bytes.HasPrefix(stored, []byte("age-encryption.org/v1")); sealed != encrypted || strings.HasSuffix(full.Object, ".sql.gz.age") != encrypted {
				t.Errorf("%s is encrypted: %v", full.Object, sealed)
			}
			if v := b.verify(""); !v.OK || b.checked != 1 {
				t.Errorf("verified: %+v, looked at %d times", v, b.checked)
			}
			if r, err := b.Restore(t.Context(), RestoreOptions{Name: next.Object}); err != nil || r.Backup.Name != next.Name || len(r.Chain) != 2 {
				t.Fatalf("Restore: %+v, %v", r, err)
			}
			if d := b.restored(); d.SHA256() != next.Content {
				t.Errorf("restored %+v", d)
			}
			if encrypted {
				b.Identities = nil
				if _, _, err := b.Verify(t.Context(), "", nil); !errors.Is(err, ErrLocked) {
					t.Errorf("without an identity: %v", err)
				}
				if all, _ := b.List(t.Context()); !all[len(all)-1].Verified.OK {
					t.Error("whoever has no key says that the backup is bad")
				}
			}
		})
	}
}

// TestARestorationIsGuarded against what is there, and goes on after it was interrupted.
func TestARestorationIsGuarded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.join()
	b.create(Full)
	b.join()
	last := b.create(Incremental)
	if _, err := b.Restore(t.Context(), RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Restore(t.Context(), RestoreOptions{}); !errors.Is(err, ErrOccupied) {
		t.Errorf("over a store: %v", err)
	}

	// Here the store that is backed up and the one that is replaced are two.
	b.join()
	there := b.digest()
	objects := b.Objects
	b.Objects = &failing{Store: objects, key: last.Object, after: 10, from: 2}
	r, err := b.Restore(t.Context(), RestoreOptions{Name: last.Name, Replace: true})
	if !errors.Is(err, blob.ErrUnavailable) || r.Safety == "" {
		t.Errorf("with the increment out of reach: %+v, %v", r, err)
	}
	b.Objects = objects
	if safety, err := b.Chain(t.Context(), r.Safety); err != nil || safety[0].Content != there.SHA256() {
		t.Errorf("what was there is in %+v, %v", safety, err)
	}
	// What is there was in use meanwhile, for all that anybody knows.
	if _, err := b.Restore(t.Context(), RestoreOptions{Name: last.Name}); !errors.Is(err, ErrOccupied) {
		t.Errorf("once more without leave: %v", err)
	}
	b.now = b.now.Add(time.Minute)
	r, err = b.Restore(t.Context(), RestoreOptions{Name: last.Name, Replace: true})
	if err != nil || !r.Resumed || r.Safety == "" || b.restored().SHA256() != last.Content {
		t.Errorf("once more: %+v, %v", r, err)
	}
	if chain, err := b.Chain(t.Context(), ""); err != nil || chain[len(chain)-1].Name != last.Name {
		t.Errorf("the newest is what was replaced: %+v, %v", chain, err)
	}
}

// failing is a store of objects that breaks off: an upload after so many bytes, or
// the download of a key.
type failing struct {
	blob.Store
	key   string
	after int
	from  int // the download from which on it does; 0: the first
}

func (f *failing) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	if !strings.HasSuffix(key, f.key) || f.key == "" {
		return f.Store.Put(ctx, key, content, opts)
	}
	return f.Store.Put(ctx, key, io.MultiReader(io.LimitReader(content, int64(f.after)), gone{}), opts)
}

func (f *failing) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	content, info, err := f.Store.Get(ctx, key)
	if err == nil && key == f.key {
		f.from--
	}
	if err == nil && key == f.key && f.from <= 0 {
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(content, int64(f.after)), gone{}), content}, info, nil
	}
	return content, info, err
}

// gone is what is left of a connection.
type gone struct{}

func (gone) Read([]byte) (int, error) { return 0, blob.ErrUnavailable }

// TestHalfABackupCountsAsNothing wherever making it breaks off, and what was there
// before stays.
func TestHalfABackupCountsAsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.join()
	full := b.create(Full)
	objects := b.Objects
	for _, end := range []string{".sql.gz", manifestEnd} {
		for _, kind := range []Kind{Full, Incremental} {
			b.join()
			b.Objects = &failing{Store: objects, key: end, after: 5}
			if _, err := b.Create(t.Context(), kind, "test", nil); !errors.Is(err, blob.ErrUnavailable) {
				t.Errorf("%s, broken off at %s: %v", kind, end, err)
			}
			b.Objects = objects
			if names := b.names(); !slices.Equal(names, []string{full.Name}) {
				t.Errorf("%s, broken off at %s, leaves %q", kind, end, names)
			}
			if v := b.verify(""); !v.OK {
				t.Errorf("the one before: %+v", v)
			}
		}
	}
	// Nothing of what was missed by those that failed is missed by the next.
	if m := b.create(Incremental); m.Changed != 4 || !b.verify("").OK || m.Content != b.digest().SHA256() {
		t.Errorf("the next one has %d rows", m.Changed)
	}
	if left, err := filepath.Glob(filepath.Join(b.folder, prefix+"*")); err != nil || len(left) != 6 {
		t.Errorf("there are %q, %v", left, err)
	}
}

// TestABackupThatIsNotWhatWasWrittenIsFound at a glance or by trying, and says so.
func TestABackupThatIsNotWhatWasWrittenIsFound(t *testing.T) {
	t.Parallel()
	change := func(t *testing.T, path string, change func([]byte) []byte) {
		t.Helper()
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, change(was), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(t *testing.T, b *bench, full, next Manifest){
		"a byte": func(t *testing.T, b *bench, full, _ Manifest) {
			change(t, filepath.Join(b.folder, full.Object), func(was []byte) []byte { was[len(was)/2] ^= 1; return was })
		},
		"its end": func(t *testing.T, b *bench, _, next Manifest) {
			change(t, filepath.Join(b.folder, next.Object), func(was []byte) []byte { return was[:len(was)-9] })
		},
		"another text of the same length": func(t *testing.T, b *bench, _, next Manifest) {
			change(t, filepath.Join(b.folder, next.Object), func(was []byte) []byte { was[5] ^= 1; return was }) // the time in gzip's header
		},
		"its object": func(t *testing.T, b *bench, full, _ Manifest) {
			if err := os.Remove(filepath.Join(b.folder, full.Object)); err != nil {
				t.Fatal(err)
			}
		},
		"its predecessor": func(t *testing.T, b *bench, full, _ Manifest) {
			if err := b.Objects.Delete(t.Context(), full.Name+manifestEnd); err != nil {
				t.Fatal(err)
			}
		},
		"its predecessor's manifest": func(t *testing.T, b *bench, full, _ Manifest) {
			change(t, filepath.Join(b.folder, full.Name+manifestEnd), func(was []byte) []byte {
				return bytes.Replace(was, []byte(`"reason": "test"`), []byte(`"reason": "tesT"`), 1)
			})
		},
		"what it is said to hold": func(t *testing.T, b *bench, _, next Manifest) {
			change(t, filepath.Join(b.folder, next.Name+manifestEnd), func(was []byte) []byte {
				return bytes.Replace(was, []byte(`"serial": 0`), []byte(`"serial": 1`), 1)
			})
		},
		"what the program makes of it": func(_ *testing.T, b *bench, _, _ Manifest) { b.unfit = errors.New("unfit") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.join()
			full := b.create(Full)
			b.join()
			next := b.create(Incremental)
			if v := b.verify(next.Name); !v.OK {
				t.Fatalf("before: %+v", v)
			}
			spoil(t, b, full, next)
			v := b.verify(next.Name)
			if v.OK || v.Reason == "" {
				t.Errorf("afterwards: %+v", v)
			}
			if err := b.Look(t.Context()); err != nil || b.Status().Unrestorable == nil {
				t.Errorf("the status is %+v, %v", b.Status(), err)
			}
			if b.unfit == nil {
				if _, err := b.Restore(t.Context(), RestoreOptions{Name: next.Name}); !errors.Is(err, ErrDamaged) {
					t.Errorf("Restore: %v", err)
				}
				if _, err := os.Stat(b.path); err == nil {
					t.Error("something was restored")
				}
			}
			b.unfit = nil
			b.create(Full)
			if v := b.verify(""); !v.OK {
				t.Errorf("a new one: %+v", v)
			}
			if err := b.Look(t.Context()); err != nil || b.Status().Unrestorable != nil {
				t.Errorf("then the status is %+v, %v", b.Status(), err)
			}
		})
	}
}

// TestOneAtATime: who comes while another makes a backup is told so.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := b.keeper(b.Objects, "another")
	err := b.alone(t.Context(), b.store, func(ctx context.Context) error {
		if _, err := other.Create(ctx, Full, "test", nil); !errors.Is(err, ErrBusy) {
			t.Errorf("Create: %v", err)
		}
		if _, err := other.Prune(ctx, Retention{}); !errors.Is(err, ErrBusy) {
			t.Errorf("Prune: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Create(t.Context(), Full, "test", nil); err != nil {
		t.Errorf("when nobody is at work any more: %v", err)
	}
}

// TestTheScheduleMakesWhatIsDue, whoever made backups before.
func TestTheScheduleMakesWhatIsDue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := b.keeper(b.Objects, "another")
	s := Schedule{At: 2 * time.Hour, Every: 5 * time.Minute, VerifyEvery: time.Hour, Retention: Retention{For: 30 * 24 * time.Hour, Increments: 7 * 24 * time.Hour, AtLeastFull: 3}}
	tick := func(at time.Time, want int) {
		t.Helper()
		b.now = at
		for _, k := range []*Keeper{b.Keeper, other} {
			if err := errors.Join(k.makeDue(t.Context(), s), k.verifyDue(t.Context(), s)); err != nil {
				t.Fatalf("at %s: %v", at, err)
			}
		}
		if names := b.names(); len(names) != want {
			t.Errorf("at %s there are %q, want %d", at, names, want)
		}
	}
	noon := b.now
	tick(noon, 1)
	tick(noon.Add(4*time.Minute), 1)
	tick(noon.Add(5*time.Minute), 2)
	if b.checked != 1 { // the full one; the other is tried within the hour
		t.Errorf("%d were verified", b.checked)
	}
	tick(noon.Add(13*time.Hour+59*time.Minute), 3)
	if b.checked != 2 {
		t.Errorf("%d were verified", b.checked)
	}
	tick(noon.Add(14*time.Hour), 4)
	names := b.names()
	if names[0] != "crownsafe_backup_full_20261123_120000" || names[1] != "crownsafe_backup_incremental_20261123_120500" || names[3] != "crownsafe_backup_full_20261124_020000" {
		t.Errorf("made %q", names)
	}
	// What has changed isn't known any more: a full one is made in place of the other.
	if ended, err := b.store.BoundChanges(t.Context(), -1); err != nil || !ended {
		t.Fatal(ended, err)
	}
	tick(noon.Add(14*time.Hour+5*time.Minute), 5)
	if names := b.names(); names[4] != "crownsafe_backup_full_20261124_020501" && names[4] != "crownsafe_backup_full_20261124_020500" {
		t.Errorf("made %q", names)
	}
}
