package catalogue

import (
	"sort"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// filters are what a query asks of a notice beside its words.
type filters struct {
	withdrawn    bool
	wanted       [columnCount][]string // values by column; none: any
	dated        bool
	from, before int64 // of publication
}

const openEnd = 1 << 62

// filters returns a query's filters.
func (q *Query) filters() filters {
	f := filters{
		withdrawn: q.status() == recall.Withdrawn,
		wanted: [columnCount][]string{byAgency: q.Agencies, byCountry: q.Countries, byAudience: strs(q.Audiences),
			byCategory: q.Categories, byHazard: strs(q.Hazards), byRemedy: strs(q.Remedies)},
		dated: !q.From.IsZero() || !q.To.IsZero(),
		from:  -openEnd, before: openEnd,
	}
	if !q.From.IsZero() {
		f.from = day(q.From)
	}
	if !q.To.IsZero() {
		f.before = day(q.To.UTC().AddDate(0, 0, 1))
	}
	return f
}

// day returns the beginning of the day that a time lies in, UTC.
func day(t time.Time) int64 {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix()
}

// status returns the notices of a part that have the status asked for, dead
// ones too.
func (f *filters) status(p *part) rowSet {
	if f.withdrawn {
		return p.withdrawn
	}
	return p.active
}

// apply leaves only the notices of a part that the other filters admit.
func (f *filters) apply(rows rowSet, p *part, room *rowRoom) {
	for i, values := range f.wanted {
		if len(values) == 0 {
			continue
		}
		admitted := room.empty(p.len())
		for _, v := range values {
			p.columns[i].rowsOf(v).addTo(admitted)
		}
		rows.keep(admitted)
	}
	if f.dated {
		f.keepDates(rows, p, room)
	}
}

// keepDates leaves only the notices of the period. The shorter of the period and
// what lies outside it is walked through.
func (f *filters) keepDates(rows rowSet, p *part, room *rowRoom) {
	after := sort.Search(p.len(), func(i int) bool { return p.published[p.byTime[i]] < f.before })
	end := sort.Search(p.len(), func(i int) bool { return p.published[p.byTime[i]] < f.from })
	some := room.empty(p.len())
	if end-after <= p.len()/2 {
		for _, doc := range p.byTime[min(after, end):end] {
			some.add(doc)
		}
		rows.keep(some)
		return
	}
	for _, outside := range [][]uint32{p.byTime[:after], p.byTime[end:]} {
		for _, doc := range outside {
			some.add(doc)
		}
	}
	rows.drop(some)
}
