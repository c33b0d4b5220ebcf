package catalogue

import (
	"encoding/binary"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// A notice is kept as two records of bytes instead of a tree of pointers: the
// brief holds what a decision needs and stays as it is, the rest is compressed.
// That is a third of the memory of the structs, costs the garbage collector
// nothing, and unpacks in a microsecond.
//
// In a record a number is a varint and a string is either its length (even) and
// its bytes, or (odd) the number of an equal string before it in the record or
// of one of wellKnown.

// minReference is the shortest string that is worth a reference.
const minReference = 3

// wellKnown are the strings that most records hold.
var wellKnown = func() []string {
	list := []string{
		string(recall.Active), string(recall.Withdrawn), string(recall.Infant), string(recall.Child), string(recall.General),
		string(recall.Declared), string(recall.Possible),
		string(recall.Lot), string(recall.Batch), string(recall.Serial), string(recall.DateCode),
		string(recall.Made), string(recall.Sold), string(recall.BestBefore), string(recall.Expiry),
		string(recall.OpEquals), string(recall.OpRange), string(recall.OpPrefix), string(recall.OpSuffix), string(recall.OpAll), string(recall.OpUnreadable),
		"description", "title", "summary", "name", "models", "image/jpeg", "English", "French",
	}
	for _, h := range recall.HazardTypes() {
		list = append(list, string(h))
	}
	for _, r := range recall.RemedyTypes() {
		list = append(list, string(r))
	}
	return list
}()

// packer writes records.
type packer struct {
	out  []byte
	seen map[string]uint64 // string → its number in the present record
	next uint64
}

func newPacker() *packer {
	return &packer{seen: map[string]uint64{}}
}

var wellKnownNumbers = func() map[string]uint64 {
	numbers := map[string]uint64{}
	for i, s := range wellKnown {
		numbers[s] = uint64(i)
	}
	return numbers
}()

// begin starts a record at the end of out.
func (p *packer) begin(out []byte) {
	p.out = out
	clear(p.seen)
	p.next = uint64(len(wellKnown))
}

func (p *packer) number(n uint64) { p.out = binary.AppendUvarint(p.out, n) }
func (p *packer) signed(n int64)  { p.out = binary.AppendVarint(p.out, n) }

func (p *packer) text(s string) {
	if len(s) >= minReference {
		if n, ok := wellKnownNumbers[s]; ok {
			p.number(n<<1 | 1)
			return
		}
		if n, ok := p.seen[s]; ok {
			p.number(n<<1 | 1)
			return
		}
		p.seen[s] = p.next
		p.next++
	}
	p.number(uint64(len(s)) << 1)
	p.out = append(p.out, s...)
}

func (p *packer) texts(list []string) {
	p.number(uint64(len(list)))
	for _, s := range list {
		p.text(s)
	}
}

func (p *packer) bit(b bool) {
	if b {
		p.out = append(p.out, 1)
	} else {
		p.out = append(p.out, 0)
	}
}

func (p *packer) time(t time.Time) {
	p.signed(t.Unix())
	p.number(uint64(t.Nanosecond()))
}

func (p *packer) maybeText(s *string) {
	p.bit(s != nil)
	if s != nil {
		p.text(*s)
	}
}

func (p *packer) maybeCount(n *int) {
	p.bit(n != nil)
	if n != nil {
		p.signed(int64(*n))
	}
}

// unpacker reads a record. Its strings are slices of the record: nothing is
// copied, and what holds one of them holds the record's arena.
type unpacker struct {
	in    string
	table []string
}

func (u *unpacker) number() uint64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		c := u.in[shift/7]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			u.in = u.in[shift/7+1:]
			return n
		}
	}
}

func (u *unpacker) signed() int64 {
	n := u.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) text() string {
	n := u.number()
	if n&1 == 1 {
		if n >>= 1; n < uint64(len(wellKnown)) {
			return wellKnown[n]
		}
		return u.table[n-uint64(len(wellKnown))]
	}
	s := u.in[:n>>1]
	u.in = u.in[n>>1:]
	if len(s) >= minReference {
		u.table = append(u.table, s)
	}
	return s
}

func (u *unpacker) texts() []string {
	list := make([]string, u.number())
	for i := range list {
		list[i] = u.text()
	}
	return list
}

func (u *unpacker) bit() bool {
	b := u.in[0]
	u.in = u.in[1:]
	return b == 1
}

func (u *unpacker) time() time.Time {
	seconds := u.signed()
	return time.Unix(seconds, int64(u.number())).UTC()
}

func (u *unpacker) maybeText() *string {
	if !u.bit() {
		return nil
	}
	s := u.text()
	return &s
}

func (u *unpacker) maybeCount() *int {
	if !u.bit() {
		return nil
	}
	n := int(u.signed())
	return &n
}
