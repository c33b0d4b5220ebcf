package catalogue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// written returns a snapshot's records.
func written(t fataler, s *Snapshot) []byte {
	var b bytes.Buffer
	if err := s.WriteRecords(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func restored(t fataler, m Manifest, records []byte) *Catalogue {
	c := New()
	if err := c.Restore(context.Background(), m, bytes.NewReader(records)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestARestoredCatalogueIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, _, s := grown(t)
		records := written(t, before)
		c := restored(t, before.Manifest(), records)
		after := c.Current()
		alike(t, s, before, after)
		if !bytes.Equal(records, written(t, after)) {
			t.Fatal("the restored catalogue writes other records")
		}
		if continued, err := before.continuedIn(context.Background(), s, s.serial); err != nil || !continued {
			t.Fatalf("the store goes on from its own snapshot: %v, %v", continued, err)
		}
		// It goes on as the other one would.
		for range rapid.IntRange(1, 5).Draw(t, "more steps") {
			step(t, s)
		}
		fresh := New()
		for _, err := range []error{c.Refresh(context.Background(), s), fresh.Load(context.Background(), s)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		alike(t, s, fresh.Current(), c.Current())
	})
}

// alike fails when two snapshots of a shelf answer differently.
func alike(t *rapid.T, s *shelf, a, b *Snapshot) {
	same := func(what string, x, y any) {
		t.Helper()
		if reflect.DeepEqual(x, y) { // many times faster than to look for a difference
			return
		}
		if diff := cmp.Diff(x, y); diff != "" {
			t.Fatalf("%s differ (-one +other):\n%s", what, diff)
		}
	}
	same("serials", a.Serial(), b.Serial())
	same("sizes", a.Len(), b.Len())
	same("counts", a.Counts(), b.Counts())
	for id := range s.byID {
		x, serialX, okX := a.Notice(id)
		y, serialY, okY := b.Notice(id)
		same(id, []any{x, serialX, okX}, []any{y, serialY, okY})
	}
	x, _ := a.Changes(0, 1000)
	y, _ := b.Changes(0, 1000)
	same("changes", x, y)
	query := drawQuery(t)
	pageX, errX := a.Search(query)
	pageY, errY := b.Search(query)
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	same("pages", pageX, pageY)
	n := smallNotice(t, "x")
	q := question(t, recall.Unit{Brand: n.Products[0].Brand, Name: n.Products[0].Name,
		Model: rapid.SampledFrom([]string{"", "AB 100", "310"}).Draw(t, "model"),
		GTIN:  rapid.SampledFrom(append(printed(&n), "")).Draw(t, "gtin")})
	same("candidates", a.Candidates(&q), b.Candidates(&q))
	same("decisions", a.Decide(&q), b.Decide(&q))
}

func TestDamagedRecordsAreRefused(t *testing.T) {
	t.Parallel()
	s, c := newShelf(synthetics(0, 40)...), New()
	s.withdraw(synthetic(3).ID)
	s.supersede(synthetic(4).ID)
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	m, whole := c.Current().Manifest(), written(t, c.Current())
	other := newShelf(synthetics(50, 53)...)
	standing := New()
	if err := standing.Load(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, m Manifest, records []byte) {
		t.Helper()
		if err := standing.Restore(t.Context(), m, bytes.NewReader(records)); !errors.Is(err, ErrBadRecords) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	for cut := 0; cut < len(whole); cut += 97 {
		refused("cut off", m, whole[:cut])
	}
	refused("continued", m, append(bytes.Clone(whole), whole...))
	refused("with a huge part", m, []byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0})
	refused("with garbage", m, []byte{1, 0, 4, 1, 0xff, 0xff, 0xff, 0xff, 0x7f})
	short := m
	short.Records++
	refused("of another number", short, whole)
	late := m
	late.Serial++
	refused("of another serial", late, whole)
	ageless := m
	ageless.FreshAt = time.Time{}
	refused("of an unknown age", ageless, whole)
	if got := standing.Current(); got.Len() != 3 || got.Restored() {
		t.Errorf("%d notices stand, restored %v", got.Len(), got.Restored())
	}
	if err := standing.Restore(t.Context(), m, bytes.NewReader(whole)); err != nil || standing.Current().Len() != 39 {
		t.Errorf("%d notices, error %v", standing.Current().Len(), err)
	}
}

// What a record looks like is what recordVersion names: whoever changes the one
// changes the other, and this sum.
func TestRecordsAreOfTheirVersion(t *testing.T) {
	t.Parallel()
	g := segmentOf(fullNotice())
	sum := sha256.Sum256(append([]byte(g.brief(0)), g.expand(nil, 0)...))
	const version, want = 1, "9fb4ec7c4a51d146"
	if got := hex.EncodeToString(sum[:8]); got != want || recordVersion != version {
		t.Errorf("version %d of the record has sum %s; version %d had %s", recordVersion, got, version, want)
	}
}

// named is a shelf with an identity, which counts how far back it is read.
type named struct {
	*shelf
	identity string
	lowest   int64 // since of the changes that were asked for, the lowest
}

func (n *named) Identity(context.Context) (string, error) { return n.identity, n.err }

func (n *named) Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error {
	n.lowest = min(n.lowest, since)
	return n.shelf.Changes(ctx, since, limit, yield)
}

func TestARestoredCatalogueCatchesUpOnlyWithItsOwnStore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(n *named)
		all    bool // everything is read again
	}{
		{"nothing happened", func(*named) {}, false},
		{"two changes", func(n *named) { n.put(synthetic(3), synthetic(40)) }, false},
		{"another store", func(n *named) { n.identity = "another" }, true},
		{"a backup was restored", func(n *named) { n.shelf = newShelf(synthetics(0, 28)...) }, true},
		{"a backup was restored and written to since", func(n *named) {
			n.shelf = newShelf(synthetics(0, 28)...)
			n.put(synthetics(70, 73)...)
		}, true},
		{"a backup was restored and has another content of the same notice", func(n *named) {
			n.shelf = newShelf(synthetics(0, 29)...)
			last := synthetic(29)
			last.Remedy.Text = "Burn it."
			n.put(last)
		}, true},
		{"a backup was restored and has the same last notice", func(n *named) {
			n.shelf = newShelf(synthetics(0, 28)...)
			n.put(synthetic(70), synthetic(29), synthetic(71))
		}, true},
		{"the last notice changed again", func(n *named) { n.put(synthetic(29)) }, false},
		{"the last notice is superseded", func(n *named) { n.supersede(synthetic(29).ID) }, false},
		{"of the last notices all but one changed again", func(n *named) { n.put(synthetics(21, 30)...) }, false},
		{"the last notices changed again", func(n *named) { n.put(synthetics(20, 30)...) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := New()
			n := &named{shelf: newShelf(synthetics(0, 30)...), identity: "one"}
			if err := before.Load(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			after := restored(t, before.Current().Manifest(), written(t, before.Current()))
			if got := after.Current(); !got.Restored() || got.Store() != "one" || !got.FreshAt().Equal(before.FreshAt()) {
				t.Fatalf("restored %v, of store %q, fresh at %s", got.Restored(), got.Store(), got.FreshAt())
			}
			c.change(n)
			n.lowest = 100
			if err := after.Refresh(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			want := New()
			if err := want.Load(t.Context(), n.shelf); err != nil {
				t.Fatal(err)
			}
			x, _ := want.Current().Changes(0, 100)
			y, _ := after.Current().Changes(0, 100)
			if diff := cmp.Diff(x, y); diff != "" || after.Current().Serial() != n.serial {
				t.Errorf("serial %d; changes:\n%s", after.Current().Serial(), diff)
			}
			if got := after.Current(); got.Restored() || got.Store() != n.identity || !got.FreshAt().After(before.FreshAt()) {
				t.Errorf("restored %v, of store %q, fresh at %s", got.Restored(), got.Store(), got.FreshAt())
			}
			if all := n.lowest == 100 || n.lowest == 0; all != c.all {
				t.Errorf("read from serial %d", n.lowest)
			}
		})
	}
}

// Readers go on while a catalogue from a file is held against its store.
func TestReadersWhileTheStoreComesBack(t *testing.T) {
	t.Parallel()
	before, n := New(), &named{shelf: newShelf(synthetics(0, 50)...), identity: "one"}
	n.withdraw(synthetic(7).ID)
	if err := before.Load(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	after := restored(t, before.Current().Manifest(), written(t, before.Current()))
	asked := question(t, recall.Unit{Brand: synthetic(3).Products[0].Brand, Name: synthetic(3).Products[0].Name, Model: synthetic(3).Products[0].Models[0]})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				if d := after.Current().Decide(&asked); d.Outcome == recall.NoMatch {
					t.Error("a notice is not found")
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 20 {
		if err := after.Refresh(t.Context(), n); err != nil {
			t.Error(err)
		}
		if err := after.Restore(t.Context(), before.Current().Manifest(), bytes.NewReader(written(t, before.Current()))); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	readers.Wait()
	after.merges.Wait()
}

// A store that could not be reached for a while may be a restored backup by then.
func TestAnOutageIsFollowedByAComparison(t *testing.T) {
	t.Parallel()
	c, n := New(), &named{shelf: newShelf(synthetics(0, 10)...), identity: "one"}
	if err := c.Load(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	n.fail(store.ErrUnavailable)
	if err := c.Refresh(t.Context(), n); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
	n.shelf = newShelf(append(synthetics(0, 5), synthetics(20, 27)...)...)
	if err := c.Refresh(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if got := c.Current(); got.Len() != 12 || got.Serial() != 12 {
		t.Errorf("%d notices at serial %d", got.Len(), got.Serial())
	}
}

func TestFreshAtIsTheLastSuccessfulLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newShelf(synthetics(0, 3)...), New()
		if !c.FreshAt().IsZero() {
			t.Errorf("an empty catalogue is fresh at %s", c.FreshAt())
		}
		following(t, s, c, func() {
			fresh := func(when string, age time.Duration) {
				t.Helper()
				synctest.Wait()
				if got := time.Since(c.FreshAt()); got != age {
					t.Errorf("%s: %s old, want %s", when, got, age)
				}
			}
			fresh("loaded", 0)
			time.Sleep(10 * time.Second)
			fresh("nothing changed", 0)
			old := c.Current()
			s.put(synthetic(7))
			time.Sleep(time.Second)
			fresh("caught up", 0)
			s.fail(errors.New("no route"))
			time.Sleep(time.Hour)
			fresh("during an outage", time.Hour)
			s.fail(nil)
			time.Sleep(time.Second)
			fresh("after it", 0)
			if got := time.Since(old.FreshAt()); got != time.Hour+2*time.Second {
				t.Errorf("a snapshot that another one followed is %s old", got)
			}
		})
	})
}
