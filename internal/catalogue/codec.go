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
	dictionary []byte
	decoder    *zstd.Decoder
}

const (
	dictionaryID    = 1
	dictionaryBytes = 32 << 10
	// worthDictionary is how many records make a good sample.
	worthDictionary = 256
	// sampled is how many records a dictionary is made of.
	sampled = 64
)

func newCodec(dictionary []byte) *codec {
	options := []zstd.DOption{zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithDecoderLowmem(true)}
	if len(dictionary) > 0 {
		options = append(options, zstd.WithDecoderDictRaw(dictionaryID, dictionary))
	}
	decoder, err := zstd.NewReader(nil, options...)
	if err != nil {
		panic(fmt.Sprintf("catalogue: options of the decompressor: %v", err))
	}
	return &codec{dictionary: dictionary, decoder: decoder}
}

// plainCodec has no dictionary; it serves until there is a sample.
var plainCodec = sync.OnceValue(func() *codec { return newCodec(nil) })

// sampleCodec makes a codec whose dictionary is a sample of records, evenly taken.
func sampleCodec(count int, record func(i int) []byte) *codec {
	var dictionary []byte
	for i := 0; i < count && len(dictionary) < dictionaryBytes; i += max(1, count/sampled) {
		r := record(i)
		dictionary = append(dictionary, r[:min(len(r), dictionaryBytes/16)]...)
	}
	return newCodec(dictionary)
}

// compressor returns a function that appends a compressed record. It is made
// anew for each segment, because it holds a megabyte or two.
func (c *codec) compressor() func(out, record []byte) []byte {
	options := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithLowerEncoderMem(true), zstd.WithSingleSegment(true), zstd.WithWindowSize(128 << 10),
	}
	if len(c.dictionary) > 0 {
		options = append(options, zstd.WithEncoderDictRaw(dictionaryID, c.dictionary))
	}
	encoder, err := zstd.NewWriter(nil, options...)
	if err != nil {
		panic(fmt.Sprintf("catalogue: options of the compressor: %v", err))
	}
	return func(out, record []byte) []byte { return encoder.EncodeAll(record, out) }
}

// expand undoes what a compressor did. The bytes never left this process, so
// that a failure is a fault of the program.
func (c *codec) expand(compressed []byte) string {
	record, err := c.decoder.DecodeAll(compressed, nil)
	if err != nil {
		panic(fmt.Sprintf("catalogue: expanding a record of %d bytes: %v", len(compressed), err))
	}
	return string(record)
}
