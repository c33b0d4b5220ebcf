package blobtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/blob"
)

func list(t *testing.T, s blob.Store) {
	all := []string{"a-b", "a/b", "a/c/d", "a/c0", "a0", "b/a", "b/b"}
	for _, key := range all {
		put(t, s, key, "x")
	}
	for _, test := range []struct {
		prefix, after string
		limit         int
		want          []string
	}{
		{"", "", 0, all},
		{"", "", 3, all[:3]},
		{"", "", 100, all},
		{"a", "", 0, all[:5]},
		{"a/", "", 0, all[1:4]},
		{"a/c", "", 0, all[2:4]},
		{"a/c/", "", 0, all[2:3]},
		{"a/c/d", "", 0, all[2:3]},
		{"a/c/d/", "", 0, nil},
		{"c", "", 0, nil},
		{"../", "", 0, nil},
		{"/", "", 0, nil},
		{"", "a/b", 0, all[2:]},
		{"", "a/", 0, all[1:]},
		{"", "a/bb", 2, all[2:4]},
		{"a", "a/c/d", 1, all[3:4]},
		{"b", "a", 0, all[5:]},
		{"a", "b", 0, nil},
		{"", "b/b", 0, nil},
	} {
		if got := keys(t, s, test.prefix, test.after, test.limit); !slices.Equal(got, test.want) {
			t.Errorf("List(%q, %q, %d) is %q, want %q", test.prefix, test.after, test.limit, got, test.want)
		}
	}
}

// listLikeMap draws keys from a small alphabet, so that prefixes and borders
// of folders meet.
func listLikeMap(t *testing.T, s blob.Store) {
	text := rapid.StringMatching(`[-ab/0]{0,5}`)
	var stored []string
	rapid.Check(t, func(rt *rapid.T) {
		key := "k" + rapid.StringMatching(`[-ab0]{0,2}(/[-ab0]{1,2}){0,2}`).Draw(rt, "key")
		clash := slices.ContainsFunc(stored, func(other string) bool {
			return strings.HasPrefix(other, key+"/") || strings.HasPrefix(key, other+"/")
		})
		if !clash && !slices.Contains(stored, key) {
			put(t, s, key, "x")
			stored = append(stored, key)
			slices.Sort(stored)
		}
		prefix, after := text.Draw(rt, "prefix"), text.Draw(rt, "after")
		if rapid.Bool().Draw(rt, "near keys") {
			prefix, after = "k"+prefix, "k"+after
		}
		limit := rapid.IntRange(0, 4).Draw(rt, "limit")
		var want []string
		for _, key := range stored {
			if strings.HasPrefix(key, prefix) && key > after && (limit == 0 || len(want) < limit) {
				want = append(want, key)
			}
		}
		if got := keys(t, s, prefix, after, limit); !slices.Equal(got, want) {
			rt.Fatalf("List(%q, %q, %d) of %q is %q, want %q", prefix, after, limit, stored, got, want)
		}
	})
}

// manyPages has more keys than an adapter under test asks for at once.
func manyPages(t *testing.T, s blob.Store) {
	var all []string
	for i := range 30 {
		key := fmt.Sprintf("k/%02d", i)
		put(t, s, key, strings.Repeat("x", i))
		all = append(all, key)
	}
	for _, limit := range []int{0, 1, 29, 30, 31} {
		want := all
		if limit > 0 {
			want = all[:min(limit, len(all))]
		}
		if got := keys(t, s, "k/", "", limit); !slices.Equal(got, want) {
			t.Errorf("List with limit %d is %q, want %q", limit, got, want)
		}
	}
	var walked []string
	for after := ""; ; after = walked[len(walked)-1] {
		page := keys(t, s, "k/", after, 4)
		if len(page) == 0 {
			break
		}
		walked = append(walked, page...)
	}
	if !slices.Equal(walked, all) {
		t.Errorf("page by page there are %q, want %q", walked, all)
	}
	infos, err := s.List(t.Context(), "k/", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, info := range infos {
		if info.Size != int64(i) || info.ModifiedAt.IsZero() {
			t.Errorf("List tells %+v, want %d bytes", info, i)
		}
	}
}

// listBeyondUTF16 has keys that UTF-16 and UTF-8 put into different orders.
func listBeyondUTF16(t *testing.T, s blob.Store) {
	all := []string{"a", "k/\ud7ff", "k/\ue000", "k/\uffee", "k/\uffee\U0001f9f8", "k/👶", "k/👶\uff5e", "k/👶👶", "l"}
	for _, key := range slices.Backward(all) {
		put(t, s, key, "x")
	}
	for from := range all {
		for limit := 1; limit <= len(all); limit++ {
			after, want := "", all[from:min(from+limit, len(all))]
			if from > 0 {
				after = all[from-1]
			}
			if got := keys(t, s, "", after, limit); !slices.Equal(got, want) {
				t.Errorf("List after %+q with limit %d is %+q, want %+q", after, limit, got, want)
			}
		}
	}
}
