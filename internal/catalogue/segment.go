package catalogue

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/crownsafe/api/internal/recall"
)

// segment is an immutable index of some notices. A notice's number in it is
// its place in the order of ids.
type segment struct {
	serials   []int64
	published []int64 // Unix seconds
	traits    []trait
	widths    []uint8  // how many terms name the notice, at most 255
	bySerial  []uint32 // notices in order of serial
	byTime    []uint32 // notices in order of publication, the newest first, then of id
	columns   [columnCount]column
	active    rowSet // neither withdrawn nor gone
	withdrawn rowSet

	briefs   string
	briefEnd []uint32 // brief i ends here and begins where i-1 ends
	rests    []byte   // compressed
	restEnd  []uint32
	codecs   []*codec
	codecOf  []uint8

	ids, barcodes, models keyIndex
	links                 links
	terms                 termIndex
	typos                 func() *typoIndex // made when first asked for
}

// trait is a set of what else there is to know of a notice.
type trait uint16

const (
	isWithdrawn trait = 1 << iota
	isGone            // the id lives on under another one: only its serial is kept
	isStarter
	hasBarcode
	hasModel
	hasUnitCodes
	hasImage
	hasRemedy
	hasContact
	firstFlag // from here on, the set of the kinds of flags
)

// withQuality adds a notice's quality to its traits.
func (t trait) withQuality(q recall.Quality) trait {
	for _, part := range []struct {
		has bool
		bit trait
	}{
		{q.Barcode, hasBarcode}, {q.Model, hasModel}, {q.UnitCodes, hasUnitCodes},
		{q.Image, hasImage}, {q.Remedy, hasRemedy}, {q.Contact, hasContact},
	} {
		if part.has {
			t |= part.bit
		}
	}
	return t | trait(q.Flags)*firstFlag
}

// quality reads a notice's quality back from its traits.
func (t trait) quality() recall.Quality {
	return recall.Quality{
		Barcode: t&hasBarcode != 0, Model: t&hasModel != 0, UnitCodes: t&hasUnitCodes != 0,
		Image: t&hasImage != 0, Remedy: t&hasRemedy != 0, Contact: t&hasContact != 0, Flags: recall.FlagSet(t / firstFlag),
	}
}

// maxSegment is how many notices a segment holds at most, so that making one
// never takes much memory beside what is served.
const maxSegment = 1 << 16

func (g *segment) len() int { return len(g.serials) }

func (g *segment) brief(doc uint32) string {
	from := uint32(0)
	if doc > 0 {
		from = g.briefEnd[doc-1]
	}
	return g.briefs[from:g.briefEnd[doc]]
}

func (g *segment) rest(doc uint32) []byte {
	from := uint32(0)
	if doc > 0 {
		from = g.restEnd[doc-1]
	}
	return g.rests[from:g.restEnd[doc]]
}

// id returns a notice's id, which is the first text of its brief.
func (g *segment) id(doc uint32) string {
	u := unpacker{in: g.brief(doc)}
	n := u.number()
	return u.in[:n>>1]
}

// lean unpacks what a decision needs of a notice. Its other fields are empty.
func (g *segment) lean(doc uint32) *recall.Notice {
	var table [48]string
	n := new(recall.Notice)
	(&unpacker{in: g.brief(doc), table: table[:0]}).unpackBrief(n)
	return n
}

// notice unpacks a whole notice.
func (g *segment) notice(doc uint32) recall.Notice {
	var n recall.Notice
	u := unpacker{in: g.brief(doc), table: make([]string, 0, 64)}
	u.unpackBrief(&n)
	u.in, u.table = string(g.expand(nil, doc)), u.table[:0]
	u.unpackRest(&n)
	return n
}

// expand returns the record of what is compressed of a notice, in room where that
// is large enough.
func (g *segment) expand(room []byte, doc uint32) []byte {
	return g.codecs[g.codecOf[doc]].expand(room, g.rest(doc))
}

// find returns the notice of an id.
func (g *segment) find(id string, key uint64) (uint32, bool) {
	for _, doc := range g.ids.find(key) {
		if g.id(doc) == id {
			return doc, true
		}
	}
	return 0, false
}

// index makes what follows from the rest of the segment.
func (g *segment) index() {
	ids := make([]keyed, g.len())
	g.bySerial, g.byTime = make([]uint32, g.len()), make([]uint32, g.len())
	g.active, g.withdrawn = make(rowSet, wordsFor(g.len())), make(rowSet, wordsFor(g.len()))
	for doc := range uint32(g.len()) {
		ids[doc] = keyed{textKey(g.id(doc)), doc}
		g.bySerial[doc], g.byTime[doc] = doc, doc
		switch traits := g.traits[doc]; {
		case traits&isGone != 0:
		case traits&isWithdrawn != 0:
			g.withdrawn.add(doc)
		default:
			g.active.add(doc)
		}
	}
	g.ids = newKeyIndex(ids)
	slices.SortFunc(g.bySerial, func(a, b uint32) int { return cmp.Compare(g.serials[a], g.serials[b]) })
	slices.SortFunc(g.byTime, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(g.published[b], g.published[a]), cmp.Compare(a, b))
	})
	terms := &g.terms
	g.typos = sync.OnceValue(func() *typoIndex { return newTypoIndex(terms) })
}

// compareIDs orders notices of two segments.
func compareIDs(a *segment, docA uint32, b *segment, docB uint32) int {
	if a == b {
		return int(docA) - int(docB)
	}
	return strings.Compare(a.id(docA), b.id(docB))
}
