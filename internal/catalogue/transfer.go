package catalogue

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// Manifest says what WriteRecords writes, for whoever restores a catalogue from
// it.
type Manifest struct {
	Serial  int64
	Records int       // ids, with those that left the catalogue
	Store   string    // Snapshot.Store
	FreshAt time.Time // Snapshot.FreshAt
}

// Manifest describes the snapshot's records.
func (s *Snapshot) Manifest() Manifest {
	return Manifest{Serial: s.serial, Records: s.living, Store: s.origin.store, FreshAt: s.FreshAt()}
}

// recordVersion is raised when a record is laid out in another way or a field
// comes to mean something else. What shows in the types is in RecordShape without it.
const recordVersion = 1

// RecordShape identifies the layout of records: what was written by a program of
// another shape can't be read.
func RecordShape() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %q ", recordVersion, wellKnown)
	describe(h, reflect.TypeFor[recall.Notice]())
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// describe writes the names and kinds of whatever is in a type.
func describe(w io.Writer, t reflect.Type) {
	fmt.Fprint(w, t.Kind(), " ")
	switch {
	case t == reflect.TypeFor[time.Time]():
	case t.Kind() == reflect.Struct:
		for f := range t.Fields() {
			fmt.Fprint(w, f.Name, " ")
			describe(w, f.Type)
		}
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Pointer:
		describe(w, t.Elem())
	}
}

// isTombstone marks a record of an id that left the catalogue.
const isTombstone uint64 = 1

// WriteRecords writes the present state of every id, in order of serial, with
// what a notice itself says of its aliases. It holds one record in memory at a
// time and no lock, and takes nothing from lookups but processor time.
func (s *Snapshot) WriteRecords(ctx context.Context, out io.Writer) error {
	w := bufio.NewWriterSize(out, 1<<16)
	heads := make([]int, len(s.parts))
	var header, rest []byte
	for written := 0; ; written++ {
		next := s.nextChange(heads)
		if next < 0 {
			break
		}
		if err := ctx.Err(); written%1024 == 0 && err != nil {
			return fmt.Errorf("writing the catalogue's records: %w", err)
		}
		p := &s.parts[next]
		doc := p.bySerial[heads[next]]
		heads[next]++
		brief := p.brief(doc)
		rest = p.expand(rest[:cap(rest)], doc)
		header = binary.AppendUvarint(header[:0], uint64(p.serials[doc]))
		header = binary.AppendUvarint(header, tombstoneOf(p.traits[doc]))
		header = binary.AppendUvarint(header, uint64(len(brief)))
		header = binary.AppendUvarint(header, uint64(len(rest)))
		_, _ = w.Write(header) // the writer remembers its error
		_, _ = w.WriteString(brief)
		_, _ = w.Write(rest)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the catalogue's records: %w", err)
	}
	return nil
}

func tombstoneOf(t trait) uint64 {
	if t&(isGone|isWithdrawn) != 0 {
		return isTombstone
	}
	return 0
}

// ErrBadRecords says that records are not as WriteRecords writes them.
var ErrBadRecords = errors.New("the catalogue's records are damaged")

// Restore makes the catalogue anew from records that WriteRecords wrote in a
// program of the same RecordShape, and swaps once, at the end. The snapshot then
// answers as the one did that was written; it is Restored until Refresh has held
// it against the store. ErrBadRecords when the records are not as the manifest
// says, or when it doesn't say how old they are, for their answers would pass for
// today's; the last snapshot stands then.
func (c *Catalogue) Restore(ctx context.Context, m Manifest, records io.Reader) error {
	if m.FreshAt.IsZero() {
		return fmt.Errorf("restoring the catalogue: nobody knows how old it is: %w", ErrBadRecords)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	read, err := readChanges(ctx, &recordReader{in: bufio.NewReaderSize(records, 1<<16)}, 0, nil)
	if err != nil {
		return fmt.Errorf("restoring the catalogue: %w", err)
	}
	if read.count != m.Records || read.serial != m.Serial {
		return fmt.Errorf("restoring the catalogue: %d records up to serial %d where %d up to %d should be: %w",
			read.count, read.serial, m.Records, m.Serial, ErrBadRecords)
	}
	c.replace(read, m.Serial, origin{store: m.Store, restored: true}, m.FreshAt)
	c.doubt.Store(true)
	return nil
}

// recordReader reads notices from records.
type recordReader struct {
	in   *bufio.Reader
	room []byte
	err  error // the first
}

// maxText bounds the parts of a record; the longest notices have some hundred kilobytes.
const maxText = 64 << 20

// Changes calls yield with every record; since and limit are not looked at.
func (r *recordReader) Changes(_ context.Context, _ int64, _ int, yield func(store.Stored) error) error {
	for {
		if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
			return nil
		}
		stored, err := r.next()
		if err != nil {
			return err
		}
		if err := yield(stored); err != nil {
			return err
		}
	}
}

func (r *recordReader) next() (store.Stored, error) {
	serial, tombstone, briefLength, restLength := r.number(), r.number(), r.number(), r.number()
	brief, rest := r.text(briefLength), r.text(restLength)
	if r.err != nil {
		return store.Stored{}, fmt.Errorf("%w: %w", ErrBadRecords, r.err)
	}
	n, err := unpackRecord(brief, rest)
	return store.Stored{Serial: int64(serial), Notice: n, Tombstone: tombstone == isTombstone}, err
}

func (r *recordReader) number() uint64 {
	if r.err != nil {
		return 0
	}
	var n uint64
	n, r.err = binary.ReadUvarint(r.in)
	return n
}

// text reads a part of a record.
func (r *recordReader) text(length uint64) string {
	if r.err == nil && length > maxText {
		r.err = fmt.Errorf("a part of %d bytes", length)
	}
	if r.err != nil {
		return ""
	}
	r.room = slices.Grow(r.room[:0], int(length))[:length]
	_, r.err = io.ReadFull(r.in, r.room)
	return string(r.room)
}

// unpackRecord unpacks what a segment has packed. The unpacker trusts records,
// which never left the process; those that did are not trusted, checksum or not.
func unpackRecord(brief, rest string) (n recall.Notice, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", ErrBadRecords, v)
		}
	}()
	u := unpacker{in: brief}
	u.unpackBrief(&n)
	left := len(u.in)
	u.in, u.table = rest, u.table[:0]
	u.unpackRest(&n)
	if left+len(u.in) > 0 {
		return n, fmt.Errorf("%w: %d bytes too many in that of %q", ErrBadRecords, left+len(u.in), n.ID)
	}
	return n, nil
}
