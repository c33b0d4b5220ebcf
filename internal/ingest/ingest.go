// Package ingest takes agencies' payloads in: archive the raw bytes, parse,
// extract, lint, store as revisions. It runs imports of files, polls of live
// feeds, and the schedule of the polls.
//
// It knows nothing of any agency's format (that is the agency packages'), of
// how notices are kept, or of who asks for them.
package ingest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// Runner takes payloads in. Its fields are set once, before first use.
type Runner struct {
	Agencies []agency.Agency
	Store    store.Store
	Archive  *blob.Archive
	Client   *agency.Client // for polls
	Now      func() time.Time
	Logger   *slog.Logger
	// Deferred keeps the records of payloads that wait to be archived; nil where none
	// ever does.
	Deferred *Deferred
	// Stored is called after each batch that changed something, so that a
	// catalogue in this process can look at once; Storing before each, with the
	// context in which it is stored. They may be nil.
	Stored  func()
	Storing func(ctx context.Context)
	// Polled is called for each poll that has ended, whatever came of it, with its
	// run as it is recorded. It may be nil.
	Polled func(store.Run)
	Tracer trace.Tracer // nil: no spans
	// Leases keep several processes from taking in one agency's notices at the same
	// time; nil: there is no other process. Holder is what this one is called.
	Leases store.Leases
	Holder string

	runs atomic.Int64 // that asked for a lease
}

// Tally counts what became of records.
type Tally struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Revised   int `json:"revised"`
	Unchanged int `json:"unchanged"`
	Older     int `json:"older"`
	Rejected  int `json:"rejected"`
	Withdrawn int `json:"withdrawn"`
	Doubtful  int `json:"doubtful"` // of those read, notices with a part that could not be read
}

// Add adds another tally.
func (t *Tally) Add(o Tally) {
	t.Read += o.Read
	t.Added += o.Added
	t.Revised += o.Revised
	t.Unchanged += o.Unchanged
	t.Older += o.Older
	t.Rejected += o.Rejected
	t.Withdrawn += o.Withdrawn
	t.Doubtful += o.Doubtful
}

// addTo adds the tally to a run's.
func (t *Tally) addTo(run *store.Run) {
	run.Read += t.Read
	run.Added += t.Added
	run.Revised += t.Revised
	run.Unchanged += t.Unchanged
	run.Older += t.Older
	run.Rejected += t.Rejected
	run.Withdrawn += t.Withdrawn
}

// batchSize is how many notices one transaction holds: enough to make the
// transaction's cost small, few enough to lose little when the process dies.
const batchSize = 500

// intake is one payload on its way into the store.
type intake struct {
	runner    *Runner
	agency    agency.Agency
	source    string // address or file name, for provenance
	fetchedAt time.Time
	live      bool
	replayed  bool
	dump      *dump     // gathers what the payload holds; nil: nobody asks
	timed     time.Time // notices published after it are timed on their way; zero: none are
	archived  blob.Archived
	progress  func(Tally)                        // may be nil
	heard     func(store.Incoming, store.Effect) // what became of each copy; may be nil
	settled   func(store.Rejection) bool         // the record was read well in a later payload; may be nil
}

// recognise asks every agency what a payload's first bytes are. The first that
// knows them wins; the agencies' formats don't overlap.
func (r *Runner) recognise(name string, head []byte) (agency.Agency, agency.Recognition) {
	for _, a := range r.Agencies {
		if rec := a.Recognise(name, head); rec.Kind != agency.NotMine {
			return a, rec
		}
	}
	return nil, agency.Recognition{}
}

// readHead reads as much of a payload as Recognise gets to see, and gives back
// a reader over the whole.
func readHead(r io.Reader) (head []byte, whole io.Reader, err error) {
	buffered := bufio.NewReaderSize(r, agency.RecogniseBytes)
	head, err = buffered.Peek(agency.RecogniseBytes)
	if errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return head, buffered, err
}

// archive puts the raw bytes away before anything else is done with them.
func (in *intake) archive(ctx context.Context, body io.Reader) error {
	ctx, span := in.runner.span(ctx, "ingest archive")
	archived, err := in.runner.Archive.PutRaw(ctx, in.agency.Describe().Code, body)
	span.SetAttributes(attribute.Int64("crownsafe.payload.bytes", archived.Size), attribute.Bool("crownsafe.payload.deferred", archived.Deferred))
	endSpan(span, err)
	if err != nil {
		return fmt.Errorf("archiving %s: %w", in.source, err)
	}
	in.archived = archived
	return nil
}

// recordPayload remembers the archived bytes and where they came from, as soon as
// they are in the archive.
func (in *intake) recordPayload(ctx context.Context, format string) error {
	payload := store.ArchivedPayload{
		Agency: in.agency.Describe().Code, Key: in.archived.Key, SourceURL: in.source, Format: format,
		Live: in.live, FetchedAt: in.fetchedAt, Size: in.archived.Size,
	}
	var err error
	if in.archived.Deferred && in.runner.Deferred != nil {
		err = in.runner.Deferred.Add(ctx, payload)
	} else {
		err = in.runner.Store.RecordPayload(ctx, payload)
	}
	if err != nil {
		return fmt.Errorf("recording the archived %s: %w", in.source, err)
	}
	return nil
}

// parsing is a payload that is being parsed beside whatever else goes on. Its
// batches must be drained, or its context ended.
type parsing struct {
	batches chan batch
	err     error // of the parser; to be read when batches is closed
}

// parse starts to parse the archived payload. Few batches wait at a time, so
// that a parser never runs far ahead of the store.
func (in *intake) parse(ctx context.Context, format string) *parsing {
	p := &parsing{batches: make(chan batch, 2)}
	go func() {
		defer close(p.batches)
		ctx, span := in.runner.span(ctx, "ingest parse")
		defer func() { endSpan(span, p.err) }()
		raw, err := in.runner.Archive.OpenRaw(ctx, in.archived.Key)
		if err != nil {
			p.err = fmt.Errorf("opening the archived %s: %w", in.source, err)
			return
		}
		defer raw.Close()
		b := &batcher{intake: in, out: p.batches, done: ctx.Done()}
		if err := in.read(ctx, format, raw, b); err != nil {
			p.err = unreadable{fmt.Errorf("reading %s: %w", in.source, err)}
		}
		if err := b.flush(); err != nil && p.err == nil {
			p.err = err
		}
	}()
	return p
}

// read lets the agency parse a payload. A parser that panics fails on this
// payload and no more: what an agency publishes must not end the program, which
// would fetch the same again as soon as it is started anew.
func (in *intake) read(ctx context.Context, format string, raw io.Reader, b *batcher) (err error) {
	defer func() {
		if v := recover(); v != nil {
			in.runner.Logger.Error("a parser panicked", "source", in.source, "raw", in.archived.Key, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("the parser panicked: %v", v)
		}
	}()
	return in.agency.Parse(ctx, format, raw, agency.Sink{Record: b.record, Reject: b.reject})
}

// take parses the archived payload and stores what it holds. What was stored
// before an error stays.
func (in *intake) take(ctx context.Context, format string) (Tally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return in.store(ctx, in.parse(ctx, format))
}

// store stores a parser's batches until there are no more or one cannot be
// stored; the caller then ends the parser's context.
func (in *intake) store(ctx context.Context, p *parsing) (Tally, error) {
	var sum Tally
	ctx, span := in.runner.span(ctx, "ingest store")
	defer func() { endSpan(span, nil, tallied(sum)...) }()
	for b := range p.batches {
		t, err := in.storeBatch(ctx, b)
		sum.Add(t)
		if err != nil {
			return sum, err
		}
		if in.progress != nil {
			in.progress(t)
		}
		if in.runner.Stored != nil && t.Added+t.Revised > 0 {
			in.runner.Stored()
		}
	}
	return sum, p.err
}

// batch is what goes to the store in one step.
type batch struct {
	incoming   []store.Incoming
	rejections []store.Rejection
	read       int
	doubtful   int
}

// batcher collects what the parser emits.
type batcher struct {
	intake *intake
	out    chan<- batch
	done   <-chan struct{}
	next   batch
	seen   int
}

var errStopped = errors.New("the import was stopped")

func (b *batcher) record(rec agency.Record) error {
	b.seen++
	in := b.intake
	n := rec.Notice
	d := in.agency.Describe()
	n.Agency = d.Code
	n.Provenance = recall.Provenance{
		FetchedAt: in.fetchedAt, SourceURL: in.source, SHA256: in.archived.SHA256, Raw: in.archived.Key,
		Licence: d.Licence, Attribution: d.Attribution,
	}
	n.Normalise()
	if err := recall.Lint(&n, in.runner.Now()); err != nil {
		return b.reject(agency.Reject{NativeID: n.ID, Position: b.seen, Reason: err.Error(), Excerpt: n.Title})
	}
	b.tellFlags(&n, rec.Doubts)
	b.next.read++
	if len(rec.Doubts) > 0 {
		b.next.doubtful++
	}
	b.next.incoming = append(b.next.incoming, store.Incoming{
		Notice: n, SourceHash: rec.SourceHash, Version: rec.Version, Completeness: rec.Completeness,
		FormerIDs: rec.FormerIDs, Live: in.live, Replayed: in.replayed,
		Timed: !in.timed.IsZero() && n.PublishedAt.After(in.timed),
	})
	return b.flushWhenFull()
}

// tellFlags lets people who look for faults of the parsers see what looks wrong.
func (b *batcher) tellFlags(n *recall.Notice, doubts []string) {
	logger := b.intake.runner.Logger
	if !logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	for _, f := range recall.Flags(n) {
		logger.Debug("a notice looks wrong", "id", n.ID, "flag", f.Kind, "where", f.Where, "detail", f.Detail)
	}
	for _, doubt := range doubts {
		logger.Debug("a notice looks wrong", "id", n.ID, "flag", "unread", "detail", doubt)
	}
}

func (b *batcher) reject(rej agency.Reject) error {
	b.next.read++
	b.next.rejections = append(b.next.rejections, store.Rejection{
		Agency: b.intake.agency.Describe().Code, NativeID: rej.NativeID, Reason: rej.Reason, Excerpt: rej.Excerpt,
		Raw: b.intake.archived.Key, Position: rej.Position, SeenAt: b.intake.fetchedAt,
	})
	return b.flushWhenFull()
}

func (b *batcher) flushWhenFull() error {
	if len(b.next.incoming)+len(b.next.rejections) < batchSize {
		return nil
	}
	return b.flush()
}

func (b *batcher) flush() error {
	if b.next.read == 0 {
		return nil
	}
	select {
	case b.out <- b.next:
		b.next = batch{}
		return nil
	case <-b.done:
		return errStopped
	}
}

func (in *intake) storeBatch(ctx context.Context, b batch) (Tally, error) {
	var t Tally
	if in.runner.Storing != nil {
		in.runner.Storing(ctx)
	}
	effects, err := in.runner.Store.Apply(ctx, b.incoming, in.runner.Now())
	if err != nil {
		return t, fmt.Errorf("storing %d notices of %s: %w", len(b.incoming), in.source, err)
	}
	t = tallyOf(effects)
	if in.heard != nil {
		for i, effect := range effects {
			in.heard(b.incoming[i], effect)
		}
	}
	if in.dump != nil {
		in.dump.add(in.agency.Describe().Code, b)
	}
	if in.settled != nil {
		b.rejections = slices.DeleteFunc(b.rejections, in.settled)
	}
	if len(b.rejections) > 0 {
		if err := in.runner.Store.Reject(ctx, b.rejections); err != nil {
			return t, fmt.Errorf("recording %d rejections of %s: %w", len(b.rejections), in.source, err)
		}
	}
	t.Read, t.Rejected, t.Doubtful = b.read, len(b.rejections), b.doubtful
	return t, nil
}

func tallyOf(effects []store.Effect) Tally {
	var t Tally
	for _, e := range effects {
		switch e {
		case store.Added:
			t.Added++
		case store.Revised:
			t.Revised++
		case store.Unchanged:
			t.Unchanged++
		case store.Older:
			t.Older++
		}
	}
	return t
}

// Seed stores the starter notices: each stands only where the agency's own
// notice has not arrived. Seeding again changes nothing.
func (r *Runner) Seed(ctx context.Context, starter []recall.Notice) (Tally, error) {
	incoming := make([]store.Incoming, len(starter))
	for i, n := range starter {
		incoming[i] = store.Incoming{Notice: n, SourceHash: store.ContentHash(n)}
	}
	effects, err := r.Store.Apply(ctx, incoming, r.Now())
	if err != nil {
		return Tally{}, fmt.Errorf("storing the starter catalogue: %w", err)
	}
	t := tallyOf(effects)
	t.Read = len(incoming)
	return t, nil
}
