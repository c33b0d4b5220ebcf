package ledger

import (
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/segmentio/encoding/json"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// maxDocument bounds what one document may decompress to, in bytes, so that a
// damaged length can't take all memory.
const maxDocument = 256 << 20

// codec is the shared encoder and decoder: both are safe for concurrent use on
// whole buffers and costly to make.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

var sharedCodec = sync.OnceValues(func() (codec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true))
	if err != nil {
		return codec{}, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxDocument))
	return codec{encoder, decoder}, err
})

// Encode makes a canonical notice's document: its JSON under zstd. Revision and first sight
// are columns, so that a document doesn't depend on what was stored before.
func Encode(n recall.Notice) ([]byte, error) {
	n.Revision, n.FirstSeenAt = 0, time.Time{}
	content, err := json.Marshal(&n)
	if err != nil {
		return nil, fmt.Errorf("writing notice %s as JSON: %w", n.ID, err)
	}
	if len(content) > maxDocument {
		return nil, fmt.Errorf("notice %s takes %d bytes, more than %d", n.ID, len(content), maxDocument)
	}
	c, err := sharedCodec()
	if err != nil {
		return nil, err
	}
	return c.encoder.EncodeAll(content, nil), nil
}

// Decode reads a document of a revision, by its number, of a notice first seen at
// a time. A document that can't be read means that what
// is stored is damaged: store.ErrCorrupt.
func Decode(doc []byte, revision, firstSeenAt int64) (recall.Notice, error) {
	c, err := sharedCodec()
	if err != nil {
		return recall.Notice{}, err
	}
	content, err := c.decoder.DecodeAll(doc, nil)
	if err != nil {
		return recall.Notice{}, fmt.Errorf("%w: decompressing a notice: %w", store.ErrCorrupt, err)
	}
	var n recall.Notice
	// The notice's strings lie in content, which is nobody else's: a start reads
	// tens of thousands of notices, and copying was most of its time. This is why
	// the standard library's decoder is not used.
	rest, err := json.Parse(content, &n, json.ZeroCopy)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	if err != nil {
		return recall.Notice{}, fmt.Errorf("%w: reading a notice's JSON: %w", store.ErrCorrupt, err)
	}
	n.Revision, n.FirstSeenAt = int(revision), Time(firstSeenAt)
	return n, nil
}

// Time reads a time that is stored as microseconds.
func Time(us int64) time.Time { return time.UnixMicro(us).UTC() }
