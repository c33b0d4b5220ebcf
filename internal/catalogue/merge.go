package catalogue

import (
	"slices"
	"strings"
)

// dropped is the new number of a notice that a merge left out.
const dropped = ^uint32(0)

// maxCodecs is how many codecs a segment's rests use at most.
const maxCodecs = 16

// merge makes one segment of several, without their dead notices. moved tells
// for each source and notice its new number, or dropped.
func merge(sources []*segment, dead []rowSet) (merged *segment, moved [][]uint32) {
	m := merger{sources: sources, out: &segment{}}
	m.number(dead)
	m.copyRows()
	m.copyRecords()
	m.out.barcodes = m.keys(func(g *segment) *keyIndex { return &g.barcodes })
	m.out.models = m.keys(func(g *segment) *keyIndex { return &g.models })
	m.mergeLinks()
	m.mergeTerms()
	m.out.index()
	return m.out, m.moved
}

type merger struct {
	sources []*segment
	moved   [][]uint32
	rows    []row // the merged segment's notices in order
	out     *segment
}

type row struct {
	source uint32
	doc    uint32
}

// number puts the living notices of all sources in order of id.
func (m *merger) number(dead []rowSet) {
	heads := make([]uint32, len(m.sources))
	for i, g := range m.sources {
		m.moved = append(m.moved, make([]uint32, g.len()))
		heads[i] = nextLiving(g, dead[i], 0)
	}
	for i := range m.moved {
		for doc := range m.moved[i] {
			m.moved[i][doc] = dropped
		}
	}
	for {
		best := -1
		for i, g := range m.sources {
			if int(heads[i]) < g.len() && (best < 0 || g.id(heads[i]) < m.sources[best].id(heads[best])) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		m.moved[best][heads[best]] = uint32(len(m.rows))
		m.rows = append(m.rows, row{uint32(best), heads[best]})
		heads[best] = nextLiving(m.sources[best], dead[best], heads[best]+1)
	}
}

func nextLiving(g *segment, dead rowSet, doc uint32) uint32 {
	for int(doc) < g.len() && dead.has(doc) {
		doc++
	}
	return doc
}

func (m *merger) copyRows() {
	out := m.out
	var columns [columnCount]columnBuilder
	for _, r := range m.rows {
		g := m.sources[r.source]
		out.serials = append(out.serials, g.serials[r.doc])
		out.published = append(out.published, g.published[r.doc])
		out.traits = append(out.traits, g.traits[r.doc])
		out.widths = append(out.widths, g.widths[r.doc])
		for i := range columns {
			columns[i].add(g.columns[i].sets[g.columns[i].of[r.doc]])
		}
	}
	out.serials, out.published = slices.Clip(out.serials), slices.Clip(out.published)
	for i := range columns {
		out.columns[i] = newColumn(columns[i].sets, columns[i].of)
	}
}

// copyRecords copies the records as they are, unless too many codecs would meet:
// then the rests are compressed anew.
func (m *merger) copyRecords() {
	out := m.out
	numbers := map[*codec]uint8{}
	for _, g := range m.sources {
		for _, c := range g.codecs {
			if _, ok := numbers[c]; !ok && len(numbers) < 256 {
				numbers[c] = uint8(len(numbers))
				out.codecs = append(out.codecs, c)
			}
		}
	}
	var fresh *codec
	if len(out.codecs) > maxCodecs {
		fresh = sampleCodec(len(m.rows), func(i int) []byte { return m.expand(m.rows[i]) })
		out.codecs = []*codec{fresh}
	}
	size := 0
	for _, r := range m.rows {
		size += len(m.sources[r.source].brief(r.doc))
	}
	var briefs strings.Builder
	briefs.Grow(size)
	for _, r := range m.rows {
		g := m.sources[r.source]
		briefs.WriteString(g.brief(r.doc))
		out.briefEnd = append(out.briefEnd, uint32(briefs.Len()))
		if fresh != nil {
			out.rests = fresh.compress(out.rests, m.expand(r))
			out.codecOf = append(out.codecOf, 0)
		} else {
			out.rests = append(out.rests, g.rest(r.doc)...)
			out.codecOf = append(out.codecOf, numbers[g.codecs[g.codecOf[r.doc]]])
		}
		out.restEnd = append(out.restEnd, uint32(len(out.rests)))
	}
	out.briefs, out.rests = briefs.String(), slices.Clone(out.rests)
}

func (m *merger) expand(r row) []byte {
	return m.sources[r.source].expand(nil, r.doc)
}

func (m *merger) keys(of func(*segment) *keyIndex) keyIndex {
	var list []keyed
	for i, g := range m.sources {
		of(g).each(func(key uint64, doc uint32) {
			if now := m.moved[i][doc]; now != dropped {
				list = append(list, keyed{key, now})
			}
		})
	}
	return newKeyIndex(list)
}

func (m *merger) mergeLinks() {
	var w linkWriter
	for _, r := range m.rows {
		l := &m.sources[r.source].links
		w.add(l.of(r.doc), l.pages[r.doc])
	}
	m.out.links = w.finish()
}

// mergeTerms walks the sources' terms in step.
func (m *merger) mergeTerms() {
	w := termWriter{notices: len(m.rows)}
	heads := make([]int, len(m.sources))
	var source, all []posting
	for {
		term, any := m.leastTerm(heads)
		if !any {
			break
		}
		all = all[:0]
		for i, g := range m.sources {
			if heads[i] == g.terms.len() || g.terms.term(heads[i]) != term {
				continue
			}
			source = g.terms.appendAll(source[:0], heads[i])
			for _, p := range source {
				if now := m.moved[i][p.doc()]; now != dropped {
					all = append(all, newPosting(now, p.field()))
				}
			}
			heads[i]++
		}
		if len(all) > 0 {
			w.add(term, all)
		}
	}
	m.out.terms = w.finish()
}

func (m *merger) leastTerm(heads []int) (least string, any bool) {
	for i, g := range m.sources {
		if heads[i] == g.terms.len() {
			continue
		}
		if t := g.terms.term(heads[i]); !any || t < least {
			least, any = t, true
		}
	}
	return least, any
}
