package catalogue

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// builder makes one segment of the notices that it is given.
type builder struct {
	ids       []string
	serials   []int64
	published []int64
	traits    []trait
	widths    []uint8
	columns   [columnCount]columnBuilder

	packer   *packer
	briefs   []byte
	briefEnd []uint32
	rests    []byte // not yet compressed
	restEnd  []uint32

	barcodes, models []keyed
	declared         [][]uint64
	pages            []uint64

	numbers  map[string]uint32 // of terms, in order of first use
	tokens   map[string]uint32 // the number of a token's term, or filler
	terms    []string
	entries  []uint64 // number of the term << 32 | posting
	present  []field  // by number: where the term stands in the present notice
	standing []uint32 // the terms of the present notice
}

// builderBytes is how much a builder holds at most, so that offsets fit.
const builderBytes = 512 << 20

func newBuilder() *builder {
	return &builder{packer: newPacker(), numbers: map[string]uint32{}, tokens: map[string]uint32{}}
}

// full reports whether the segment should be finished.
func (b *builder) full() bool {
	return len(b.ids) >= maxSegment/4 || len(b.briefs)+len(b.rests) >= builderBytes
}

// add takes the current state of one id.
func (b *builder) add(s *store.Stored) {
	n := &s.Notice
	doc := uint32(len(b.ids))
	traits := traitsOf(s)
	if traits&isGone != 0 {
		n = &recall.Notice{ID: n.ID, Agency: n.Agency}
	}
	b.ids = append(b.ids, strings.Clone(n.ID))
	b.serials = append(b.serials, s.Serial)
	b.published = append(b.published, n.PublishedAt.Unix())
	b.traits = append(b.traits, traits)
	for i, values := range columnValues(n) {
		b.columns[i].add(values)
	}
	declared, page := declaredKeys(n)
	b.declared, b.pages = append(b.declared, declared), append(b.pages, page)
	b.packer.begin(b.briefs)
	b.packer.packBrief(n)
	b.briefs = b.packer.out
	b.briefEnd = append(b.briefEnd, uint32(len(b.briefs)))
	b.packer.begin(b.rests)
	b.packer.packRest(n)
	b.rests = b.packer.out
	b.restEnd = append(b.restEnd, uint32(len(b.rests)))
	if traits&isGone != 0 {
		b.widths = append(b.widths, 0)
		return
	}
	b.addKeys(n, doc)
	b.addTerms(n, doc)
}

func traitsOf(s *store.Stored) (t trait) {
	n := &s.Notice
	switch {
	case n.Status == recall.Withdrawn:
		t |= isWithdrawn
	case s.Tombstone:
		t |= isGone
	}
	if n.Starter() {
		t |= isStarter
	}
	return t.withQuality(recall.QualityOf(n))
}

func (b *builder) addKeys(n *recall.Notice, doc uint32) {
	for i := range n.Products {
		p := &n.Products[i]
		for _, g := range p.GTINs {
			printedKeys(g.GTIN, func(key uint64) { b.barcodes = append(b.barcodes, keyed{key, doc}) })
		}
		for _, m := range p.Models {
			b.addModel(m, doc)
		}
		for j := range p.Units {
			for _, m := range p.Units[j].Models {
				b.addModel(m, doc)
			}
		}
	}
}

func (b *builder) addModel(model string, doc uint32) {
	if key := recall.ModelKey(model); key != "" {
		b.models = append(b.models, keyed{textKey(key), doc})
	}
}

func (b *builder) addTerms(n *recall.Notice, doc uint32) {
	addNotice(b, n)
	width := 0
	for _, number := range b.standing {
		in := b.present[number]
		b.entries = append(b.entries, uint64(number)<<32|uint64(newPosting(doc, in)))
		b.present[number] = 0
		if in&naming != 0 {
			width++
		}
	}
	b.standing = b.standing[:0]
	b.widths = append(b.widths, uint8(min(width, 255)))
}

// filler stands for the number of a token that is not posted.
const filler = ^uint32(0)

// token notes a token in the singular, unless it is a filler.
func (b *builder) token(token string, in field) {
	number, ok := b.tokens[token]
	if !ok {
		number = filler
		if singular := recall.Singular(token); !recall.Filler(singular) {
			number = b.number(singular)
		}
		b.tokens[strings.Clone(token)] = number
	}
	if number != filler {
		b.note(number, in)
	}
}

// term notes a term as it is.
func (b *builder) term(term string, in field) { b.note(b.number(term), in) }

func (b *builder) number(term string) uint32 {
	number, ok := b.numbers[term]
	if !ok {
		number = uint32(len(b.terms))
		term = strings.Clone(term) // or it would hold the whole text
		b.numbers[term] = number
		b.terms = append(b.terms, term)
		b.present = append(b.present, 0)
	}
	return number
}

func (b *builder) note(number uint32, in field) {
	if b.present[number] == 0 {
		b.standing = append(b.standing, number)
	}
	b.present[number] |= in
}

// finish makes the segment. base is the codec to use where this segment is too
// small to be its own sample.
func (b *builder) finish(base *codec) *segment {
	order := make([]uint32, len(b.ids)) // by new number: the old one
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return strings.Compare(b.ids[x], b.ids[y]) })
	newOf := make([]uint32, len(order))
	for now, old := range order {
		newOf[old] = uint32(now)
	}
	g := &segment{
		serials:   pick(b.serials, order),
		published: pick(b.published, order),
		traits:    pick(b.traits, order),
		widths:    pick(b.widths, order),
		barcodes:  renumbered(b.barcodes, newOf),
		models:    renumbered(b.models, newOf),
	}
	for i := range b.columns {
		g.columns[i] = newColumn(b.columns[i].sets, pick(b.columns[i].of, order))
	}
	b.arrange(g, order, base)
	var links linkWriter
	for _, old := range order {
		links.add(b.declared[old], b.pages[old])
	}
	g.links = links.finish()
	g.terms = b.invert(newOf)
	g.index()
	return g
}

// arrange puts the records in order and compresses the rests.
func (b *builder) arrange(g *segment, order []uint32, base *codec) {
	at := func(arena []byte, ends []uint32, i uint32) []byte {
		if i == 0 {
			return arena[:ends[0]]
		}
		return arena[ends[i-1]:ends[i]]
	}
	if len(order) >= worthDictionary || base == nil {
		base = plainCodec()
		if len(order) >= worthDictionary {
			base = sampleCodec(len(order), func(i int) []byte { return at(b.rests, b.restEnd, uint32(i)) })
		}
	}
	var briefs strings.Builder
	briefs.Grow(len(b.briefs))
	rests := make([]byte, 0, len(b.rests)/2)
	g.briefEnd, g.restEnd = make([]uint32, 0, len(order)), make([]uint32, 0, len(order))
	for _, old := range order {
		briefs.Write(at(b.briefs, b.briefEnd, old))
		g.briefEnd = append(g.briefEnd, uint32(briefs.Len()))
		rests = base.compress(rests, at(b.rests, b.restEnd, old))
		g.restEnd = append(g.restEnd, uint32(len(rests)))
	}
	g.briefs, g.rests = briefs.String(), slices.Clone(rests)
	g.codecs, g.codecOf = []*codec{base}, make([]uint8, len(order))
}

// invert turns the entries, which stand by notice, into postings by term.
func (b *builder) invert(newOf []uint32) termIndex {
	starts := make([]uint32, len(b.terms)+1)
	for _, e := range b.entries {
		starts[e>>32+1]++
	}
	for i := range b.terms {
		starts[i+1] += starts[i]
	}
	postings := make([]posting, len(b.entries))
	free := slices.Clone(starts)
	for _, e := range b.entries {
		number, p := e>>32, posting(e)
		postings[free[number]] = newPosting(newOf[p.doc()], p.field())
		free[number]++
	}
	b.entries = nil
	byTerm := make([]uint32, len(b.terms))
	for i := range byTerm {
		byTerm[i] = uint32(i)
	}
	slices.SortFunc(byTerm, func(x, y uint32) int { return strings.Compare(b.terms[x], b.terms[y]) })
	w := termWriter{notices: len(newOf)}
	for _, number := range byTerm {
		w.add(b.terms[number], postings[starts[number]:starts[number+1]])
	}
	return w.finish()
}

func pick[T any](list []T, order []uint32) []T {
	out := make([]T, len(order))
	for now, old := range order {
		out[now] = list[old]
	}
	return out
}

func renumbered(list []keyed, newOf []uint32) keyIndex {
	for i := range list {
		list[i].doc = newOf[list[i].doc]
	}
	return newKeyIndex(list)
}
