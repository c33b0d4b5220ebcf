package catalogue

import (
	"encoding/binary"
	"slices"
	"strconv"
	"unique"

	"github.com/crownsafe/api/internal/recall"
)

// The columns by which notices are filtered and counted.
const (
	byAgency = iota
	byCountry
	byAudience
	byCategory
	byHazard
	byRemedy
	byYear
	columnCount
)

// columnNames are the facets' names of the columns.
var columnNames = [columnCount]string{"agency", "country", "audience", "category", "hazard", "remedy", "year"}

// column holds one set of values for each notice of a segment. There are few
// distinct sets, so that a notice holds the number of its set.
type column struct {
	sets   [][]string
	of     []uint32
	values []string   // that stand in any set, in order
	rows   []docSet   // by value: the notices that have it
	has    [][]uint32 // by set: the numbers of its values
}

func newColumn(sets [][]string, of []uint32) column {
	c := column{sets: sets, of: of}
	for _, set := range sets {
		c.values = append(c.values, set...)
	}
	slices.Sort(c.values)
	c.values = slices.Compact(c.values)
	c.has = make([][]uint32, len(sets))
	for i, set := range sets {
		for _, v := range set {
			at, _ := slices.BinarySearch(c.values, v)
			c.has[i] = append(c.has[i], uint32(at))
		}
	}
	docs := make([][]uint32, len(c.values))
	for doc, set := range of {
		for _, value := range c.has[set] {
			docs[value] = append(docs[value], uint32(doc))
		}
	}
	for _, list := range docs {
		c.rows = append(c.rows, newDocSet(list, len(of)))
	}
	return c
}

// rowsOf returns the notices that have a value.
func (c *column) rowsOf(value string) *docSet {
	if at, ok := slices.BinarySearch(c.values, value); ok {
		return &c.rows[at]
	}
	return &docSet{}
}

// columnBuilder collects a column.
type columnBuilder struct {
	sets    [][]string
	of      []uint32
	numbers map[string]uint32
	key     []byte
}

// add appends a notice's values.
func (b *columnBuilder) add(values []string) {
	b.key = b.key[:0]
	for _, v := range values {
		b.key = binary.AppendUvarint(b.key, uint64(len(v)))
		b.key = append(b.key, v...)
	}
	number, ok := b.numbers[string(b.key)]
	if !ok {
		if b.numbers == nil {
			b.numbers = map[string]uint32{}
		}
		number = uint32(len(b.sets))
		b.numbers[string(b.key)] = number
		set := make([]string, len(values))
		for i, v := range values {
			set[i] = unique.Make(v).Value()
		}
		slices.Sort(set)
		b.sets = append(b.sets, slices.Compact(set))
	}
	b.of = append(b.of, number)
}

// columnValues returns a notice's values of every column.
func columnValues(n *recall.Notice) (values [columnCount][]string) {
	values[byAgency] = []string{n.Agency}
	values[byCountry] = n.Countries
	values[byAudience] = []string{string(n.Audience)}
	values[byCategory] = n.Categories
	for _, h := range n.Hazards {
		values[byHazard] = append(values[byHazard], string(h.Type))
	}
	for _, r := range n.Remedy.Types {
		values[byRemedy] = append(values[byRemedy], string(r))
	}
	values[byYear] = []string{strconv.Itoa(n.PublishedAt.UTC().Year())}
	return values
}
