package catalogue

import (
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// codec compresses records that are too short to compress well on their own:
// a sample of them is its dictionary, because the notices of an agency share
// their phrases, licences and addresses. S2 and not zstd, which saves 150 bytes
// a notice more, for it takes a fifth of the time at start and at every hit.
type codec struct {
	dictionary *s2.Dict // nil: none
}

const (
	// worthDictionary is how many records make a good sample.
	worthDictionary = 256
	// sampled is how many records a dictionary is made of.
	sampled = 64
)

// plainCodec has no dictionary; it serves until there is a sample.
var plainCodec = sync.OnceValue(func() *codec { return new(codec) })

// sampleCodec makes a codec whose dictionary is a sample of records, evenly taken.
func sampleCodec(count int, record func(i int) []byte) *codec {
	var sample []byte
	for i := 0; i < count && len(sample) < s2.MaxDictSize; i += max(1, count/sampled) {
		r := record(i)
		sample = append(sample, r[:min(len(r), s2.MaxDictSize/16)]...)
	}
	return &codec{dictionary: s2.MakeDict(sample[:min(len(sample), s2.MaxDictSize)], nil)}
}

// compress appends a compressed record.
func (c *codec) compress(out, record []byte) []byte {
	most := s2.MaxEncodedLen(len(record))
	out = slices.Grow(out, most)
	room := out[len(out) : len(out)+most]
	if c.dictionary == nil {
		return out[:len(out)+len(s2.Encode(room, record))]
	}
	return out[:len(out)+len(c.dictionary.Encode(room, record))]
}

// expand undoes compress, in room where that is large enough. The bytes never
// left this process, so that a failure is a fault of the program.
func (c *codec) expand(room, compressed []byte) []byte {
	var record []byte
	var err error
	if c.dictionary == nil {
		record, err = s2.Decode(room, compressed)
	} else {
		record, err = c.dictionary.Decode(room, compressed)
	}
	if err != nil {
		panic(fmt.Sprintf("catalogue: expanding a record of %d bytes: %v", len(compressed), err))
	}
	return record
}
