package nhtsa

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// row is one row of any format; what a format doesn't have is empty.
type row struct {
	campaign, make, model, year, component, manufacturer string
	begin, end                                           string // dates of manufacture, YYYYMMDD
	kind                                                 string // V, E, T, C
	affected, received, created                          string
	subject, defect, consequence, corrective, notes      string
	doNotDrive, parkOutside                              bool
}

// campaign is everything that a payload says of one campaign.
type campaign struct {
	row                 // of the first row; created is the latest of all rows
	position   int      // of the first row
	rows       digest   // of all rows
	count      int      // number of rows
	components []string // distinct
	affected   int      // the largest: the number is the campaign's, repeated in every row
	items      map[itemKey]*item
	// broken says that a row of the campaign couldn't be read, so that what the
	// others say of the dates of manufacture isn't all.
	broken bool
}

// itemKey names one product of a campaign, as printed.
type itemKey struct{ make, model, year string }

// item is one product of a campaign and when the units were made.
type item struct {
	itemKey
	windows []window // distinct; alternatives
	open    bool     // some row gives no date of manufacture
}

// window is the dates between which units were made, YYYYMMDD, both included;
// one of them may be empty.
type window struct{ begin, end string }

// gathering collects campaigns in the order of their first rows.
type gathering struct {
	order []*campaign
	byID  map[string]*campaign
}

func newGathering() *gathering {
	return &gathering{byID: map[string]*campaign{}}
}

func (g *gathering) add(r row, position int, d digest) {
	c, ok := g.byID[r.campaign]
	if !ok {
		c = &campaign{row: r.detached(), position: position, items: map[itemKey]*item{}}
		g.byID[c.id()] = c
		g.order = append(g.order, c)
	}
	c.count++
	c.rows.add(d)
	c.created = max(c.created, strings.Clone(r.created))
	if !slices.Contains(c.components, r.component) && r.component != "" {
		c.components = append(c.components, strings.Clone(r.component))
	}
	if n, err := strconv.Atoi(strings.ReplaceAll(r.affected, ",", "")); err == nil {
		c.affected = max(c.affected, n)
	}
	c.doNotDrive = c.doNotDrive || r.doNotDrive
	c.parkOutside = c.parkOutside || r.parkOutside
	c.addItem(r)
}

// damaged notes that a row of a campaign couldn't be read.
func (g *gathering) damaged(columns []string) {
	if c, ok := g.byID[campaignOf(columns)]; ok {
		c.broken = true
	}
}

func (c *campaign) id() string { return c.row.campaign }

func (c *campaign) addItem(r row) {
	key := itemKey{r.make, r.model, r.year}
	one, ok := c.items[key]
	if !ok {
		key = itemKey{strings.Clone(r.make), strings.Clone(r.model), strings.Clone(r.year)}
		one = &item{itemKey: key}
		c.items[key] = one
	}
	w := window{madeDate(r.begin), madeDate(r.end)}
	if w == (window{}) || w.begin != "" && w.end != "" && w.begin > w.end {
		one.open = true // no date, or two that contradict each other
		return
	}
	if !slices.Contains(one.windows, w) {
		one.windows = append(one.windows, window{strings.Clone(w.begin), strings.Clone(w.end)})
	}
}

// madeDate returns a date of manufacture, or "" where it is missing: feeds
// write 19010101 for "unknown".
func madeDate(s string) string {
	if !isDate(s) || s < "19300101" || s[:4] == "9999" || s[4:6] < "01" || s[4:6] > "12" || s[6:] < "01" || s[6:] > "31" {
		return ""
	}
	return s
}

// detached copies the row's texts, so that the line that they were cut from can go.
func (r row) detached() row {
	for _, s := range []*string{
		&r.campaign, &r.make, &r.model, &r.year, &r.component, &r.manufacturer, &r.begin, &r.end, &r.kind, &r.affected,
		&r.received, &r.created, &r.subject, &r.defect, &r.consequence, &r.corrective, &r.notes,
	} {
		*s = strings.Clone(*s)
	}
	return r
}

// emit gives the campaigns to the sink, those that can't become notices as rejects.
func (a *Agency) emit(ctx context.Context, g *gathering, completeness int, sink agency.Sink) error {
	for _, c := range g.order {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := a.record(c, completeness)
		if err != nil {
			reject := agency.Reject{NativeID: c.id(), Position: c.position, Reason: err.Error(), Excerpt: agency.ExcerptOf([]byte(c.defect))}
			if err := sink.Reject(reject); err != nil {
				return err
			}
			continue
		}
		if err := sink.Record(record); err != nil {
			return err
		}
	}
	return nil
}
