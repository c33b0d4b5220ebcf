// Package cache keeps what is expensive to get: in the process, and in front of
// every process in a store that they share. Store is the port to one level; the
// adapters (cache/memory, cache/redis) pass the one conformance suite in
// cache/cachetest. Cache puts one level in front of another and passes it too;
// For gives typed access to it.
//
// A cache never decides anything: whoever asks gets the same answer without it,
// only later. So an error of a level is counted and logged, and never the
// caller's, and a value that may be out of date is not given out: whatever was
// being loaded while it was invalidated is not kept.
//
// It knows nothing of what the values are, and nothing of verdicts, which are
// never kept here.
package cache

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// Errors that adapters translate their driver's errors into; tested with errors.Is.
var (
	// ErrUnavailable says that the store gave no answer, or none that can be used.
	ErrUnavailable = errors.New("the cache doesn't answer")
	// ErrRefused says that the store answered and didn't do what it was asked:
	// it is full, read only, or not allowed to. It can be read all the same.
	ErrRefused = errors.New("the cache refused")
)

// MaxTTL is how long a value can be kept. Longer is cut to it: what is wrong in a
// cache is gone after a day, whatever went wrong.
const MaxTTL = 24 * time.Hour

// Key names a value and says what it is invalidated by.
type Key struct {
	// Use is the operation that keeps the value: a word of lower-case letters,
	// digits and hyphens, such as "blob-info".
	Use string
	// Shape is the value's form. Values of one form are never found by another,
	// so that a release doesn't read what one before it wrote in another form.
	Shape string
	// Name is the value's own, unique within its use. Any text.
	Name string
	// Tags are what the value is made from. They belong to the name: who asks for
	// the same name gives the same tags. Any texts.
	Tags []string
}

// Marks are what invalidates the value: All, its own mark, and those of its tags.
func (k Key) Marks() []Mark {
	marks := make([]Mark, 0, 2+len(k.Tags))
	marks = append(marks, All, k.Mark())
	for _, tag := range k.Tags {
		marks = append(marks, TagMark(tag))
	}
	return marks
}

// Mark is the key's own mark. It holds for every shape of the value: the
// processes of two releases that run at the same time invalidate each other's.
func (k Key) Mark() Mark { return Mark("k:" + k.Use + ":" + k.Name) }

// Mark is what values are invalidated by.
type Mark string

// All is the mark of every value.
const All Mark = "*"

// TagMark is the mark of every value with a tag.
func TagMark(tag string) Mark { return Mark("t:" + tag) }

// Claim is the right to store a value that was looked for and not found. It is
// good until one of the key's marks is invalidated: so nothing is kept that was
// read from its source before it was changed. It consists of generations, one for
// each of the key's marks and level; only the store that gave it can read it.
type Claim []uint64

// Answer is what a store says of a key.
type Answer struct {
	Found bool
	// Value is shared with others: it must not be changed.
	Value []byte
	// TTL is how long the value will be there, at most.
	TTL time.Duration
	// Claim is given when nothing was found, and nil when the store couldn't take
	// the value now.
	Claim Claim
}

// Store is one level of a cache, or several as one. Its methods may be called
// from several goroutines. That a value isn't there is normal at any time: a
// store drops what it likes when it likes. Errors are ErrUnavailable, ErrRefused
// or the context's own.
type Store interface {
	// Get looks for a value. With an error there may still be a claim: none or one
	// that is good.
	Get(ctx context.Context, key Key) (Answer, error)
	// Set stores a value by the claim that Get gave for the same key, for no
	// longer than ttl. Whether it is stored isn't told: a claim that isn't good
	// any more, a value that is too large, a nil claim and a ttl that isn't above
	// zero are no errors. Of several values that came by good claims any may be
	// found. The store keeps the slice: it must not be changed.
	Set(ctx context.Context, key Key, value []byte, ttl time.Duration, claim Claim) error
	// Invalidate makes every value with one of the marks unreadable, and every
	// claim with one useless, before it returns. With an error it may have done
	// so for some.
	Invalidate(ctx context.Context, marks ...Mark) error
	// Usage tells what this process holds, without asking anybody.
	Usage() Usage
	// Ping asks whether the store answers.
	Ping(ctx context.Context) error
	// Backend is "memory" or "redis".
	Backend() string
	Close() error
}

// Watcher is a store whose invalidations other processes need to hear of.
type Watcher interface {
	// Watch tells of other processes' invalidations until ctx ends. A connection
	// that is lost is made anew.
	Watch(ctx context.Context, events Events)
}

// Events are what a Watcher calls, one at a time and in order.
type Events struct {
	// Invalidated is called with the marks that another process invalidated, within
	// a second of it.
	Invalidated func(marks []Mark)
	// Listening is called with true when everything from now on will be heard, and
	// with false when that can't be relied on any more; what happened between the
	// two is not told later.
	Listening func(bool)
}

// Usage is what a level holds. Values that were invalidated count until they are
// dropped.
type Usage struct {
	Entries int64
	Bytes   int64 // with keys and bookkeeping
	PerUse  map[string]UseUsage
}

// UseUsage is what a level holds of one use.
type UseUsage struct{ Entries, Bytes int64 }

// Path is the key as one text, in which no two keys are alike.
func (k Key) Path() string {
	return k.Use + "/" + k.Shape + ":" + k.Name
}

// flight names a load: callers that hold the same claim may share it, and one
// that came after an invalidation doesn't join a load from before it.
func (k Key) flight(claim Claim) string {
	path := slices.Grow([]byte(nil), len(k.Name)+64)
	for _, generation := range claim {
		path = strconv.AppendUint(path, generation, 36)
		path = append(path, ' ')
	}
	return string(append(path, k.Path()...))
}
