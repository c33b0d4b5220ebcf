package api

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

func ids(page RecallPage) []string {
	list := []string{}
	for _, item := range page.Items {
		list = append(list, item.ID)
	}
	return list
}

func TestPagesNeverLoseOrRepeatANotice(t *testing.T) {
	b := newBench(t)
	for _, query := range []string{"limit=7", "limit=7&sort=oldest", "limit=4&q=snoozle", "limit=100"} {
		var got []string
		cursor := ""
		for {
			page := decode[RecallPage](t, b.get(t, "/api/v1/recalls?"+query+"&cursor="+url.QueryEscape(cursor)), 200)
			if page.Total != 29 {
				t.Errorf("%s: total %d, want 29", query, page.Total)
			}
			got = append(got, ids(page)...)
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		slices.Sort(got)
		if len(got) != 29 || len(slices.Compact(got)) != 29 {
			t.Errorf("%s: %d notices over all pages", query, len(got))
		}
	}
}

func TestTheLastPageHasNoCursor(t *testing.T) {
	b := newBench(t)
	body := string(b.get(t, "/api/v1/recalls?limit=100").body)
	if strings.Contains(body, "next_cursor") {
		t.Error("the only page has a next_cursor")
	}
	if !strings.Contains(string(b.get(t, "/api/v1/recalls").body), "next_cursor") {
		t.Error("the first of two pages has none")
	}
}

func TestDefaultsOfTheList(t *testing.T) {
	b := newBench(t)
	page := decode[RecallPage](t, b.get(t, "/api/v1/recalls"), 200)
	if len(page.Items) != 20 || page.Items[0].ID != "us-cpsc:26-100" {
		t.Errorf("%d items from %s", len(page.Items), page.Items[0].ID)
	}
	if slices.Contains(ids(decode[RecallPage](t, b.get(t, "/api/v1/recalls?limit=100"), 200)), "us-cpsc:26-129") {
		t.Error("a withdrawn notice was listed unasked")
	}
	if got := ids(decode[RecallPage](t, b.get(t, "/api/v1/recalls?status=withdrawn"), 200)); !slices.Equal(got, []string{"us-cpsc:26-129"}) {
		t.Errorf("status=withdrawn gave %v", got)
	}
}

func TestAnEmptyResultIsAnEmptyList(t *testing.T) {
	b := newBench(t)
	got := string(b.get(t, "/api/v1/recalls?agency=eu-safety-gate").body)
	if got != `{"items":[],"total":0,"facets":{}}` {
		t.Error(got)
	}
}

func TestHitsSayWhyTheyWereFound(t *testing.T) {
	b := newBench(t)
	page := decode[RecallPage](t, b.get(t, "/api/v1/recalls?q=snoozle&limit=1"), 200)
	if len(page.Items) != 1 || len(page.Items[0].Matched) == 0 || page.Items[0].Score == nil || *page.Items[0].Score <= 0 {
		t.Errorf("%+v", page.Items)
	}
	raw := decode[struct{ Items []map[string]any }](t, b.get(t, "/api/v1/recalls?limit=1"), 200)
	if matched, ok := raw.Items[0]["matched"].([]any); !ok || len(matched) != 0 {
		t.Errorf("matched without q: %v", raw.Items[0]["matched"])
	}
	if _, ok := raw.Items[0]["score"]; ok {
		t.Error("there is a score without q")
	}
}

func TestItemsAreTheNoticesThemselves(t *testing.T) {
	b := newBench(t)
	page := decode[RecallPage](t, b.get(t, "/api/v1/recalls?limit=3"), 200)
	for _, item := range page.Items {
		one := decode[recall.Notice](t, b.get(t, "/api/v1/recalls/"+item.ID), 200)
		if diff := cmp.Diff(one, item.Notice); diff != "" {
			t.Errorf("%s differs in the list: %s", item.ID, diff)
		}
	}
}

func TestSearchQueryReadsEveryParameter(t *testing.T) {
	b := newBench(t)
	s := b.Handler.(*service)
	in := &searchParams{
		Words: " cot ", Agency: []string{"us-cpsc", "eu-safety-gate", "us-cpsc"}, Country: []string{"us", "FR"}, Audience: []string{"infant"},
		Category: []string{"cribs"}, Hazard: []hazardName{"fire", "fall"}, Remedy: []remedyName{"refund"}, Status: "withdrawn",
		PublishedFrom: "2026-01-02", PublishedTo: "2026-02-03", Sort: "oldest", Facets: []string{"year", "agency"}, Cursor: "c", Limit: 7,
	}
	got, err := s.searchQuery(b.Current(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := catalogue.Query{
		Words: "cot", Agencies: []string{"eu-safety-gate", "us-cpsc"}, Countries: []string{"FR", "US"}, Audiences: []recall.Audience{recall.Infant},
		Categories: []string{"cribs"}, Hazards: []recall.HazardType{recall.HazardFall, recall.HazardFire}, Remedies: []recall.RemedyType{recall.RemedyRefund},
		Status: recall.Withdrawn, From: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 2, 3, 23, 59, 59, 999999999, time.UTC),
		Sort: catalogue.ByOldest, Facets: []string{"agency", "year"}, Cursor: "c", Limit: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTimesOfParameters(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		text string
		end  bool
		want time.Time
	}{
		"start of a day":        {"2026-03-01", false, day},
		"end of a day":          {"2026-03-01", true, day.Add(24*time.Hour - 1)},
		"instant":               {"2026-03-01T01:00:00+01:00", false, day},
		"instant as an end":     {"2026-03-01T00:00:00Z", true, day},
		"a plus that got lost":  {"2026-03-01T01:00:00 01:00", false, day},
		"fractions of a second": {"2026-03-01T00:00:00.5Z", false, day.Add(time.Second / 2)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readTime("query.x", test.text, test.end)
			if err != nil || !got.Equal(test.want) {
				t.Errorf("%s %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestOneNotice(t *testing.T) {
	b := newBench(t)
	n := decode[recall.Notice](t, b.get(t, "/api/v1/recalls/us-cpsc:26-100"), 200)
	if n.ID != "us-cpsc:26-100" || n.Provenance.SHA256 != "00ff" || n.Aliases == nil {
		t.Errorf("%+v", n)
	}
	if escaped := decode[recall.Notice](t, b.get(t, "/api/recalls/us-cpsc%3A26-100"), 200); escaped.ID != n.ID {
		t.Errorf("escaped id gave %s", escaped.ID)
	}
	if withdrawn := decode[recall.Notice](t, b.get(t, "/api/v1/recalls/us-cpsc:26-129"), 200); withdrawn.Status != recall.Withdrawn {
		t.Errorf("withdrawn notice is %s", withdrawn.Status)
	}
}

func TestAFormerIDLeadsToTheNoticeOfToday(t *testing.T) {
	b := newBench(t)
	b.store.former["us-cpsc:event-7"] = "us-cpsc:26-100"
	r := b.get(t, "/api/v1/recalls/us-cpsc:event-7")
	if n := decode[recall.Notice](t, r, 200); n.ID != "us-cpsc:26-100" {
		t.Errorf("got %s", n.ID)
	}
	if got := r.Header.Get("Content-Location"); got != "/api/v1/recalls/us-cpsc:26-100" {
		t.Errorf("Content-Location %q", got)
	}
}

func TestRevisionsAndTheirDifferences(t *testing.T) {
	b := newBench(t)
	revised := fixture()[0]
	revised.Title = "Tumblewick recalls Snoozle A and B strollers"
	revised.Hazards = append(revised.Hazards, recall.Hazard{Type: recall.HazardFire, Text: "Fire hazard"})
	revised.Products = slices.Clone(revised.Products)
	revised.Products[0].Name = "Snoozle stroller, all colours"
	revised.Products[0].Models = []string{"SZ-100", "SZ-1"}
	revised.Provenance.SHA256 = "11ff"
	b.store.put(revised, start.Add(-24*time.Hour))
	b.load(t)

	list := decode[RevisionList](t, b.get(t, "/api/v1/recalls/us-cpsc:26-100/revisions"), 200)
	if len(list.Items) != 2 || list.Items[0].Revision != 1 || list.Items[1].Revision != 2 || list.Items[1].Serial != 31 || len(list.Items[0].Changes) != 0 {
		t.Fatalf("%+v", list.Items)
	}
	want := []FieldChange{
		{"hazards[1]", nil, map[string]any{"type": "fire", "text": "Fire hazard"}},
		{"products[0].models[1]", nil, "SZ-1"},
		{"products[0].name", "Snoozle stroller", "Snoozle stroller, all colours"},
		{"title", "Tumblewick recalls Snoozle A stroller", "Tumblewick recalls Snoozle A and B strollers"},
	}
	if diff := cmp.Diff(want, list.Items[1].Changes); diff != "" {
		t.Error(diff)
	}

	for at, title := range map[string]string{"2026-11-20": "Tumblewick recalls Snoozle A stroller", "2026-11-21": revised.Title, "2026-11-21T05:59:59Z": "Tumblewick recalls Snoozle A stroller"} {
		if n := decode[recall.Notice](t, b.get(t, "/api/v1/recalls/us-cpsc:26-100?as_of="+at), 200); n.Title != title {
			t.Errorf("as of %s: %q", at, n.Title)
		}
	}
}

func TestChangesBuildAnIdenticalMirror(t *testing.T) {
	b := newBench(t)
	revised := fixture()[5]
	revised.Title = "Revised"
	b.store.put(revised, start)
	b.load(t)
	mirror, since := map[string]json.RawMessage{}, int64(0)
	for {
		r := decode[struct {
			Items []struct {
				Serial     int64
				ID, Change string
				Notice     json.RawMessage
			}
			NextSince int64 `json:"next_since"`
			More      bool
		}](t, b.get(t, "/api/v1/changes?limit=7&since="+jsonNumber(since)), 200)
		for _, item := range r.Items {
			if item.Serial <= since {
				t.Fatalf("serial %d after %d", item.Serial, since)
			}
			since = item.Serial
			if item.Change == "tombstone" {
				if string(item.Notice) != "null" {
					t.Errorf("the tombstone of %s has a notice", item.ID)
				}
				delete(mirror, item.ID)
				continue
			}
			mirror[item.ID] = item.Notice
		}
		if since != r.NextSince {
			t.Errorf("next_since %d, last serial %d", r.NextSince, since)
		}
		if !r.More {
			break
		}
	}
	if len(mirror) != 29 || mirror["us-cpsc:26-129"] != nil {
		t.Errorf("the mirror has %d notices", len(mirror))
	}
	for id, document := range mirror {
		if got := b.get(t, "/api/v1/recalls/"+id).body; string(got) != string(document) {
			t.Errorf("%s differs in the mirror", id)
		}
	}
	if got := string(b.get(t, "/api/v1/changes?since=31").body); got != `{"items":[],"next_since":31,"more":false}` {
		t.Errorf("at the end: %s", got)
	}
	if got := string(b.get(t, "/api/v1/changes?since=99").body); got != `{"items":[],"next_since":99,"more":false}` {
		t.Errorf("beyond the end: %s", got)
	}
}

func jsonNumber(n int64) string {
	raw, _ := json.Marshal(n) // an integer always encodes
	return string(raw)
}
