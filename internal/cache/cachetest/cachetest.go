// Package cachetest is the conformance suite of the cache port: every level, and
// levels in front of one another, pass the same tests. It knows the port only,
// never an adapter.
package cachetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/testenv"
)

// Exercise holds a store to the contract. open returns an empty store that
// nothing else uses, with room for a few megabytes; it is called by several
// subtests at the same time.
func Exercise(t *testing.T, open func(t *testing.T) cache.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s cache.Store)
	}{
		{"what is set is found", roundTrip},
		{"what is not there can be claimed", absent},
		{"keys that look alike are not", alike},
		{"a value of another shape is not found", shapes},
		{"two claims of one key", twoClaims},
		{"invalidated by key, by tag, all", invalidated},
		{"a claim from before an invalidation is void", voidClaims},
		{"a value ends", ends},
		{"nothing is kept for longer than a day", cutToDay},
		{"what cannot be stored is no error", notStored},
		{"nothing out of date is read", neverStale},
		{"as a map with versions would", likeMap},
		{"an ended context", endedContext},
		{"it answers", answers},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func key(name string, tags ...string) cache.Key {
	return cache.Key{Use: "test", Shape: "1", Name: name, Tags: tags}
}

func get(t *testing.T, s cache.Store, k cache.Key) cache.Answer {
	t.Helper()
	answer, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatalf("Get(%.60q): %v", k, err)
	}
	if !answer.Found && len(answer.Claim) == 0 {
		t.Fatalf("Get(%.60q) finds nothing and gives no claim", k)
	}
	if answer.Found && (answer.TTL <= 0 || answer.TTL > cache.MaxTTL || answer.Claim != nil) {
		t.Errorf("Get(%.60q) finds a value for %s with claim %v", k, answer.TTL, answer.Claim)
	}
	return answer
}

// claimed returns the claim of a key that isn't there.
func claimed(t *testing.T, s cache.Store, k cache.Key) cache.Claim {
	t.Helper()
	answer := get(t, s, k)
	if answer.Found {
		t.Fatalf("Get(%.60q) finds %.40q, want nothing", k, answer.Value)
	}
	return answer.Claim
}

func set(t *testing.T, s cache.Store, k cache.Key, value string, claim cache.Claim) {
	t.Helper()
	if err := s.Set(t.Context(), k, []byte(value), time.Hour, claim); err != nil {
		t.Fatalf("Set(%.60q): %v", k, err)
	}
}

func put(t *testing.T, s cache.Store, k cache.Key, value string) {
	t.Helper()
	set(t, s, k, value, claimed(t, s, k))
}

func invalidate(t *testing.T, s cache.Store, marks ...cache.Mark) {
	t.Helper()
	if err := s.Invalidate(t.Context(), marks...); err != nil {
		t.Fatalf("Invalidate(%.60q): %v", marks, err)
	}
}

// holds fails unless a key has this value.
func holds(t *testing.T, s cache.Store, k cache.Key, want string) {
	t.Helper()
	if answer := get(t, s, k); !answer.Found || string(answer.Value) != want {
		t.Errorf("Get(%.60q) finds %.40q (%t), want %.40q", k, answer.Value, answer.Found, want)
	}
}

func roundTrip(t *testing.T, s cache.Store) {
	values := map[string]string{
		"empty": "", "binary": "\x00\r\n\xff", "large": strings.Repeat("0123456789abcdef", 1<<16), "": "no name", "\x00\xff": "a name that is no text",
		strings.Repeat("long", 1000): "long", strings.Repeat("long", 1000) + "er": "longer", "{a}:b*c?[d]": "odd", "乳母车 👶": "世界",
	}
	for name, value := range values {
		put(t, s, key(name, "tag", "", "\xff", strings.Repeat("long tag", 100)), value)
	}
	for range 2 {
		for name, value := range values {
			holds(t, s, key(name, "tag", "", "\xff", strings.Repeat("long tag", 100)), value)
		}
	}
}

func absent(t *testing.T, s cache.Store) {
	for range 3 { // a claim that isn't used changes nothing
		claimed(t, s, key("a", "tag"))
	}
	put(t, s, key("a", "tag"), "x")
	claimed(t, s, key("b", "tag"))
	claimed(t, s, key("b"))
}

func alike(t *testing.T, s cache.Store) {
	keys := []cache.Key{
		{Use: "a", Shape: "1", Name: "b"},
		{Use: "a", Shape: "11", Name: "b"},
		{Use: "a", Shape: "1", Name: "1:b"},
		{Use: "a", Shape: "1", Name: "a/1:b"},
		{Use: "a-b", Shape: "1", Name: "b"},
		{Use: "a", Shape: "1", Name: "B"},
		{Use: "a", Shape: "1", Name: "b "},
		{Use: "a", Shape: "1", Name: strings.Repeat("b", 400)},
		{Use: "a", Shape: "1", Name: strings.Repeat("b", 401)},
	}
	for i, k := range keys {
		put(t, s, k, fmt.Sprint(i))
	}
	for i, k := range keys {
		holds(t, s, k, fmt.Sprint(i))
	}
}

func shapes(t *testing.T, s cache.Store) {
	older, newer := key("a", "tag"), key("a", "tag")
	newer.Shape = "2"
	put(t, s, older, "of the one shape")
	put(t, s, newer, "of the other")
	holds(t, s, older, "of the one shape")
	holds(t, s, newer, "of the other")
	// The processes of two releases invalidate each other's.
	invalidate(t, s, older.Mark())
	claimed(t, s, newer)
	claimed(t, s, older)
}

func twoClaims(t *testing.T, s cache.Store) {
	k := key("a", "tag")
	first, second := claimed(t, s, k), claimed(t, s, k)
	set(t, s, k, "first, which is longer", first)
	holds(t, s, k, "first, which is longer")
	set(t, s, k, "second", second)
	if answer := get(t, s, k); !answer.Found || string(answer.Value) != "first, which is longer" && string(answer.Value) != "second" {
		t.Errorf("then %q is found (%t), want either", answer.Value, answer.Found)
	}
	invalidate(t, s, k.Mark())
	claimed(t, s, k)
}

func invalidated(t *testing.T, s cache.Store) {
	long := strings.Repeat("long", 200)
	all := []cache.Key{key("a", "x"), key("b", "x", "y"), key("c", "y", long), key("d"), key("x"), key("y", "d"), key(long)}
	for _, test := range []struct {
		what  string
		marks []cache.Mark
		gone  []int
	}{
		{"nothing", nil, nil},
		{"a key", []cache.Mark{key("a").Mark()}, []int{0}},
		{"a key that is a tag too", []cache.Mark{key("d").Mark()}, []int{3}},
		{"a tag", []cache.Mark{cache.TagMark("x")}, []int{0, 1}},
		{"a tag that is a key too", []cache.Mark{cache.TagMark("d")}, []int{5}},
		{"a long key", []cache.Mark{key(long).Mark()}, []int{6}},
		{"a long tag", []cache.Mark{cache.TagMark(long)}, []int{2}},
		{"what is not there", []cache.Mark{cache.TagMark("z"), key("z").Mark()}, nil},
		{"several", []cache.Mark{cache.TagMark("y"), key("d").Mark(), key("d").Mark()}, []int{1, 2, 3}},
		{"all", []cache.Mark{cache.All}, []int{0, 1, 2, 3, 4, 5, 6}},
	} {
		for _, k := range all {
			if answer := get(t, s, k); !answer.Found {
				set(t, s, k, k.Name, answer.Claim)
			}
		}
		invalidate(t, s, test.marks...)
		gone := map[int]bool{}
		for _, i := range test.gone {
			gone[i] = true
		}
		for i, k := range all {
			if found := get(t, s, k).Found; found == gone[i] {
				t.Errorf("after %s was invalidated, %.20q with tags %.20q is there: %t", test.what, k.Name, k.Tags, found)
			}
		}
	}
}

func voidClaims(t *testing.T, s cache.Store) {
	k := key("a", "x", "y")
	for _, mark := range []cache.Mark{k.Mark(), cache.TagMark("x"), cache.TagMark("y"), cache.All} {
		before := claimed(t, s, k)
		invalidate(t, s, mark)
		set(t, s, k, "from before", before)
		after := claimed(t, s, k)
		set(t, s, k, "from before", before)
		set(t, s, k, "from after", after)
		holds(t, s, k, "from after")
		invalidate(t, s, mark)
		set(t, s, k, "from before", before)
		set(t, s, k, "from before", after)
		claimed(t, s, k)
	}
	// What happens to others doesn't void a claim.
	claim := claimed(t, s, k)
	invalidate(t, s, cache.TagMark("z"), key("b").Mark())
	set(t, s, k, "still good", claim)
	holds(t, s, k, "still good")
}

func ends(t *testing.T, s cache.Store) {
	if err := s.Set(t.Context(), key("short"), []byte("x"), 20*time.Millisecond, claimed(t, s, key("short"))); err != nil {
		t.Fatal(err)
	}
	put(t, s, key("long"), "y")
	testenv.Eventually(t, 10*time.Second, "the value ends", func() bool { return !get(t, s, key("short")).Found })
	holds(t, s, key("long"), "y")
}

func cutToDay(t *testing.T, s cache.Store) {
	if err := s.Set(t.Context(), key("a"), []byte("x"), 1000*cache.MaxTTL, claimed(t, s, key("a"))); err != nil {
		t.Fatal(err)
	}
	holds(t, s, key("a"), "x") // get looks at the time
}

func notStored(t *testing.T, s cache.Store) {
	for what, store := range map[string]func(k cache.Key, good cache.Claim) error{
		"no claim": func(k cache.Key, _ cache.Claim) error { return s.Set(t.Context(), k, []byte("x"), time.Hour, nil) },
		"an empty claim": func(k cache.Key, _ cache.Claim) error {
			return s.Set(t.Context(), k, []byte("x"), time.Hour, cache.Claim{})
		},
		"no time":          func(k cache.Key, good cache.Claim) error { return s.Set(t.Context(), k, []byte("x"), 0, good) },
		"less than none":   func(k cache.Key, good cache.Claim) error { return s.Set(t.Context(), k, []byte("x"), -time.Hour, good) },
		"too little of it": func(k cache.Key, good cache.Claim) error { return s.Set(t.Context(), k, []byte("x"), 1, good) },
	} {
		k := key(what, "tag")
		if err := store(k, claimed(t, s, k)); err != nil {
			t.Errorf("Set with %s: %v", what, err)
		}
		if what == "too little of it" {
			testenv.Eventually(t, 10*time.Second, "it ends", func() bool { return !get(t, s, k).Found })
		}
		claimed(t, s, k)
	}
}

// neverStale changes a source and invalidates what was made of it, while others
// read through the cache: who starts to read after an invalidation was over must
// not get what was there before it.
func neverStale(t *testing.T, s cache.Store) {
	const changes, readers = 200, 4
	var source, published atomic.Int64
	k := key("a", "x", "y")
	read := func() int64 {
		answer := get(t, s, k)
		if answer.Found {
			var n int64
			if _, err := fmt.Sscan(string(answer.Value), &n); err != nil {
				t.Errorf("found %q", answer.Value)
			}
			return n
		}
		n := source.Load()
		set(t, s, k, fmt.Sprint(n), answer.Claim)
		return n
	}
	var group sync.WaitGroup
	done := make(chan struct{})
	for range readers {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				atLeast := published.Load()
				if n := read(); n < atLeast {
					t.Errorf("read %d after %d was published", n, atLeast)
					return
				}
			}
		})
	}
	marks := []cache.Mark{k.Mark(), cache.TagMark("x"), cache.TagMark("y"), cache.All}
	for i := range changes {
		n := source.Add(1)
		invalidate(t, s, marks[i%len(marks)])
		published.Store(n)
	}
	close(done)
	group.Wait()
	if n := read(); n != changes {
		t.Errorf("at the end %d is read, want %d", n, changes)
	}
}

func endedContext(t *testing.T, s cache.Store) {
	put(t, s, key("a"), "x")
	claim := claimed(t, s, key("b"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := s.Get(ctx, key("a"))
	_, missErr := s.Get(ctx, key("b"))
	for name, err := range map[string]error{
		"Get": getErr, "Get of nothing": missErr,
		"Set": s.Set(ctx, key("b"), []byte("x"), time.Hour, claim), "Ping": s.Ping(ctx),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	claimed(t, s, key("b"))
	holds(t, s, key("a"), "x")
}

func answers(t *testing.T, s cache.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	value := bytes.Repeat([]byte("x"), 1000)
	put(t, s, key("a"), string(value))
	usage := s.Usage()
	if one := usage.PerUse["test"]; usage.Entries != one.Entries || usage.Bytes < one.Bytes || usage.Entries < 0 || usage.Bytes < 0 {
		t.Errorf("Usage: %+v", usage)
	}
}
