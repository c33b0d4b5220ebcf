package client

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Search says which notices are wanted; the zero Search wants all that are not
// withdrawn, the newest first. Several values of a field are alternatives.
type Search struct {
	// Q are words to rank by: brand, product, model, hazard; not all are required.
	Q                                                   string
	Agency, Country, Audience, Category, Hazard, Remedy []string
	// Status is active, or withdrawn for those that their agency took back; empty: active.
	Status string
	// PublishedFrom and PublishedTo are days, both included; zero: open.
	PublishedFrom, PublishedTo time.Time
	// Sort is relevance, newest or oldest; empty: relevance with Q, else newest.
	Sort string
	// Facets are fields to count the values of, over all hits.
	Facets []string
	// Limit bounds one page, 1 to 100; 0: the server's 20.
	Limit int
}

func (s *Search) values() url.Values {
	q := url.Values{}
	for name, values := range map[string][]string{
		"agency": s.Agency, "country": s.Country, "audience": s.Audience, "category": s.Category, "hazard": s.Hazard, "remedy": s.Remedy,
		"facets": s.Facets,
	} {
		for _, value := range values {
			q.Add(name, value)
		}
	}
	for name, value := range map[string]string{"q": s.Q, "status": s.Status, "sort": s.Sort, "published_from": day(s.PublishedFrom), "published_to": day(s.PublishedTo)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	setLimit(q, s.Limit)
	return q
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func setLimit(q url.Values, limit int) {
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
}

// RecallPage returns one page of a search: the first for an empty cursor, else the one
// that the page before names as NextCursor.
func (c *Client) RecallPage(ctx context.Context, s Search, cursor string) (*RecallPage, error) {
	q := s.values()
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return ask[RecallPage](ctx, c, get("/api/v1/recalls", q))
}

// Recalls goes through all hits of a search, page by page as they are needed. An error
// ends it; what came before may not be all.
func (c *Client) Recalls(ctx context.Context, s Search) iter.Seq2[Recall, error] {
	return pages(func(cursor string) ([]Recall, string, error) {
		page, err := c.RecallPage(ctx, s, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	})
}

// pages goes through the items of all pages.
func pages[T any](page func(cursor string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		cursor := ""
		for {
			items, next, err := page(cursor)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			cursor = next
		}
	}
}

// Recall returns one notice by its id, also by a former one; as it was at a time unless
// that is zero. An id that no notice has is a [*Problem] with the code not_found.
func (c *Client) Recall(ctx context.Context, id string, asOf time.Time) (*Notice, error) {
	id, err := segment(id)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	if !asOf.IsZero() {
		q.Set("as_of", asOf.UTC().Format(time.RFC3339))
	}
	return ask[Notice](ctx, c, get("/api/v1/recalls/"+id, q))
}

// Revisions returns every revision of a notice that was seen, the oldest first.
func (c *Client) Revisions(ctx context.Context, id string) ([]Revision, error) {
	id, err := segment(id)
	if err != nil {
		return nil, err
	}
	return list[Revision](ctx, c, get("/api/v1/recalls/"+id+"/revisions", nil))
}

// Sources tells how far each agency's notices can be relied on.
func (c *Client) Sources(ctx context.Context) ([]Source, error) {
	return list[Source](ctx, c, get("/api/v1/sources", nil))
}

// list asks for items that come in one page.
func list[T any](ctx context.Context, c *Client, k *call) ([]T, error) {
	answer, err := ask[struct{ Items *[]T }](ctx, c, k)
	if err != nil {
		return nil, err
	}
	if answer.Items == nil {
		return nil, fmt.Errorf("crownsafe: %s: %w: it holds no items", k.path, ErrNoAnswer)
	}
	return *answer.Items, nil
}

// ChangePage returns one page of what changed after a serial, of at most limit entries
// (1 to 1,000; 0: the server's default).
func (c *Client) ChangePage(ctx context.Context, since int64, limit int) (*ChangeFeed, error) {
	q := url.Values{"since": {strconv.FormatInt(since, 10)}}
	setLimit(q, limit)
	return ask[ChangeFeed](ctx, c, get("/api/v1/changes", q))
}

// Changes goes through what changed after a serial until there is no more now. Each
// entry's Serial is where to go on from afterwards. A mirror that applies them in order
// is identical with the server.
func (c *Client) Changes(ctx context.Context, since int64) iter.Seq2[Change, error] {
	const all = "more" // any word that is not empty: the serial says where
	return pages(func(string) ([]Change, string, error) {
		page, err := c.ChangePage(ctx, since, maxBatch)
		if err != nil {
			return nil, "", err
		}
		if page.More && page.NextSince <= since {
			return nil, "", fmt.Errorf("crownsafe: %w: after serial %d the feed goes on with %d", ErrNoAnswer, since, page.NextSince)
		}
		since = page.NextSince
		if !page.More {
			return page.Items, "", nil
		}
		return page.Items, all, nil
	})
}
