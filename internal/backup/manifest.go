package backup

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// Manifest tells of a backup. It stands beside it as JSON.
type Manifest struct {
	Layout     int       `json:"layout"` // of this document
	Name       string    `json:"name"`
	Kind       Kind      `json:"kind"`
	Reason     string    `json:"reason"` // what it was made for, such as "by hand"
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	Seconds    float64   `json:"duration_seconds"`

	Program string `json:"program"` // the version that made it
	Engine  string `json:"engine"`  // sqlite or postgres
	Server  string `json:"server"`
	Schema  int64  `json:"schema"`

	// Serial, Tables and Content are of everything that a restoration makes of the chain.
	Serial  int64   `json:"serial"`
	Tables  []Table `json:"tables"`
	Content string  `json:"content_sha256"`
	Changed int64   `json:"changed_rows"` // of an incremental one

	Object    string `json:"object"` // the key of the backup itself
	Size      int64  `json:"size"`   // in bytes, as it is stored
	SHA256    string `json:"sha256"` // of those bytes
	TextSize  int64  `json:"text_size"`
	Encrypted bool   `json:"encrypted"`

	Position store.Position `json:"position"`
	// Untracked says why nothing incremental can follow; empty: it can.
	Untracked   string       `json:"untracked,omitempty"`
	Predecessor *Predecessor `json:"predecessor,omitempty"`
}

// Table tells what a table held, and how that is read.
type Table struct {
	Name    string         `json:"name"`
	Columns []store.Column `json:"columns"`
	Key     int            `json:"key"`
	Rows    int64          `json:"rows"`
	SHA256  string         `json:"sha256"`
}

// Predecessor is what an incremental backup follows.
type Predecessor struct {
	Name     string `json:"name"`
	Manifest string `json:"manifest_sha256"` // of its manifest's bytes
}

// describe fills in what a store holds. A table of which nothing has changed since the
// backup before is as that says: to read everything takes a while, and may be to be done
// every few minutes.
func (m *Manifest) describe(ctx context.Context, v store.Snapshot, before *Entry, changed map[string]int64) error {
	known := map[string]Table{}
	if before != nil {
		for _, t := range before.Tables {
			if changed[t.Name] == 0 {
				known[t.Name] = t
			}
		}
	}
	unknown := slices.DeleteFunc(store.Tables(), func(t store.Table) bool { _, is := known[t.Name]; return is })
	read, err := store.DigestOfTables(ctx, v, unknown, nil)
	if err != nil {
		return err
	}
	for i, t := range unknown {
		known[t.Name] = Table{t.Name, t.Columns, t.Key, read.Tables[i].Rows, read.Tables[i].SHA256}
	}
	whole := store.Digest{Serial: read.Serial}
	for _, t := range store.Tables() {
		one := known[t.Name]
		m.Tables = append(m.Tables, one)
		m.Changed += changed[t.Name]
		whole.Tables = append(whole.Tables, store.TableDigest{Table: t.Name, Rows: one.Rows, SHA256: one.SHA256})
	}
	m.Serial, m.Content = whole.Serial, whole.SHA256()
	return nil
}

// tables returns how what a restoration makes is read.
func (m *Manifest) tables() []store.Table {
	list := make([]store.Table, len(m.Tables))
	for i, t := range m.Tables {
		list[i] = store.Table{Name: t.Name, Columns: t.Columns, Key: t.Key}
	}
	return list
}

// differs says where what was restored isn't what was backed up; empty: nowhere.
func (m *Manifest) differs(d store.Digest) string {
	if d.Serial != m.Serial {
		return fmt.Sprintf("the last serial is %d in place of %d", d.Serial, m.Serial)
	}
	for i, want := range m.Tables {
		switch got := d.Tables[i]; {
		case got.Rows != want.Rows:
			return fmt.Sprintf("table %s has %d rows in place of %d", want.Name, got.Rows, want.Rows)
		case got.SHA256 != want.SHA256:
			return fmt.Sprintf("the %d rows of table %s are not those that there were", got.Rows, want.Name)
		}
	}
	return ""
}

// Verification tells whether a backup could be restored. It stands beside it.
type Verification struct {
	At      time.Time `json:"at"`
	OK      bool      `json:"ok"`
	Reason  string    `json:"reason,omitempty"` // why not
	Seconds float64   `json:"duration_seconds"`
	Program string    `json:"program"`
}

// Entry is a backup that was finished.
type Entry struct {
	Manifest
	// Fault says what is wrong with it at a glance, such as that its object is gone;
	// empty: nothing.
	Fault string
	// Verified is nil until somebody tried.
	Verified *Verification

	hash string // of the manifest
}

// Good reports that it can be relied on, as far as is known.
func (e *Entry) Good() bool { return e.Fault == "" && (e.Verified == nil || e.Verified.OK) }

// readAtOnce is how many manifests are read at the same time.
const readAtOnce = 8

// maxDocument bounds a manifest, in bytes.
const maxDocument = 1 << 20

// List returns every backup that was finished, oldest first.
func (k *Keeper) List(ctx context.Context) ([]Entry, error) {
	objects, err := k.Objects.List(ctx, prefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("listing the backups: %w", err)
	}
	there := map[string]blob.Info{}
	for _, o := range objects {
		there[o.Key] = o
	}
	k.known.forget(there)
	var entries []Entry
	var lock sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for _, o := range objects {
		name, isManifest := strings.CutSuffix(o.Key, manifestEnd)
		if !isManifest {
			continue
		}
		group.Go(func() error {
			e, err := k.entry(ctx, name, there)
			if errors.Is(err, ErrNone) { // removed since
				return nil
			}
			lock.Lock()
			defer lock.Unlock()
			entries = append(entries, e)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		atA, _ := timeOf(a.Name)
		atB, _ := timeOf(b.Name)
		return cmp.Or(atA.Compare(atB), strings.Compare(a.Name, b.Name))
	})
	return entries, nil
}

// entry reads what there is of a backup. A manifest that can't be read is a fault of
// that backup, and of no other.
func (k *Keeper) entry(ctx context.Context, name string, there map[string]blob.Info) (Entry, error) {
	e := Entry{Manifest: Manifest{Name: name}}
	e.StartedAt, _ = timeOf(name)
	if strings.HasPrefix(name, prefix+string(Incremental)) {
		e.Kind = Incremental
	} else {
		e.Kind = Full
	}
	var err error
	if e.hash, err = k.known.read(ctx, k, there[name+manifestEnd], &e.Manifest); err != nil {
		if !errors.Is(err, ErrDamaged) {
			return e, err
		}
		e.Fault = "its manifest can't be read"
		return e, nil
	}
	switch object, stored := there[e.Object]; {
	case e.Layout != manifestLayout:
		e.Fault = "its manifest is of another version of the program"
	case e.Name != name:
		e.Fault = "its manifest is another one's"
	case !stored:
		e.Fault = "its object is gone"
	case object.Size != e.Size:
		e.Fault = fmt.Sprintf("its object has %d bytes in place of %d", object.Size, e.Size)
	}
	if verified, noted := there[name+verifiedEnd]; noted {
		var v Verification
		if _, err := k.known.read(ctx, k, verified, &v); err == nil {
			e.Verified = &v
		}
	}
	return e, nil
}

// manifests remembers documents as long as they are those that were read: with a
// backup every few minutes there are thousands, and all are looked at each time.
type manifests struct {
	lock  sync.Mutex
	known map[string]document
}

type document struct {
	of   blob.Info
	text []byte
}

// read reads a document and returns its hash.
func (d *manifests) read(ctx context.Context, k *Keeper, of blob.Info, into any) (hash string, err error) {
	d.lock.Lock()
	have, ok := d.known[of.Key]
	d.lock.Unlock()
	if !ok || have.of.Size != of.Size || !have.of.ModifiedAt.Equal(of.ModifiedAt) {
		if have.text, err = k.fetch(ctx, of.Key); err != nil {
			return "", err
		}
		d.lock.Lock()
		if d.known == nil {
			d.known = map[string]document{}
		}
		d.known[of.Key] = document{of, have.text}
		d.lock.Unlock()
	}
	if err := json.Unmarshal(have.text, into); err != nil {
		return "", fmt.Errorf("%w: %s is no document: %w", ErrDamaged, of.Key, err)
	}
	sum := sha256.Sum256(have.text)
	return hex.EncodeToString(sum[:]), nil
}

// forget lets go of what isn't there any more.
func (d *manifests) forget(there map[string]blob.Info) {
	d.lock.Lock()
	defer d.lock.Unlock()
	maps.DeleteFunc(d.known, func(key string, _ document) bool { _, still := there[key]; return !still })
}

func (k *Keeper) fetch(ctx context.Context, key string) ([]byte, error) {
	content, _, err := k.Objects.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("%w: %s", ErrNone, key)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	defer content.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(content, maxDocument))
	if errors.Is(err, blob.ErrDamaged) {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, key, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	return text, nil
}

// beforeRestoring is the reason of a backup of what a restoration replaces.
const beforeRestoring = "before a restoration"

// Chain returns a backup with all that it needs, the full one first. An empty name
// is the newest but for those of what a restoration replaced: who restores once more
// doesn't want what he was about to be rid of. Each stands under the hash that its
// follower has of it.
func (k *Keeper) Chain(ctx context.Context, name string) ([]Entry, error) {
	all, err := k.List(ctx)
	if err != nil {
		return nil, err
	}
	if name, err = nameIn(all, name); err != nil {
		return nil, err
	}
	return chainOf(all, name)
}

// nameIn returns the name of a backup that is meant.
func nameIn(all []Entry, name string) (string, error) {
	if name != "" {
		return bareName(name), nil
	}
	newest := newestOf(slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return e.Reason == beforeRestoring }))
	if newest == nil {
		return "", fmt.Errorf("%w: none was made yet", ErrNone)
	}
	return newest.Name, nil
}

// newestOf returns the newest backup that has no fault; nil: there is none.
func newestOf(all []Entry) *Entry {
	for i := range slices.Backward(all) {
		if all[i].Fault == "" {
			return &all[i]
		}
	}
	return nil
}

// culprits returns for each backup that can't be relied on, as far as is known, which
// one is to blame: itself, or one that it follows.
func culprits(all []Entry) map[string]*Entry {
	bad, known := map[string]*Entry{}, map[string]*Entry{}
	for i := range all { // those that are followed come first
		e := &all[i]
		known[e.Name] = e
		switch {
		case !e.Good():
			bad[e.Name] = e
		case e.Predecessor == nil:
		case known[e.Predecessor.Name] == nil || known[e.Predecessor.Name].hash != e.Predecessor.Manifest:
			bad[e.Name] = e
		case bad[e.Predecessor.Name] != nil:
			bad[e.Name] = bad[e.Predecessor.Name]
		}
	}
	return bad
}

func chainOf(all []Entry, name string) ([]Entry, error) {
	var chain []Entry
	for follower := (*Entry)(nil); ; {
		i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name })
		if i < 0 && follower == nil {
			return nil, fmt.Errorf("%w: %s", ErrNone, name)
		}
		if i < 0 {
			return nil, fmt.Errorf("%w: %s follows %s, which is gone", ErrDamaged, follower.Name, name)
		}
		e := all[i]
		if e.Fault != "" {
			return nil, fmt.Errorf("%w: %s: %s", ErrDamaged, name, e.Fault)
		}
		if follower != nil && follower.Predecessor.Manifest != e.hash {
			return nil, fmt.Errorf("%w: the manifest of %s isn't the one that %s follows", ErrDamaged, name, follower.Name)
		}
		chain = append(chain, e)
		if e.Predecessor == nil {
			slices.Reverse(chain)
			return chain, nil
		}
		if len(chain) > len(all) {
			return nil, fmt.Errorf("%w: %s follows itself", ErrDamaged, name)
		}
		follower, name = &e, e.Predecessor.Name
	}
}
