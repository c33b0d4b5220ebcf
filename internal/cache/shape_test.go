package cache_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/cache"
)

// moody is a type that can't always be written and read.
type moody struct{ Mood string }

func (m moody) MarshalJSON() ([]byte, error) {
	if m.Mood == "unwritable" {
		return nil, errors.New("no")
	}
	return json.Marshal(m.Mood)
}

func (m *moody) UnmarshalJSON(b []byte) error {
	if strings.Contains(string(b), "unreadable") {
		return errors.New("no")
	}
	return json.Unmarshal(b, &m.Mood)
}

func TestWhatCannotBeKept(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		use := cache.For[moody](c, cache.Use{Name: "moody", TTL: time.Hour, MaxBytes: 1000})
		for _, mood := range []string{"unwritable", "unreadable", strings.Repeat("large", 200)} {
			loads := 0
			for range 2 {
				got, err := use.Load(t.Context(), cache.Item{Name: mood}, func(context.Context) (moody, error) {
					loads++
					return moody{mood}, nil
				})
				if err != nil || got.Mood != mood {
					t.Errorf("%.20s: %+v, %v", mood, got, err)
				}
			}
			if loads != 2 {
				t.Errorf("%.20s was loaded %d times, want 2", mood, loads)
			}
		}
		if s := c.Stats().PerOperation["moody"]; s.Errors == 0 {
			t.Errorf("Stats: %+v, want errors", s)
		}
	})
}

// What one form wrote another doesn't read, whether somebody thought of raising
// the shape or not.
func TestShapes(t *testing.T) {
	in(t, func(t *testing.T, c *cache.Cache) {
		type node struct {
			Next *node
			Name string
		}
		written := []string{
			load[thing](t, c, 1), load[thing](t, c, 2), load[*thing](t, c, 1), load[[]thing](t, c, 1), load[map[string]thing](t, c, 1),
			load[map[int]thing](t, c, 1), load[[2]thing](t, c, 1), load[[3]thing](t, c, 1), load[node](t, c, 1), load[moody](t, c, 1),
			load[struct{ A int }](t, c, 1), load[struct{ B int }](t, c, 1), load[struct{ A int64 }](t, c, 1),
			load[struct {
				A int `json:"a"`
			}](t, c, 1),
		}
		for i, how := range written {
			if how != "loaded" {
				t.Errorf("the value of form %d was found under another's", i)
			}
		}
		if load[thing](t, c, 1) != "found" || load[node](t, c, 1) != "found" {
			t.Error("a value isn't found under its own form")
		}
	})
}

func load[T any](t *testing.T, c *cache.Cache, shape int) string {
	t.Helper()
	how := "found"
	_, err := cache.For[T](c, cache.Use{Name: "form", Shape: shape, TTL: time.Hour}).Load(t.Context(), cache.Item{Name: "a"},
		func(context.Context) (value T, err error) {
			how = "loaded"
			return value, nil
		})
	if err != nil {
		t.Error(err)
	}
	return how
}
