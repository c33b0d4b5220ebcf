// Package photo mirrors the pictures that agencies show with their notices: each
// is fetched from its agency once, and kept among the objects.
//
// It knows objects, uploads and the cache, and asks agencies through package egress.
// It doesn't know notices, nor which pictures may be shown.
package photo

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/egress"
)

// MaxBytes is how large a picture may be.
const MaxBytes = 5 << 20

// Errors of Picture; tested with errors.Is.
var (
	// ErrAbsent says that there is no picture to be had at an address now. It holds
	// for some minutes, as no agency is asked for it meanwhile.
	ErrAbsent = errors.New("there is no picture at the address")
	// ErrBusy says that so many pictures are being fetched that this one has to wait.
	ErrBusy = errors.New("too many pictures are being fetched")
)

const (
	// fetchTimeout is how long an agency may take over one picture.
	fetchTimeout = 8 * time.Second
	// fetchesAtOnce is how many pictures are fetched at the same time, of all
	// agencies together.
	fetchesAtOnce = 4
	// turnTimeout is how long a picture waits for its turn to be fetched.
	turnTimeout = 4 * time.Second
	// patience is how long the store of objects may take.
	patience = 2 * time.Second

	// absentTTL is how long it is remembered that there is no picture.
	absentTTL = 5 * time.Minute
	// freshTTL is how long a picture is remembered that was fetched, so that the
	// agency isn't asked again while it is on its way to the store of objects.
	freshTTL = 10 * time.Minute
	// rememberedBytes is how large such a picture may be: the cache is for others too.
	rememberedBytes = 256 << 10

	// linkLifetime is how long a signed address lasts at least.
	linkLifetime = time.Hour
)

// Options are what a mirror is made of. Store, Cache and UserAgent are required.
type Options struct {
	Store blob.Store
	// Uploads takes what was fetched. It may return nil, and the field may be nil:
	// then nothing new is kept.
	Uploads func() *blob.Uploads
	Cache   *cache.Cache
	// Remote says that objects are elsewhere, where clients can fetch them by a
	// signed address.
	Remote bool
	// Offline keeps the mirror from asking agencies: it has what is kept.
	Offline bool
	// UserAgent tells agencies who asks and how to reach us.
	UserAgent string
	// Allow decides on each address before it is connected to. nil: egress.PublicOnly.
	Allow  func(netip.AddrPort) error
	Logger *slog.Logger // nil: silent

	// turn and fetch stand in for turnTimeout and fetchTimeout in tests.
	turn, fetch time.Duration
}

// Mirror has the agencies' pictures. It is safe for concurrent use.
type Mirror struct {
	options Options
	client  *http.Client
	turns   chan struct{}
	fetched *cache.Of[[]byte]
}

// New returns a mirror.
func New(o Options) *Mirror {
	if o.Uploads == nil {
		o.Uploads = func() *blob.Uploads { return nil }
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.turn, o.fetch = cmp.Or(o.turn, turnTimeout), cmp.Or(o.fetch, fetchTimeout)
	return &Mirror{
		options: o, client: egress.NewClient(egress.Options{Allow: o.Allow}), turns: make(chan struct{}, fetchesAtOnce),
		fetched: cache.For[[]byte](o.Cache, cache.Use{
			Name: "photo", Shape: 1, TTL: freshTTL, Absent: ErrAbsent, AbsentTTL: absentTTL,
			MaxBytes: rememberedBytes, LoadTimeout: o.turn + o.fetch + time.Second,
		}),
	}
}

// Close lets go of connections to agencies.
func (m *Mirror) Close() { m.client.CloseIdleConnections() }

// Picture is one picture: where it can be fetched, or itself.
type Picture struct {
	Location string // a signed address that lasts an hour at least; else empty
	Type     string // the media type, by the bytes: see Types
	Body     []byte // must not be changed
}

// Picture returns the picture at an agency's address: from the store of objects,
// or else from the agency. ErrAbsent, ErrBusy, and the context's error.
func (m *Mirror) Picture(ctx context.Context, address string) (Picture, error) {
	key := keyOf(address)
	kept, err := m.kept(ctx, key)
	if err == nil {
		return kept, nil
	}
	if !errors.Is(err, blob.ErrNotFound) && ctx.Err() == nil {
		m.options.Logger.Warn("a kept picture could not be used", "key", key, "error", err.Error())
	}
	if m.options.Offline {
		return Picture{}, cmp.Or(ctx.Err(), ErrAbsent)
	}
	body, err := m.fetched.Load(ctx, cache.Item{Name: key}, func(ctx context.Context) ([]byte, error) {
		return m.obtain(ctx, key, address)
	})
	switch {
	case err == nil:
		return Picture{Type: typeOf(body), Body: body}, nil
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && !errors.Is(err, ErrAbsent): // the load's own end
		return Picture{}, fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return Picture{}, err
}

func keyOf(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "photos/" + hex.EncodeToString(sum[:])
}

// kept returns what the store of objects has.
func (m *Mirror) kept(ctx context.Context, key string) (Picture, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if m.options.Remote {
		link, err := m.link(ctx, key)
		if !errors.Is(err, errNoLink) {
			return link, err
		}
	}
	object, info, err := m.options.Store.Get(ctx, key)
	if err != nil {
		return Picture{}, err
	}
	defer object.Close()
	if info.Size > MaxBytes {
		return Picture{}, fmt.Errorf("%d bytes: %w", info.Size, blob.ErrDamaged)
	}
	body, err := io.ReadAll(object)
	if err != nil {
		return Picture{}, err
	}
	mediaType := typeOf(body)
	if mediaType == "" {
		return Picture{}, errNoPicture
	}
	return Picture{Type: mediaType, Body: body}, nil
}

// errNoPicture says of an object that something else was put in its place.
var errNoPicture = fmt.Errorf("the object is no picture: %w", blob.ErrDamaged)

// link returns the signed address of what is kept.
func (m *Mirror) link(ctx context.Context, key string) (Picture, error) {
	info, err := m.options.Store.Head(ctx, key)
	if err != nil {
		return Picture{}, err
	}
	if !slices.Contains(Types, info.ContentType) {
		return Picture{}, errNoPicture
	}
	signed, err := m.options.Store.SignURL(ctx, key, blob.Read, linkLifetime)
	if err != nil {
		return Picture{}, fmt.Errorf("%w: %w", errNoLink, err)
	}
	return Picture{Location: signed.URL, Type: info.ContentType}, nil
}

// errNoLink says that what is kept has to be sent by this process: not every
// credential may sign.
var errNoLink = errors.New("the picture has no signed address")

// obtain fetches a picture when it is its turn, and has it kept.
func (m *Mirror) obtain(ctx context.Context, key, address string) ([]byte, error) {
	turn := time.NewTimer(m.options.turn)
	defer turn.Stop()
	select {
	case m.turns <- struct{}{}:
		defer func() { <-m.turns }()
	case <-turn.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	body, err := m.fetch(ctx, address)
	if err != nil {
		m.options.Logger.Info("an agency's picture could not be fetched", "address", address, "error", err.Error())
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	m.keep(ctx, key, body)
	return body, nil
}

// keep enqueues a picture. One that can't be kept is fetched again some day.
func (m *Mirror) keep(ctx context.Context, key string, body []byte) {
	uploads := m.options.Uploads()
	if uploads == nil {
		return
	}
	if _, err := uploads.Enqueue(ctx, key, bytes.NewReader(body), blob.PutOptions{ContentType: typeOf(body)}); err != nil {
		m.options.Logger.Warn("a picture could not be kept", "key", key, "error", err.Error())
	}
}
