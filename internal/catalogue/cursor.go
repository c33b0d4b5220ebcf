package catalogue

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// ErrBadCursor says that a cursor is none of ours, was damaged, or belongs to
// another query.
var ErrBadCursor = errors.New("the cursor is damaged or belongs to another query")

// cursor is the place behind the last hit of a page: its key and id, and the
// decisions that the first page was made with.
type cursor struct {
	query     uint64 // fingerprint
	key       int64
	id        string
	decisions []uint32
}

const cursorVersion = 1

var cursorText = base64.RawURLEncoding.Strict()

func (c *cursor) encode() string {
	b := []byte{cursorVersion}
	b = binary.BigEndian.AppendUint64(b, c.query)
	b = binary.AppendVarint(b, c.key)
	b = binary.AppendUvarint(b, uint64(len(c.id)))
	b = append(b, c.id...)
	for _, d := range c.decisions {
		b = binary.AppendUvarint(b, uint64(d))
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return cursorText.EncodeToString(b)
}

func decodeCursor(text string, query uint64) (*cursor, error) {
	b, err := cursorText.DecodeString(text)
	if err != nil || len(b) < 13 || b[0] != cursorVersion {
		return nil, ErrBadCursor
	}
	b, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	c := &cursor{query: binary.BigEndian.Uint64(b[1:])}
	if crc32.ChecksumIEEE(b) != sum || c.query != query {
		return nil, ErrBadCursor
	}
	b = b[9:]
	key, n := binary.Varint(b)
	if n <= 0 {
		return nil, ErrBadCursor
	}
	c.key, b = key, b[n:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, ErrBadCursor
	}
	c.id, b = string(b[n:n+int(length)]), b[n+int(length):]
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 || d > 1<<32-1 {
			return nil, ErrBadCursor
		}
		c.decisions, b = append(c.decisions, uint32(d)), b[n:]
	}
	return c, nil
}

// fingerprint tells queries apart by what decides which notices they find and
// in which order.
func (q *Query) fingerprint() uint64 {
	var b strings.Builder
	text := func(s string) {
		b.WriteString(s)
		b.WriteByte(0)
	}
	text(q.Words)
	for _, list := range [][]string{q.Agencies, q.Countries, strs(q.Audiences), q.Categories, strs(q.Hazards), strs(q.Remedies)} {
		for _, v := range list {
			text(v)
		}
		text("\x01")
	}
	text(string(q.status()))
	text(q.From.UTC().Format("20060102"))
	text(q.To.UTC().Format("20060102"))
	text(string(q.Sort))
	return textKey(b.String())
}

func strs[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// behind tells for one part which of its notices come after the cursor.
type behind struct {
	key  int64
	from uint32 // with an equal key, the first notice whose id is greater
}

func (c *cursor) in(p *part) behind {
	from, to := uint32(0), uint32(p.len())
	for from < to {
		if mid := (from + to) / 2; cmp.Compare(p.id(mid), c.id) > 0 {
			to = mid
		} else {
			from = mid + 1
		}
	}
	return behind{c.key, from}
}

func (b behind) has(key int64, doc uint32) bool {
	return key < b.key || key == b.key && doc >= b.from
}
