package catalogue

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// codec compresses records that are too short to compress well on their own:
// a sample of them is its dictionary, because the notices of an agency share
// their phrases, licences and addresses.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

const (
	dictionaryID    = 1
	dictionaryBytes = 32 << 10
	// worthDictionary is how many records make a good sample.
	worthDictionary = 256
)

func newCodec(dictionary []byte) *codec {
	enc := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true), zstd.WithSingleSegment(true), zstd.WithWindowSize(128 << 10),
	}
	dec := []zstd.DOption{zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithDecoderLowmem(true)}
	if len(dictionary) > 0 {
		enc = append(enc, zstd.WithEncoderDictRaw(dictionaryID, dictionary))
		dec = append(dec, zstd.WithDecoderDictRaw(dictionaryID, dictionary))
	}
	encoder, err := zstd.NewWriter(nil, enc...)
	if err != nil {
		panic(fmt.Sprintf("catalogue: options of the compressor: %v", err))
	}
	decoder, err := zstd.NewReader(nil, dec...)
	if err != nil {
		panic(fmt.Sprintf("catalogue: options of the decompressor: %v", err))
	}
	return &codec{encoder: encoder, decoder: decoder}
}

// plainCodec has no dictionary; it serves until there is a sample.
var plainCodec = sync.OnceValue(func() *codec { return newCodec(nil) })

// sampleCodec makes a codec whose dictionary is a sample of records, evenly taken.
func sampleCodec(count int, record func(i int) []byte) *codec {
	var dictionary []byte
	step := max(1, count/64)
	for i := 0; i < count && len(dictionary) < dictionaryBytes; i += step {
		r := record(i)
		dictionary = append(dictionary, r[:min(len(r), dictionaryBytes/16)]...)
	}
	return newCodec(dictionary)
}

func (c *codec) compress(out, record []byte) []byte { return c.encoder.EncodeAll(record, out) }

// expand undoes compress. The bytes never left this process, so that a failure
// is a fault of the program.
func (c *codec) expand(compressed []byte) string {
	record, err := c.decoder.DecodeAll(compressed, nil)
	if err != nil {
		panic(fmt.Sprintf("catalogue: expanding a record of %d bytes: %v", len(compressed), err))
	}
	return string(record)
}
