// Package redis keeps a cache's values in Redis, where every process finds them:
// one server, a Redis Cluster, or what speaks as they do (version 6 or later).
//
// It knows nothing of what the values are. It gives up when its caller's context
// ends; how long that is, and what to do about a server that doesn't answer, is
// the caller's business. What it says never holds a password, and the driver says
// nothing at all.
package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/redisclient"
)

// format is the number of the layout of keys, values and messages: what is of
// another format isn't found.
const format = "1"

// DefaultPrefix stands before every key unless another is given.
const DefaultPrefix = "crownsafe:"

const (
	// generationLife is how long a generation that nobody asks for is kept: longer
	// than any value, because a value isn't readable without those of its marks.
	generationLife = 2 * cache.MaxTTL
	// longestName is how long a name may be, in bytes, to stand in a key as it is.
	longestName = 200
	// generationBytes is the size of a generation, on the wire and in a value.
	generationBytes = 8
)

// Options say which Redis, and how to use it.
type Options struct {
	// URL is redis://, rediss:// or unix://; see docs/operations.md.
	URL string
	// Prefix stands before every key, for servers that others use too; empty:
	// DefaultPrefix.
	Prefix string
	// CAFile holds the certificates of the authorities that a rediss:// server's
	// may be from, as PEM; empty: those of the system.
	CAFile string
	// Handshake, unless nil, is told of each TLS connection that was made.
	Handshake func(tls.ConnectionState)
	// Tracer makes spans of commands; nil: there are none.
	Tracer trace.Tracer
}

// Store is a cache.Store and a cache.Watcher in Redis.
//
// Every mark has a generation in a key of its own: a random number. A value holds
// those of its marks from when it was claimed, and can be read while they are the
// same. To invalidate a mark is to delete its generation, which a full Redis does
// too; and one that Redis evicted has the same effect. No command touches more
// than one key, so that a cluster may spread them.
type Store struct {
	client driver.UniversalClient
	prefix string
	self   string // how this process signs its messages
}

// Open prepares to use Redis. It doesn't ask it anything: a server that isn't
// there is found out later, and then whenever it comes. An error is one of the
// options'.
func Open(opts Options) (*Store, error) {
	client, err := redisclient.Open(redisclient.Options{URL: opts.URL, CAFile: opts.CAFile, Handshake: opts.Handshake})
	if err != nil {
		return nil, err
	}
	if opts.Tracer != nil {
		client.AddHook(spans{opts.Tracer})
	}
	prefix := opts.Prefix
	if prefix == "" {
		prefix = DefaultPrefix
	}
	return &Store{client: client, prefix: prefix + format + ":", self: rand.Text()}, nil
}

func (s *Store) valueKey(key cache.Key) string { return s.prefix + "v:" + short(key.Path()) }

func (s *Store) generationKey(mark cache.Mark) string { return s.prefix + "g:" + short(string(mark)) }

// short replaces what is long by its digest; no text that stands for itself
// starts like one.
func short(name string) string {
	if len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "#" + hex.EncodeToString(sum[:])
}

// Get is cache.Store's. What is found takes one round trip, a miss two.
func (s *Store) Get(ctx context.Context, key cache.Key) (cache.Answer, error) {
	marks := key.Marks()
	var stored *driver.StringCmd
	var left *driver.DurationCmd
	generations := make([]*driver.StringCmd, len(marks))
	commands, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
		stored, left = p.Get(ctx, s.valueKey(key)), p.PTTL(ctx, s.valueKey(key))
		for i, mark := range marks {
			generations[i] = p.Get(ctx, s.generationKey(mark))
		}
		return nil
	})
	if err := fault(commands, err); err != nil {
		return cache.Answer{}, translate(ctx, "reading a value", err)
	}
	claim := make(cache.Claim, len(marks))
	var missing []int
	for i, g := range generations {
		var ok bool
		if claim[i], ok = generation(g); !ok {
			missing = append(missing, i)
		}
	}
	if packed, err := stored.Bytes(); len(missing) == 0 && err == nil {
		if value, ok := unpack(packed, claim); ok && left.Val() > 0 {
			return cache.Answer{Found: true, Value: value, TTL: left.Val()}, nil
		}
	}
	if err := s.claim(ctx, marks, claim, missing); err != nil {
		return cache.Answer{}, err
	}
	return cache.Answer{Claim: claim}, nil
}

// claim makes the generations that are missing and keeps the others from
// expiring before what will be stored by them.
func (s *Store) claim(ctx context.Context, marks []cache.Mark, claim cache.Claim, missing []int) error {
	made := make([]*driver.StringCmd, len(missing))
	commands, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
		for i, mark := range marks {
			if !slices.Contains(missing, i) {
				p.PExpire(ctx, s.generationKey(mark), generationLife)
			}
		}
		for n, i := range missing {
			// Another process may do the same at the same time: what is there then counts.
			p.SetNX(ctx, s.generationKey(marks[i]), newGeneration(), generationLife)
			made[n] = p.Get(ctx, s.generationKey(marks[i]))
		}
		return nil
	})
	if err := fault(commands, err); err != nil {
		return translate(ctx, "claiming a value", err)
	}
	for n, i := range missing {
		var ok bool
		if claim[i], ok = generation(made[n]); !ok {
			return fmt.Errorf("claiming a value: invalidated at once: %w", cache.ErrRefused)
		}
	}
	return nil
}

// fault is what went wrong with a pipeline or any of its commands; that a key
// isn't there is nothing wrong. The pipeline's own error may be that of the first
// key that isn't there, and hide another; and where there was no connection, the
// commands may not know of it.
func fault(commands []driver.Cmder, err error) error {
	for _, command := range commands {
		if err := command.Err(); err != nil && !errors.Is(err, driver.Nil) {
			return err
		}
	}
	if errors.Is(err, driver.Nil) {
		return nil
	}
	return err
}

func newGeneration() []byte {
	b := make([]byte, generationBytes)
	_, _ = rand.Read(b) // never fails
	return b
}

func generation(cmd *driver.StringCmd) (uint64, bool) {
	text, err := cmd.Result()
	if err != nil || len(text) != generationBytes {
		return 0, false
	}
	return binary.BigEndian.Uint64([]byte(text)), true
}

// pack puts a claim before its value.
func pack(claim cache.Claim, value []byte) []byte {
	packed := make([]byte, 0, generationBytes*len(claim)+len(value))
	for _, g := range claim {
		packed = binary.BigEndian.AppendUint64(packed, g)
	}
	return append(packed, value...)
}

// unpack returns the value if it was stored by this very claim.
func unpack(packed []byte, claim cache.Claim) ([]byte, bool) {
	return bytes.CutPrefix(packed, pack(claim, nil))
}

// Set is cache.Store's.
func (s *Store) Set(ctx context.Context, key cache.Key, value []byte, ttl time.Duration, claim cache.Claim) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ttl = min(ttl, cache.MaxTTL).Truncate(time.Millisecond)
	if ttl <= 0 || len(claim) != len(key.Tags)+2 {
		return nil
	}
	if err := s.client.Set(ctx, s.valueKey(key), pack(claim, value), ttl).Err(); err != nil {
		return translate(ctx, "storing a value", err)
	}
	return nil
}

// Invalidate is cache.Store's. Other processes are told after the generations are
// gone, so that none reads what it was told to forget.
func (s *Store) Invalidate(ctx context.Context, marks ...cache.Mark) error {
	for some := range slices.Chunk(marks, marksPerMessage) {
		commands, err := s.client.Pipelined(ctx, func(p driver.Pipeliner) error {
			for _, mark := range some {
				p.Del(ctx, s.generationKey(mark))
			}
			return nil
		})
		if err := fault(commands, err); err != nil {
			return translate(ctx, "invalidating "+strconv.Itoa(len(some))+" marks", err)
		}
		if err := s.client.Publish(ctx, s.channel(), encodeMessage(s.self, some)).Err(); err != nil {
			return translate(ctx, "telling of what was invalidated", err)
		}
	}
	return nil
}

// Usage is cache.Store's: the values aren't in this process.
func (s *Store) Usage() cache.Usage { return cache.Usage{} }

// Ping is cache.Store's.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return translate(ctx, "asking for a sign of life", err)
	}
	return nil
}

// Backend is cache.Store's.
func (s *Store) Backend() string { return "redis" }

// Close closes the connections.
func (s *Store) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("closing the connections to Redis: %w", err)
	}
	return nil
}

// refusals start the answers of a server that can be read and didn't do what it
// was asked; see https://redis.io/docs/latest/develop/reference/protocol-spec/
// on errors. Any other answer that is an error means that it can't be used now.
var refusals = []string{"OOM ", "READONLY ", "MISCONF ", "NOREPLICAS ", "NOPERM ", "WRONGTYPE "}

// translate makes a driver's error one of the port's, and leaves the context's.
// The driver's text has addresses and what the server said, and no password.
func translate(ctx context.Context, doing string, err error) error {
	if cause := ctx.Err(); cause != nil && errors.Is(cause, context.Canceled) {
		return fmt.Errorf("redis: %s: %w", doing, cause)
	}
	sentinel := cache.ErrUnavailable
	if answer, ok := errors.AsType[driver.Error](err); ok {
		if slices.ContainsFunc(refusals, func(start string) bool { return strings.HasPrefix(answer.Error(), start) }) {
			sentinel = cache.ErrRefused
		}
	}
	return fmt.Errorf("redis: %s: %w: %w", doing, sentinel, err)
}
