package catalogue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

func TestANewCatalogueIsEmptyAndNotLoaded(t *testing.T) {
	s := New().Current()
	if s.Loaded() || s.Serial() != 0 || s.Len() != 0 {
		t.Errorf("loaded %v, serial %d, %d notices", s.Loaded(), s.Serial(), s.Len())
	}
	if page, err := s.Search(Query{Words: "stroller", Limit: 5}); err != nil || page.Hits == nil || page.Total != 0 {
		t.Errorf("an empty catalogue's page is %+v, error %v", page, err)
	}
	q := question(t, recall.Unit{GTIN: "089301008588"})
	if d := s.Decide(&q); d.Outcome != recall.NoMatch {
		t.Errorf("an empty catalogue decides %s", d.Outcome)
	}
}

func TestAnEmptyStoreIsLoadedToo(t *testing.T) {
	c := New()
	if err := c.Load(t.Context(), newShelf()); err != nil || !c.Current().Loaded() {
		t.Errorf("loaded %v, error %v", c.Current().Loaded(), err)
	}
}

func TestAFailedLoadLeavesTheLastSnapshot(t *testing.T) {
	s, c := newShelf(synthetics(0, 10)...), New()
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("the disk is gone")
	s.fail(gone)
	if err := c.Load(t.Context(), s); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
	if _, err := c.CatchUp(t.Context(), s); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
	if got := c.Current(); got.Len() != 10 || !got.Loaded() || got.Serial() != 10 {
		t.Errorf("%d notices at serial %d stand", got.Len(), got.Serial())
	}
}

func TestCatchUpTellsHowManyChangesThereWere(t *testing.T) {
	s, c := newShelf(synthetics(0, 10)...), New()
	for _, want := range []int{10, 0, 2} {
		if got, err := c.CatchUp(t.Context(), s); err != nil || got != want {
			t.Errorf("%d changes, error %v; want %d", got, err, want)
		}
		if want == 0 {
			s.put(synthetic(3), synthetic(11))
		}
	}
	if got := c.Current(); got.Len() != 11 || got.Serial() != 12 {
		t.Errorf("%d notices at serial %d", got.Len(), got.Serial())
	}
}

// following runs Follow on a store that changes under it.
func following(t *testing.T, s *shelf, c *Catalogue, during func()) (logged string) {
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		c.Follow(ctx, s, time.Second, slog.New(slog.NewTextHandler(&log, nil)))
		close(done)
	}()
	synctest.Wait()
	during()
	cancel()
	<-done
	return log.String()
}

func TestFollowLooksEveryTickAndWhenWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newShelf(synthetics(0, 3)...), New()
		following(t, s, c, func() {
			serial := func(when string, want int64) {
				t.Helper()
				synctest.Wait()
				if got := c.Current().Serial(); got != want {
					t.Errorf("%s: serial %d, want %d", when, got, want)
				}
			}
			serial("at once", 3)
			s.put(synthetic(4))
			serial("before the tick", 3)
			time.Sleep(time.Second)
			serial("after the tick", 4)
			s.put(synthetic(5))
			c.Wake()
			serial("woken", 5)
		})
	})
}

func TestFollowLogsOncePerStreakAndKeepsTheSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newShelf(synthetics(0, 3)...), New()
		log := following(t, s, c, func() {
			for range 2 {
				s.fail(errors.New("no route to the database"))
				time.Sleep(5 * time.Second)
				if c.Current().Len() != 3 {
					t.Errorf("%d notices stand during the outage", c.Current().Len())
				}
				s.fail(nil)
				time.Sleep(5 * time.Second)
			}
		})
		if n := strings.Count(log, "no route to the database"); n != 2 {
			t.Errorf("two outages were logged %d times:\n%s", n, log)
		}
		if n := strings.Count(log, "follows the store again"); n != 2 {
			t.Errorf("two recoveries were logged %d times:\n%s", n, log)
		}
	})
}

func TestFollowLoadsAnewWhenTheSerialWentBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := newShelf(synthetics(0, 9)...), New()
		following(t, s, c, func() {
			restored := newShelf(synthetics(20, 22)...)
			s.mu.Lock()
			s.byID, s.serial = restored.byID, restored.serial
			s.mu.Unlock()
			time.Sleep(time.Second)
			synctest.Wait()
			if got := c.Current(); got.Len() != 2 || got.Serial() != 2 {
				t.Errorf("%d notices at serial %d after a backup was restored", got.Len(), got.Serial())
			}
		})
	})
}

// A server that fails over between two looks, to one that had fallen behind and
// has regained the serial since, is noticed although no look failed.
func TestASilentFailoverIsFollowedByAComparison(t *testing.T) {
	for _, c := range []struct {
		name string
		more int // changes that the other server has beyond the serial
		told bool
	}{
		{"watching lost its connection", 0, true},
		{"watching lost its connection, and more was written", 3, true},
		{"nobody heard of it", 0, false},
		{"nobody heard of it, and more was written", 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, catalogue := newShelf(synthetics(0, 30)...), New()
				log := following(t, s, catalogue, func() {
					other := newShelf(append(synthetics(0, 25), synthetics(50, 55+c.more)...)...)
					s.mu.Lock()
					s.byID, s.serial = other.byID, other.serial
					s.mu.Unlock()
					if c.told {
						catalogue.Wake()
					} else {
						time.Sleep(compareEvery + time.Second)
					}
					synctest.Wait()
					got := catalogue.Current()
					_, _, missed := got.Notice(synthetic(50).ID)
					_, _, lost := got.Notice(synthetic(29).ID)
					if !missed || lost || got.Serial() != s.serial {
						t.Errorf("at serial %d the new notice is there: %v, the lost one: %v", got.Serial(), missed, lost)
					}
				})
				if log != "" {
					t.Errorf("the log says %s", log)
				}
			})
		})
	}
}

// lagging is a shelf whose serial comes from one server and all else from another,
// which has not everything yet.
type lagging struct {
	*shelf
	serial int64
}

func (l *lagging) Serial(context.Context) (int64, error) { return l.serial, nil }

func TestWhatWasReadFromAServerThatLagsBehindIsNotFresh(t *testing.T) {
	t.Parallel()
	c, l := New(), &lagging{newShelf(synthetics(0, 20)...), 20}
	refresh := func(when string, want int64, behind bool) {
		t.Helper()
		before := c.FreshAt()
		err := c.Refresh(t.Context(), l)
		if errors.Is(err, errBehind) != behind || err == nil == behind {
			t.Errorf("%s: error %v", when, err)
		}
		if got := c.Current(); got.Serial() != want || got.FreshAt().After(before) == behind {
			t.Errorf("%s: serial %d, fresh at %s, before at %s", when, got.Serial(), got.FreshAt(), before)
		}
	}
	l.serial = 21
	refresh("loading", 0, true)
	l.serial = 20
	refresh("loaded", 20, false)
	l.serial = 23
	refresh("nothing came", 20, true)
	l.put(synthetics(30, 32)...)
	refresh("some came", 22, true)
	l.put(synthetic(32))
	refresh("all came", 23, false)
	ahead := l.shelf
	l.shelf = newShelf(synthetics(0, 20)...)
	c.Wake()
	refresh("compared with what lags behind", 23, true)
	l.shelf = ahead
	refresh("compared with all", 23, false)
}

// Readers see whole snapshots while the catalogue is caught up, merged and
// loaded under them.
func TestReadersDuringSwaps(t *testing.T) {
	s, c := newShelf(synthetics(0, 300)...), New()
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			n := synthetic(i)
			u := recall.Unit{Brand: n.Products[0].Brand, Name: n.Products[0].Name, Model: n.Products[0].Models[0]}
			for serial := int64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				snapshot := c.Current()
				if snapshot.Serial() < serial {
					t.Errorf("the serial went back from %d to %d", serial, snapshot.Serial())
				}
				serial = snapshot.Serial()
				q := question(t, u)
				if d := snapshot.Decide(&q); d.Outcome == recall.NoMatch {
					t.Errorf("%s isn't found at serial %d", n.ID, serial)
				}
				if _, _, ok := snapshot.Document(n.ID); !ok {
					t.Errorf("%s is gone at serial %d", n.ID, serial)
				}
				if page, err := snapshot.Search(Query{Words: n.Products[0].Name, Limit: 20, Facets: []string{"agency"}}); err != nil || page.Total == 0 {
					t.Errorf("search at serial %d: %d hits, error %v", serial, page.Total, err)
				}
				if changes, _ := snapshot.Changes(serial-5, 10); len(changes) != 5 {
					t.Errorf("%d changes above serial %d of %d", len(changes), serial-5, serial)
				}
			}
		})
	}
	for round := range 9 {
		for i := range 40 {
			s.put(synthetic((round*40 + i) % 700))
		}
		if _, err := c.CatchUp(t.Context(), s); err != nil {
			t.Error(err)
		}
		if round%3 == 2 {
			if err := c.Load(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	readers.Wait()
	c.merges.Wait()
}

func TestSegmentsStayFew(t *testing.T) {
	s, c := newShelf(), New()
	for i := range 600 {
		s.put(synthetic(i % 500))
		if _, err := c.CatchUp(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	c.merges.Wait()
	if n := len(c.Current().parts); n > 12 {
		t.Errorf("%d segments after 600 updates of one notice", n)
	}
	if got := c.Current(); got.Len() != 500 {
		t.Errorf("%d notices", got.Len())
	}
}

func TestChangesComeInOrderAndInPages(t *testing.T) {
	s, c := newShelf(synthetics(0, 6)...), New()
	s.withdraw(synthetic(2).ID)
	s.supersede(synthetic(4).ID)
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	mirror := map[string]bool{}
	var serials []int64
	for since, more := int64(0), true; more; {
		var changes []Change
		changes, more = c.Current().Changes(since, 4)
		for _, ch := range changes {
			if ch.Tombstone != (ch.Notice == nil) {
				t.Errorf("%s: tombstone %v with notice %v", ch.ID, ch.Tombstone, ch.Notice)
			}
			mirror[ch.ID] = !ch.Tombstone
			serials = append(serials, ch.Serial)
			since = ch.Serial
		}
	}
	if got, want := fmt.Sprint(serials), "[1 2 4 6 7 8]"; got != want {
		t.Errorf("serials %s, want %s", got, want)
	}
	if mirror[synthetic(2).ID] || mirror[synthetic(4).ID] || !mirror[synthetic(0).ID] || len(mirror) != 6 {
		t.Errorf("the mirror holds %v", mirror)
	}
}

func TestAWithdrawnNoticeIsKeptByIDAndASupersededOneIsNot(t *testing.T) {
	s, c := newShelf(synthetics(0, 3)...), New()
	s.withdraw(synthetic(0).ID)
	s.supersede(synthetic(1).ID)
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if n, serial, ok := c.Current().Notice(synthetic(0).ID); !ok || n.Status != recall.Withdrawn || serial != 4 {
		t.Errorf("withdrawn: found %v, status %s, serial %d", ok, n.Status, serial)
	}
	if _, _, ok := c.Current().Notice(synthetic(1).ID); ok {
		t.Error("an id that lives on under another one is answered")
	}
	if n := c.Current().Len(); n != 2 {
		t.Errorf("%d notices, want 2", n)
	}
}

func TestCountsByAgency(t *testing.T) {
	barcode := recall.Product{Name: "x", GTINs: []recall.PrintedGTIN{{GTIN: "00089301008588", Printed: "089301008588"}}, Models: []string{"TC-1"}}
	elevenDigits := recall.Product{Name: "x", GTINs: []recall.PrintedGTIN{{GTIN: "00089301008588", Printed: "89301008588"}}}
	real := recall.Provenance{SHA256: "ab"}
	s, c := newShelf(
		recall.Notice{ID: "us-cpsc:1", Agency: "us-cpsc", Provenance: real, Products: []recall.Product{barcode}},
		recall.Notice{ID: "us-cpsc:2", Agency: "us-cpsc", Provenance: real, Products: []recall.Product{elevenDigits}},
		recall.Notice{ID: "us-cpsc:3", Agency: "us-cpsc", Provenance: real, Status: recall.Withdrawn},
		recall.Notice{ID: "us-cpsc:4", Agency: "us-cpsc", Products: []recall.Product{barcode}},
		recall.Notice{
			ID: "us-fda:1", Agency: "us-fda", Provenance: real, Images: []string{"https://example.org/1.jpg"},
			Remedy:   recall.Remedy{Text: "Throw it away.", Contact: "0800 000"},
			Products: []recall.Product{{Name: "x", Units: []recall.Predicate{recall.Equals(1, recall.Lot, "A17", recall.Quote{})}}},
		},
		recall.Notice{ID: "us-fda:2", Agency: "us-fda", Provenance: real, Products: []recall.Product{{Name: "x", Models: []string{"CR2032"}}}},
		recall.Notice{ID: "fr-rappelconso:1", Agency: "fr-rappelconso"},
	), New()
	if err := c.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	want := map[string]AgencyCounts{
		"us-cpsc":        {Notices: 3, Starter: 1, WithBarcode: 1, WithModel: 1, Score: 45},
		"us-fda":         {Notices: 2, WithUnitCodes: 1, WithImage: 1, WithRemedy: 1, WithContact: 1, WithModel: 1, Flagged: 1, Flags: [recall.FlagKindCount]int{0, 0, 0, 1, 0}, Score: 55 + 10},
		"fr-rappelconso": {Starter: 1},
	}
	for agency, counts := range want {
		if got := c.Current().Counts()[agency]; got != counts {
			t.Errorf("%s: %+v, want %+v", agency, got, counts)
		}
	}
}
