package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// hazardName and remedyName are the taxonomy's words as parameters.
type (
	hazardName string
	remedyName string
)

// Schema makes hazardName a huma.SchemaProvider.
func (hazardName) Schema(huma.Registry) *huma.Schema { return enumOf(recall.HazardTypes()) }

// Schema makes remedyName a huma.SchemaProvider.
func (remedyName) Schema(huma.Registry) *huma.Schema { return enumOf(recall.RemedyTypes()) }

func enumOf[T ~string](words []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range words {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

// searchParams are the parameters of a search. Lists take a,b and repetition alike.
type searchParams struct {
	Words         string       `query:"q" maxLength:"500" doc:"words to rank by: brand, product, model, hazard; not all are required"`
	Agency        []string     `query:"agency,explode" doc:"codes of agencies, such as us-cpsc; see /api/v1/sources"`
	Country       []string     `query:"country,explode" doc:"ISO 3166-1 alpha-2"`
	Audience      []string     `query:"audience,explode" enum:"infant,child,general"`
	Category      []string     `query:"category,explode" doc:"such as cribs; the facet category lists them"`
	Hazard        []hazardName `query:"hazard,explode"`
	Remedy        []remedyName `query:"remedy,explode"`
	Status        string       `query:"status" enum:"active,withdrawn" doc:"active unless withdrawn ones are asked for"`
	PublishedFrom string       `query:"published_from" doc:"YYYY-MM-DD or RFC 3339; included"`
	PublishedTo   string       `query:"published_to" doc:"YYYY-MM-DD (the whole day) or RFC 3339; included"`
	Sort          string       `query:"sort" enum:"relevance,newest,oldest" doc:"relevance with q, else newest"`
	Facets        []string     `query:"facets,explode" enum:"agency,country,audience,category,hazard,remedy,status,year" doc:"fields to count the values of, over all hits"`
	Cursor        string       `query:"cursor" maxLength:"1000" doc:"next_cursor of the page before"`
	Limit         int          `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// RecallItem is one hit of a search: the notice, and why it was found.
type RecallItem struct {
	recall.Notice
	Matched []string `json:"matched" doc:"the fields in which words of q were found"`
	Score   *float64 `json:"score,omitempty" doc:"the higher, the better; only with q"`
}

// RecallPage is one page of a search.
type RecallPage struct {
	Items      []RecallItem                      `json:"items"`
	NextCursor string                            `json:"next_cursor,omitempty" doc:"absent on the last page"`
	Total      int                               `json:"total" doc:"hits over all pages"`
	Facets     map[string][]catalogue.FacetCount `json:"facets" doc:"for each field that was asked for, its values and how many hits have them"`
}

type noticeParams struct {
	ID   string `path:"id" doc:"agency:native-id" example:"us-cpsc:26-348"`
	AsOf string `query:"as_of" doc:"YYYY-MM-DD (the end of that day) or RFC 3339: the revision that was current then"`
}

func (s *service) registerRecalls(api huma.API) {
	op := operation("list-recalls", http.MethodGet, "/api/v1/recalls", tagSafety, "Search and list notices",
		"All agencies, audiences and years unless limited; withdrawn notices only with `status=withdrawn`. The words of `q` rank and never exclude.",
		http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	handleRead[searchParams, RecallPage](s, api, op, []string{"/api/recalls"}, s.listRecalls)

	op = operation("get-recall", http.MethodGet, "/api/v1/recalls/{id}", tagSafety, "One notice",
		"With provenance and aliases. A former id answers with the notice under its id of today, which Content-Location names.",
		http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	handleRead[noticeParams, recall.Notice](s, api, op, []string{"/api/recalls/{id}"}, s.getRecall)
}

func (s *service) listRecalls(ctx context.Context, in *searchParams) (*answer, error) {
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	query, err := s.searchQuery(snap, in)
	if err != nil {
		return nil, err
	}
	class, shared := searchClass(&query)
	return s.read(ctx, snap, reading{
		key: searchKey(&query), shared: shared, class: class,
		compute: func() ([]byte, error) {
			page, err := snap.Search(query)
			if errors.Is(err, catalogue.ErrBadCursor) {
				return nil, fieldProblem(codeBadCursor, "query.cursor", "is not a cursor of this search", in.Cursor)
			}
			if err != nil {
				return nil, fmt.Errorf("searching: %w", err)
			}
			return encodePage(&page, query.Words != "")
		},
	})
}

// searchQuery checks what the schema can't and brings the parameters to the
// catalogue's terms, lists in order and without repetition.
func (s *service) searchQuery(snap *catalogue.Snapshot, in *searchParams) (catalogue.Query, error) {
	q := catalogue.Query{
		Words: strings.TrimSpace(in.Words), Agencies: sorted[string](in.Agency), Countries: sorted[string](upper(in.Country)),
		Audiences: sorted[recall.Audience](in.Audience), Categories: sorted[string](in.Category),
		Hazards: sorted[recall.HazardType](in.Hazard), Remedies: sorted[recall.RemedyType](in.Remedy),
		Status: recall.Status(in.Status), Sort: catalogue.Sort(in.Sort), Facets: sorted[string](in.Facets),
		Cursor: in.Cursor, Limit: in.Limit,
	}
	if len(q.Agencies) > 0 {
		if err := s.knownAgencies(snap, q.Agencies); err != nil {
			return q, err
		}
	}
	for _, c := range q.Countries {
		if len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
			return q, fieldProblem("country", "query.country", "must be two letters, ISO 3166-1 alpha-2", c)
		}
	}
	var err error
	if q.From, err = readTime("query.published_from", in.PublishedFrom, false); err != nil {
		return q, err
	}
	if q.To, err = readTime("query.published_to", in.PublishedTo, true); err != nil {
		return q, err
	}
	if !q.From.IsZero() && !q.To.IsZero() && q.From.After(q.To) {
		return q, fieldProblem(codeOutOfRange, "query.published_from", "must not lie after published_to", in.PublishedFrom)
	}
	return q, nil
}

func (s *service) knownAgencies(snap *catalogue.Snapshot, asked []string) error {
	var known []string
	for _, src := range s.Sources.List(snap) {
		known = append(known, src.Agency)
	}
	for _, a := range asked {
		if !slices.Contains(known, a) {
			return fieldProblem(codeInvalid, "query.agency", "must be one of "+strings.Join(known, ", "), a)
		}
	}
	return nil
}

// readTime reads a date or an RFC 3339 time. A date as an end means its last instant.
func readTime(location, text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			t = t.AddDate(0, 0, 1).Add(-time.Nanosecond)
		}
		return t, nil
	}
	// A plus that wasn't escaped arrives as a blank.
	t, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
	if err != nil {
		return time.Time{}, fieldProblem("date", location, "must be a date (2026-11-22) or an RFC 3339 time (2026-11-22T06:00:00Z)", text)
	}
	return t.UTC(), nil
}

func upper(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = strings.ToUpper(v)
	}
	return out
}

// sorted returns the values in order, each once, nil for none.
func sorted[To, From ~string](list []From) []To {
	var out []To
	for _, v := range list {
		out = append(out, To(v))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// searchKey is the query, normalised: what means the same has the same key.
func searchKey(q *catalogue.Query) string {
	return fmt.Sprintf("recalls %q %q %q %q %q %q %q %q %d %d %q %q %q %d", q.Words, q.Agencies, q.Countries, q.Audiences, q.Categories,
		q.Hazards, q.Remedies, q.Status, q.From.UnixNano(), q.To.UnixNano(), q.Sort, q.Facets, q.Cursor, q.Limit)
}

// encodePage writes a RecallPage: each item is a notice with two more members.
func encodePage(page *catalogue.Page, ranked bool) ([]byte, error) {
	body := []byte(`{"items":[`)
	for i := range page.Hits {
		hit := &page.Hits[i]
		document, err := json.Marshal(&hit.Notice)
		if err != nil {
			return nil, fmt.Errorf("encoding notice %s: %w", hit.Notice.ID, err)
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, document[:len(document)-1]...)
		body = append(body, `,"matched":`...)
		matched, err := json.Marshal(append([]string{}, hit.Matched...))
		if err != nil {
			return nil, fmt.Errorf("encoding the matched fields of %s: %w", hit.Notice.ID, err)
		}
		body = append(body, matched...)
		if ranked {
			body = fmt.Appendf(body, `,"score":%g`, math.Round(hit.Score*1e4)/1e4)
		}
		body = append(body, '}')
	}
	tail := struct {
		Next   string                            `json:"next_cursor,omitempty"`
		Total  int                               `json:"total"`
		Facets map[string][]catalogue.FacetCount `json:"facets"`
	}{page.Next, page.Total, page.Facets}
	if tail.Facets == nil {
		tail.Facets = map[string][]catalogue.FacetCount{}
	}
	rest, err := encode(tail)
	if err != nil {
		return nil, err
	}
	return append(append(body, `],`...), rest[1:]...), nil
}
