package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// describe fills in what a digest says.
func (m *Manifest) describe(d store.Digest) {
	m.Serial, m.Content = d.Serial, d.SHA256()
	for i, t := range store.Tables() {
		m.Tables = append(m.Tables, Table{t.Name, t.Columns, t.Key, d.Tables[i].Rows, d.Tables[i].SHA256})
	}
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
	return k.list(ctx, func(string) bool { return true })
}

// list returns those whose names are wanted.
func (k *Keeper) list(ctx context.Context, wanted func(name string) bool) ([]Entry, error) {
	objects, err := k.Objects.List(ctx, prefix, "", 0)
	if err != nil {
		return nil, fmt.Errorf("listing the backups: %w", err)
	}
	sizes := map[string]int64{}
	for _, o := range objects {
		sizes[o.Key] = o.Size
	}
	var entries []Entry
	var lock sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for _, o := range objects {
		name, isManifest := strings.CutSuffix(o.Key, manifestEnd)
		if !isManifest || !wanted(name) {
			continue
		}
		group.Go(func() error {
			e, err := k.entry(ctx, name, sizes)
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
		if byTime := a.StartedAt.Compare(b.StartedAt); byTime != 0 {
			return byTime
		}
		return strings.Compare(a.Name, b.Name)
	})
	return entries, nil
}

// entry reads what there is of a backup. A manifest that can't be read is a fault of
// that backup, and of no other.
func (k *Keeper) entry(ctx context.Context, name string, sizes map[string]int64) (Entry, error) {
	e := Entry{Manifest: Manifest{Name: name}}
	e.StartedAt, _ = timeOf(name)
	if strings.HasPrefix(name, prefix+string(Incremental)) {
		e.Kind = Incremental
	} else {
		e.Kind = Full
	}
	var err error
	if e.hash, err = k.read(ctx, name+manifestEnd, &e.Manifest); err != nil {
		if !errors.Is(err, ErrDamaged) {
			return e, err
		}
		e.Fault = "its manifest can't be read"
		return e, nil
	}
	switch size, there := sizes[e.Object]; {
	case e.Layout != manifestLayout:
		e.Fault = "its manifest is of another version of the program"
	case e.Name != name:
		e.Fault = "its manifest is another one's"
	case !there:
		e.Fault = "its object is gone"
	case size != e.Size:
		e.Fault = fmt.Sprintf("its object has %d bytes in place of %d", size, e.Size)
	}
	if _, there := sizes[name+verifiedEnd]; there {
		var v Verification
		if _, err := k.read(ctx, name+verifiedEnd, &v); err == nil {
			e.Verified = &v
		}
	}
	return e, nil
}

// read reads a document and returns its hash.
func (k *Keeper) read(ctx context.Context, key string, into any) (hash string, err error) {
	content, _, err := k.Objects.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return "", fmt.Errorf("%w: %s", ErrNone, key)
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	defer content.Close() //nolint:errcheck // it was read
	document, err := io.ReadAll(io.LimitReader(content, maxDocument))
	if errors.Is(err, blob.ErrDamaged) {
		return "", fmt.Errorf("%w: %s: %w", ErrDamaged, key, err)
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	if err := json.Unmarshal(document, into); err != nil {
		return "", fmt.Errorf("%w: %s is no document: %w", ErrDamaged, key, err)
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:]), nil
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
	if name == "" {
		newest := newestOf(slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return e.Reason == beforeRestoring }))
		if newest == nil {
			return nil, fmt.Errorf("%w: none was made yet", ErrNone)
		}
		name = newest.Name
	}
	return chainOf(all, bareName(name))
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
