// Package snapshot keeps the catalogue in files, in the data directory and
// among the objects, so that a process can start and answer while its database
// is down. A file holds every notice with its serial, and what is known of the
// sources, so that coverage and ages are right; it is made from memory and needs
// no database either. Nothing of a file is used before all of it was found to be
// as it was written.
//
// It knows nothing of the layout of the catalogue's records, of the database or
// of HTTP. A file is for this program to read back, not for exchange: that is the
// export of the API.
package snapshot

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/source"
)

// Errors of a file that isn't used; tested with errors.Is.
var (
	ErrDamaged = errors.New("the snapshot is damaged or cut off")
	ErrFormat  = errors.New("the snapshot is of another version of the program")
)

// format is the version of the file as a whole: a line of JSON, the header; the
// catalogue's records under zstd; and the SHA-256 of both, 32 bytes.
const format = 1

// Header is the first line of a file.
type Header struct {
	Format    int            `json:"format"`
	Shape     string         `json:"shape"` // catalogue.RecordShape
	Serial    int64          `json:"serial"`
	Records   int            `json:"records"`
	Store     string         `json:"store"`    // identity of the store that it was read from
	FreshAt   time.Time      `json:"fresh_at"` // until then it was known to be all that the store held
	WrittenAt time.Time      `json:"written_at"`
	Sources   []source.Known `json:"sources"`
}

// maxHeader bounds the first line, which has some hundred bytes for each source.
const maxHeader = 1 << 20

// write writes a snapshot with what is known of its sources.
func write(ctx context.Context, out io.Writer, snap *catalogue.Snapshot, sources []source.Known, now time.Time) error {
	m := snap.Manifest()
	header, err := json.Marshal(Header{
		Format: format, Shape: catalogue.RecordShape(), Serial: m.Serial, Records: m.Records, Store: m.Store,
		FreshAt: m.FreshAt, WrittenAt: now.UTC(), Sources: sources,
	})
	if err != nil {
		return fmt.Errorf("encoding the snapshot's header: %w", err)
	}
	sum := sha256.New()
	summed := io.MultiWriter(out, sum)
	if _, err := summed.Write(append(header, '\n')); err != nil {
		return fmt.Errorf("writing the snapshot's header: %w", err)
	}
	// One processor, and little memory: it is done beside the answers.
	packed, err := zstd.NewWriter(summed, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return fmt.Errorf("preparing the snapshot's compression: %w", err)
	}
	if err := snap.WriteRecords(ctx, packed); err != nil {
		return errors.Join(err, packed.Close())
	}
	if err := packed.Close(); err != nil {
		return fmt.Errorf("writing the snapshot's records: %w", err)
	}
	if _, err := out.Write(sum.Sum(nil)); err != nil {
		return fmt.Errorf("writing the snapshot's checksum: %w", err)
	}
	return nil
}

// opened is a snapshot that was found to be whole.
type opened struct {
	Header
	packed io.Reader // the records, compressed
}

// open reads a file of some bytes to its end, and gives out its header and its
// records when it is as it was written. ErrFormat, ErrDamaged.
func open(file io.ReaderAt, size int64) (*opened, error) {
	const sumSize = sha256.Size
	if size < sumSize {
		return nil, fmt.Errorf("%d bytes: %w", size, ErrDamaged)
	}
	line, err := bufio.NewReaderSize(io.NewSectionReader(file, 0, min(size-sumSize, maxHeader)), maxHeader).ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w: %w", ErrDamaged, err)
	}
	s := new(opened)
	if err := json.Unmarshal(line, &s.Header); err != nil {
		return nil, fmt.Errorf("reading the header: %w: %w", ErrDamaged, err)
	}
	if s.Format != format || s.Shape != catalogue.RecordShape() {
		return nil, fmt.Errorf("format %d, records %q: %w", s.Format, s.Shape, ErrFormat)
	}
	sum, want := sha256.New(), make([]byte, sumSize)
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, size-sumSize)); err != nil {
		return nil, fmt.Errorf("reading %d bytes: %w", size, err)
	}
	if _, err := file.ReadAt(want, size-sumSize); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the checksum: %w", err)
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return nil, fmt.Errorf("its checksum is another one: %w", ErrDamaged)
	}
	begin := int64(len(line))
	s.packed = io.NewSectionReader(file, begin, size-sumSize-begin)
	return s, nil
}

// restore makes a catalogue of the snapshot.
func (s *opened) restore(ctx context.Context, c *catalogue.Catalogue) error {
	records, err := zstd.NewReader(s.packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return fmt.Errorf("preparing to read the records: %w", err)
	}
	defer records.Close()
	m := catalogue.Manifest{Serial: s.Serial, Records: s.Records, Store: s.Store, FreshAt: s.FreshAt}
	err = c.Restore(ctx, m, records)
	if errors.Is(err, catalogue.ErrBadRecords) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
