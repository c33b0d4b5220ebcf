package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sealed is what every seal begins with: it tells the hashes of this chain from
// all others, and those of another encoding, should there be one.
const sealed = "crownsafe audit entry 1\n"

// Seal returns the entry as it follows another, the zero Entry for the first one:
// with its Seq, its Previous (32 zero bytes for the first) and its Hash, its time
// to the microsecond and its texts as Text has them.
//
// Hash is the SHA-256 of the encoding's name, Seq and At (microseconds since 1970)
// as 8 bytes each, and Action, Actor, Subject, Outcome, Reason, Network, TraceID
// and Previous, each after its length in 8 bytes; all numbers big-endian. So no
// two entries have one encoding, and none can be changed without changing the
// hashes of all that follow.
func (e Entry) Seal(previous Entry) Entry {
	e.Seq = previous.Seq + 1
	e.At = e.At.UTC().Truncate(time.Microsecond)
	for _, text := range e.texts() {
		*text = Text(*text)
	}
	e.Previous = bytes.Clone(previous.link())
	e.Hash = e.hash()
	return e
}

// link is what the entry after this one has for its Previous.
func (e *Entry) link() []byte {
	if e.Seq == 0 {
		return make([]byte, sha256.Size)
	}
	return e.Hash
}

func (e *Entry) texts() []*string {
	return []*string{&e.Action, &e.Actor, &e.Subject, &e.Outcome, &e.Reason, &e.Network, &e.TraceID}
}

func (e *Entry) hash() []byte {
	b := binary.BigEndian.AppendUint64([]byte(sealed), uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	for _, text := range e.texts() {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(*text))), *text...)
	}
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(e.Previous))), e.Previous...)
	sum := sha256.Sum256(b)
	return sum[:]
}

// Head names an entry: the last one of a log, by which a log that was cut off
// afterwards is known. The zero Head is that of an empty log.
type Head struct {
	Seq  int64
	Hash []byte
}

// String returns the head as SEQ:HASH, the hash in hexadecimal.
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.Hash)) }

// ParseHead reads what String wrote.
func ParseHead(s string) (Head, error) {
	number, sum, _ := strings.Cut(s, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || seq < 1 {
		return Head{}, fmt.Errorf("%q is not of the form SEQ:HASH", s)
	}
	hash, err := hex.DecodeString(sum)
	if err != nil || len(hash) != sha256.Size {
		return Head{}, fmt.Errorf("%q is not of the form SEQ:HASH", s)
	}
	return Head{seq, hash}, nil
}

// Broken is the error of a log that isn't as it was written. It tells of the first
// entry that isn't: everything before it holds.
type Broken struct {
	Seq    int64 // of the entry, or of the one that should be there
	Reason string
}

func (b *Broken) Error() string {
	return fmt.Sprintf("the audit log is broken at entry %d: %s", b.Seq, b.Reason)
}

// Log is what Verify reads: the part of Audit by which it is read.
type Log interface {
	Entries(ctx context.Context, after int64, limit int, yield func(Entry) error) error
}

// Verify reads a log from its first entry on and returns the last one, or *Broken.
// A log whose end was cut off is as good as a shorter one, but for who knows a
// head that it had: with one that isn't zero, its entry must be there.
func Verify(ctx context.Context, log Log, known Head) (Head, error) {
	var last Entry
	err := log.Entries(ctx, 0, 0, func(e Entry) error {
		if err := follows(e, last); err != nil {
			return err
		}
		if e.Seq == known.Seq && !bytes.Equal(e.Hash, known.Hash) {
			return &Broken{e.Seq, "its hash is not the one that was noted: the log was written anew"}
		}
		last = e
		return nil
	})
	if err != nil {
		return Head{}, err
	}
	if last.Seq < known.Seq {
		return Head{}, &Broken{last.Seq + 1, fmt.Sprintf("it is missing, with all up to entry %d that was noted", known.Seq)}
	}
	return Head{last.Seq, last.Hash}, nil
}

// follows says what is wrong with an entry that stands behind another.
func follows(e, last Entry) error {
	want := last.Seq + 1
	switch {
	case e.Seq > want:
		return &Broken{want, fmt.Sprintf("it is missing; entry %d comes next", e.Seq)}
	case e.Seq < want:
		return &Broken{e.Seq, fmt.Sprintf("it stands behind entry %d", last.Seq)}
	case !bytes.Equal(e.Previous, last.link()):
		return &Broken{e.Seq, "it doesn't follow the entry before it"}
	case !bytes.Equal(e.Hash, e.hash()):
		return &Broken{e.Seq, "it was changed"}
	}
	return nil
}
