package ledger

import (
	"context"
	"fmt"
	"iter"

	"github.com/crownsafe/api/internal/store"
)

// Target is a store into which everything is loaded, as one transaction sees it
// that no other writer is in.
type Target interface {
	store.Snapshot
	// Fill writes the rows of a table, up to the first error, which it returns.
	Fill(ctx context.Context, t store.Table, rows iter.Seq2[store.Row, error]) error
	// Finish writes the last serial and what follows from the rows.
	Finish(ctx context.Context, serial int64) error
}

// Load fills an empty target; see store.Transfer.
func Load(ctx context.Context, to Target, from store.Snapshot, progress func(store.Progress)) (store.Digest, error) {
	if err := refuseFull(ctx, to); err != nil {
		return store.Digest{}, err
	}
	of, err := countAll(ctx, from)
	if err != nil {
		return store.Digest{}, fmt.Errorf("counting what there is: %w", err)
	}
	given, err := fill(ctx, to, from, &meter{of: of, tell: progress})
	if err != nil {
		return store.Digest{}, err
	}
	verifying := &meter{verifying: true, of: of, tell: progress}
	written, err := store.DigestOf(ctx, to, verifying.row)
	if err != nil {
		return store.Digest{}, fmt.Errorf("reading back what was written: %w", err)
	}
	if err := compare(given, written); err != nil {
		return store.Digest{}, err
	}
	return written, nil
}

// refuseFull refuses a target that holds anything.
func refuseFull(ctx context.Context, to Target) error {
	for _, t := range store.Tables() {
		rows, err := to.Count(ctx, t)
		if err != nil {
			return fmt.Errorf("looking whether table %s is empty: %w", t.Name, err)
		}
		if rows > 0 {
			return fmt.Errorf("%w: its table %s has %d rows", store.ErrNotEmpty, t.Name, rows)
		}
	}
	switch serial, err := to.Serial(ctx); {
	case err != nil:
		return fmt.Errorf("looking at its last serial: %w", err)
	case serial > 0:
		return fmt.Errorf("%w: it has given out serial %d", store.ErrNotEmpty, serial)
	}
	return nil
}

func countAll(ctx context.Context, from store.Snapshot) (all int64, err error) {
	for _, t := range store.Tables() {
		rows, err := from.Count(ctx, t)
		if err != nil {
			return 0, fmt.Errorf("table %s: %w", t.Name, err)
		}
		all += rows
	}
	return all, nil
}

// fill writes table after table and returns the digest of what was given.
func fill(ctx context.Context, to Target, from store.Snapshot, m *meter) (store.Digest, error) {
	serial, err := from.Serial(ctx)
	if err != nil {
		return store.Digest{}, fmt.Errorf("reading the last serial: %w", err)
	}
	given := store.Digest{Serial: serial}
	for _, t := range store.Tables() {
		sum := store.NewSum(t)
		err := to.Fill(ctx, t, func(yield func(store.Row, error) bool) {
			for row, err := range from.Rows(ctx, t) {
				if err == nil {
					err = sum.Add(row)
				}
				m.row(t)
				if !yield(row, err) || err != nil {
					return
				}
			}
		})
		if err != nil {
			return store.Digest{}, fmt.Errorf("writing table %s: %w", t.Name, err)
		}
		given.Tables = append(given.Tables, sum.Digest())
	}
	if err := to.Finish(ctx, serial); err != nil {
		return store.Digest{}, fmt.Errorf("writing the last serial: %w", err)
	}
	return given, nil
}

// compare says where what was written differs from what was given.
func compare(given, written store.Digest) error {
	if given.Serial != written.Serial {
		return fmt.Errorf("the last serial is %d in place of %d", written.Serial, given.Serial)
	}
	for i, want := range given.Tables {
		if got := written.Tables[i]; got != want {
			return fmt.Errorf("table %s has %d rows with the hash %s in place of %d with %s",
				want.Table, got.Rows, got.SHA256, want.Rows, want.SHA256)
		}
	}
	return nil
}

// meter tells of progress, after every so many rows and at the last.
type meter struct {
	verifying bool
	done, of  int64
	tell      func(store.Progress)
}

const rowsPerWord = 5000

func (m *meter) row(t store.Table) {
	m.done++
	if m.tell != nil && (m.done%rowsPerWord == 0 || m.done == m.of) {
		m.tell(store.Progress{Verifying: m.verifying, Table: t.Name, Done: m.done, Of: m.of})
	}
}

// Values is where a driver puts the values of a table's rows.
type Values struct {
	Places []any // a pointer for each column, to give to the driver's Scan
	row    store.Row
}

// NewValues makes places for a table's columns.
func NewValues(t store.Table) *Values {
	v := &Values{Places: make([]any, len(t.Columns)), row: make(store.Row, len(t.Columns))}
	for i, c := range t.Columns {
		switch c.Kind {
		case store.Integer:
			v.Places[i] = new(int64)
		case store.OptionalInteger:
			v.Places[i] = new(*int64)
		case store.Flag:
			v.Places[i] = new(bool)
		case store.Text, store.Verbatim:
			v.Places[i] = new(text)
		case store.Bytes:
			v.Places[i] = new([]byte)
		}
	}
	return v
}

// Row returns the row that was read last. The next one takes its place.
func (v *Values) Row() store.Row {
	for i, place := range v.Places {
		switch p := place.(type) {
		case *int64:
			v.row[i] = *p
		case **int64:
			v.row[i] = nil
			if *p != nil {
				v.row[i] = **p
			}
		case *bool:
			v.row[i] = *p
		case *text:
			v.row[i] = string(*p)
		case *[]byte:
			v.row[i] = *p
			if *p == nil { // a driver's way to say that there are none
				v.row[i] = []byte{}
			}
		}
	}
	return v.row
}

// text is a string that a store may keep as text or as bytes.
type text string

// Scan takes either; see sql.Scanner.
func (t *text) Scan(value any) error {
	switch v := value.(type) {
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	default:
		return fmt.Errorf("a value of type %T is no text", value)
	}
	return nil
}
