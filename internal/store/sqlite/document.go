package sqlite

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

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

// buffers holds what documents were decompressed into: a notice that was read
// keeps none of it, and a start reads tens of thousands. A buffer over maxKept
// bytes, made for a rare large notice, isn't held.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const maxKept = 256 << 10

// encodeNotice makes a canonical notice's document. Revision and first sight
// are columns, so that a document doesn't depend on what was stored before.
func encodeNotice(n recall.Notice) ([]byte, error) {
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

// decodeNotice reads a document. A document that can't be read means that the
// file is damaged: store.ErrCorrupt.
func decodeNotice(doc []byte, revision, firstSeenAt int64) (recall.Notice, error) {
	c, err := sharedCodec()
	if err != nil {
		return recall.Notice{}, err
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	content, err := c.decoder.DecodeAll(doc, (*buffer)[:0])
	if cap(content) <= maxKept {
		*buffer = content
	}
	if err != nil {
		return recall.Notice{}, fmt.Errorf("%w: decompressing a notice: %w", store.ErrCorrupt, err)
	}
	var n recall.Notice
	if err := json.Unmarshal(content, &n); err != nil {
		return recall.Notice{}, fmt.Errorf("%w: reading a notice's JSON: %w", store.ErrCorrupt, err)
	}
	n.Revision, n.FirstSeenAt = int(revision), fromMicros(firstSeenAt)
	return n, nil
}

// fromMicros reads a column of time.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
