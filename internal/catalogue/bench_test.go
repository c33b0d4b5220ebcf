package catalogue

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// The sizes that are measured: what there is today, and what there will be.
var benchSizes = []int{20_000, 250_000}

// generated is a store.Notices that makes its notices as it is read, so that
// the garbage collector has nothing but the catalogue to look after.
type generated struct {
	store.Notices
	count int
}

func (g generated) Changes(_ context.Context, since int64, _ int, yield func(store.Stored) error) error {
	for i := int(since); i < g.count; i++ {
		if err := yield(store.Stored{Serial: int64(i + 1), Notice: synthetic(i)}); err != nil {
			return err
		}
	}
	return nil
}

var benchCatalogues = map[int]func() *Catalogue{}

func init() {
	for _, n := range benchSizes {
		benchCatalogues[n] = sync.OnceValue(func() *Catalogue {
			c := New()
			if err := c.Load(context.Background(), generated{count: n}); err != nil {
				panic(err)
			}
			c.merges.Wait()
			runtime.GC()
			return c
		})
	}
}

func eachSize(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("notices=%d", n), func(b *testing.B) { run(b, n) })
	}
}

// keptInMemory is up to how many notices are made before the clock starts.
const keptInMemory = 20_000

// BenchmarkLoad also reports the memory that a notice takes in the catalogue.
func BenchmarkLoad(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		before := heapInUse()
		var c *Catalogue
		var s store.Notices = generated{count: n}
		if n <= keptInMemory {
			s = newShelf(synthetics(0, n)...)
		}
		for b.Loop() {
			c = New()
			if err := c.Load(b.Context(), s); err != nil {
				b.Fatal(err)
			}
			c.merges.Wait()
		}
		s = nil
		after := heapInUse()
		b.ReportMetric(float64(after-before)/float64(n), "B/notice")
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n)/float64(b.N), "µs/notice")
		b.ReportMetric(float64(len(c.Current().parts)), "segments")
		runtime.KeepAlive(c)
	})
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func benchQuestions(b *testing.B, n int, unit func(recall.Notice) recall.Unit) []recall.Question {
	b.Helper()
	var questions []recall.Question
	for i := 0; len(questions) < 512; i++ {
		u := unit(synthetic(i * 37 % n))
		if u == (recall.Unit{}) {
			continue
		}
		q, err := recall.Read(u)
		if err != nil {
			b.Fatal(err)
		}
		questions = append(questions, q)
	}
	return questions
}

func benchDecide(b *testing.B, unit func(recall.Notice) recall.Unit) {
	eachSize(b, func(b *testing.B, n int) {
		s := benchCatalogues[n]().Current()
		questions := benchQuestions(b, n, unit)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if d := s.Decide(&questions[i%len(questions)]); d.Outcome == recall.NoMatch {
				b.Fatal("not found")
			}
			i++
		}
	})
}

func BenchmarkDecideGTIN(b *testing.B) {
	benchDecide(b, func(n recall.Notice) recall.Unit {
		if len(n.Products[0].GTINs) == 0 {
			return recall.Unit{}
		}
		return recall.Unit{GTIN: n.Products[0].GTINs[0].Printed}
	})
}

func BenchmarkDecideName(b *testing.B) {
	benchDecide(b, func(n recall.Notice) recall.Unit {
		return recall.Unit{Brand: n.Products[0].Brand, Name: n.Products[0].Name, Model: n.Products[0].Models[0]}
	})
}

func BenchmarkCandidatesName(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		s := benchCatalogues[n]().Current()
		questions := benchQuestions(b, n, func(n recall.Notice) recall.Unit {
			return recall.Unit{Brand: n.Products[0].Brand, Name: n.Products[0].Name, Model: n.Products[0].Models[0]}
		})
		i := 0
		for b.Loop() {
			s.Candidates(&questions[i%len(questions)])
			i++
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	for _, kind := range []struct {
		name  string
		query func(n recall.Notice) Query
	}{
		{"name", func(n recall.Notice) Query { return Query{Words: n.Products[0].Name} }},
		{"typo", func(n recall.Notice) Query {
			w := n.Products[0].Brand
			return Query{Words: w[:1] + "x" + w[2:] + " " + n.Products[0].Name[len(w):]}
		}},
		{"common", func(n recall.Notice) Query {
			return Query{Words: "wooden stroller", Facets: []string{"agency", "hazard", "year"}}
		}},
		{"description", func(n recall.Notice) Query { return Query{Words: "small parts broken hinges label underside"} }},
		{"listing", func(n recall.Notice) Query { return Query{} }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			eachSize(b, func(b *testing.B, n int) {
				s := benchCatalogues[n]().Current()
				var queries []Query
				for i := range 256 {
					q := kind.query(synthetic(i * 37 % n))
					q.Limit = 20
					queries = append(queries, q)
				}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if _, err := s.Search(queries[i%len(queries)]); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		})
	}
}

// changed is a store.Notices with some changes above a serial.
type changed struct {
	store.Notices
	list []store.Stored
}

func (c changed) Changes(_ context.Context, _ int64, _ int, yield func(store.Stored) error) error {
	for _, s := range c.list {
		if err := yield(s); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkCatchUp1000 applies 1,000 changed notices.
func BenchmarkCatchUp1000(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		c := New()
		if err := c.Load(b.Context(), generated{count: n}); err != nil {
			b.Fatal(err)
		}
		c.merges.Wait()
		serial, next := int64(n), 0
		for b.Loop() {
			b.StopTimer()
			var batch changed
			for i := next; i < next+1000; i++ {
				serial++
				batch.list = append(batch.list, store.Stored{Serial: serial, Notice: synthetic(i)})
			}
			next = (next + 1000) % n
			b.StartTimer()
			if got, err := c.CatchUp(b.Context(), batch); err != nil || got != 1000 {
				b.Fatal(got, err)
			}
		}
		c.merges.Wait()
	})
}
