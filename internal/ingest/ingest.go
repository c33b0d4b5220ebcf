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
	"time"

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
	// Stored is called after each batch that changed something, so that a
	// catalogue in this process can look at once. It may be nil.
	Stored func()
}

// Tally counts what became of records.
type Tally struct {
	Read, Added, Revised, Unchanged, Older, Rejected int
}

// Add adds another tally.
func (t *Tally) Add(o Tally) {
	t.Read += o.Read
	t.Added += o.Added
	t.Revised += o.Revised
	t.Unchanged += o.Unchanged
	t.Older += o.Older
	t.Rejected += o.Rejected
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
	archived  archived
	progress  func(Tally) // may be nil
}

type archived struct {
	key, sha256 string
	size        int64
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
	key, sum, size, err := in.runner.Archive.PutRaw(ctx, in.agency.Describe().Code, body)
	if err != nil {
		return fmt.Errorf("archiving %s: %w", in.source, err)
	}
	in.archived = archived{key: key, sha256: sum, size: size}
	return nil
}

// recordPayload remembers the archived bytes and where they came from.
func (in *intake) recordPayload(ctx context.Context, format string) error {
	err := in.runner.Store.RecordPayload(ctx, store.ArchivedPayload{
		Agency: in.agency.Describe().Code, Key: in.archived.key, SourceURL: in.source, Format: format,
		FetchedAt: in.fetchedAt, Size: in.archived.size,
	})
	if err != nil {
		return fmt.Errorf("recording the archived %s: %w", in.source, err)
	}
	return nil
}

// take parses the archived payload and stores what it holds. Parsing and
// storing run side by side. What was stored before an error stays.
func (in *intake) take(ctx context.Context, format string) (Tally, error) {
	raw, err := in.runner.Archive.OpenRaw(ctx, in.archived.key)
	if err != nil {
		return Tally{}, fmt.Errorf("opening the archived %s: %w", in.source, err)
	}
	defer raw.Close()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan batch, 2)
	stored := make(chan storedResult, 1)
	go func() { stored <- in.storeAll(ctx, cancel, batches) }()

	parser := &batcher{intake: in, out: batches, done: ctx.Done()}
	parseErr := in.agency.Parse(ctx, format, raw, agency.Sink{Record: parser.record, Reject: parser.reject})
	parser.flush()
	close(batches)
	result := <-stored
	if result.err != nil {
		return result.tally, result.err
	}
	if parseErr != nil {
		return result.tally, fmt.Errorf("reading %s: %w", in.source, parseErr)
	}
	return result.tally, nil
}

// batch is what goes to the store in one step.
type batch struct {
	incoming   []store.Incoming
	rejections []store.Rejection
	read       int
}

type storedResult struct {
	tally Tally
	err   error
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
		FetchedAt: in.fetchedAt, SourceURL: in.source, SHA256: in.archived.sha256, Raw: in.archived.key,
		Licence: d.Licence, Attribution: d.Attribution,
	}
	n.Normalise()
	if err := recall.Lint(&n, in.runner.Now()); err != nil {
		return b.reject(agency.Reject{NativeID: n.ID, Position: b.seen, Reason: err.Error(), Excerpt: n.Title})
	}
	b.next.read++
	b.next.incoming = append(b.next.incoming, store.Incoming{
		Notice: n, SourceHash: rec.SourceHash, Version: rec.Version, Completeness: rec.Completeness,
		FormerIDs: rec.FormerIDs, Live: in.live,
	})
	return b.flushWhenFull()
}

func (b *batcher) reject(rej agency.Reject) error {
	b.next.read++
	b.next.rejections = append(b.next.rejections, store.Rejection{
		Agency: b.intake.agency.Describe().Code, NativeID: rej.NativeID, Reason: rej.Reason, Excerpt: rej.Excerpt,
		Raw: b.intake.archived.key, Position: rej.Position, SeenAt: b.intake.fetchedAt,
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

// storeAll stores batches until there are no more or one cannot be stored; then
// it stops the parser.
func (in *intake) storeAll(ctx context.Context, cancel context.CancelCauseFunc, batches <-chan batch) storedResult {
	var result storedResult
	for b := range batches {
		if result.err != nil {
			continue // drained, so that the parser is never left waiting
		}
		t, err := in.storeBatch(ctx, b)
		result.tally.Add(t)
		if err != nil {
			result.err = err
			cancel(err)
			continue
		}
		if in.progress != nil {
			in.progress(t)
		}
		if in.runner.Stored != nil && t.Added+t.Revised > 0 {
			in.runner.Stored()
		}
	}
	return result
}

func (in *intake) storeBatch(ctx context.Context, b batch) (Tally, error) {
	var t Tally
	effects, err := in.runner.Store.Apply(ctx, b.incoming, in.runner.Now())
	if err != nil {
		return t, fmt.Errorf("storing %d notices of %s: %w", len(b.incoming), in.source, err)
	}
	t = tallyOf(effects)
	if len(b.rejections) > 0 {
		if err := in.runner.Store.Reject(ctx, b.rejections); err != nil {
			return t, fmt.Errorf("recording %d rejections of %s: %w", len(b.rejections), in.source, err)
		}
	}
	t.Read, t.Rejected = b.read, len(b.rejections)
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
