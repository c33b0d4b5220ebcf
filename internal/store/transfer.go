package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"iter"
	"strconv"
)

// ErrNotEmpty says that a store holds something already and is not overwritten.
var ErrNotEmpty = errors.New("the store is not empty")

// Transfer lets everything that a store keeps go into another one, of the same
// kind or not: into a larger home, or back from a backup. What it keeps of people
// (package account) goes with it, and a broken audit log as it is. What belongs to the
// store itself stays where it is: its identity, its leases, the records of its
// schema.
type Transfer interface {
	// Snapshot calls use with one consistent view of everything, which ends when
	// use returns, whose error comes back. Others may write meanwhile.
	Snapshot(ctx context.Context, use func(Snapshot) error) error
	// Load fills this store with everything in a snapshot of another, in one
	// transaction: after an error nothing has changed. Before it ends, everything
	// is read back and must have the digest of what was given. It returns that.
	// ErrNotEmpty when anything is stored here. Memory is bounded, whatever the
	// size. progress is called now and then, if it isn't nil, from one goroutine
	// at a time.
	Load(ctx context.Context, from Snapshot, progress func(Progress)) (Digest, error)
}

// Snapshot is everything that a store keeps, at one moment. It serves one caller
// at a time.
type Snapshot interface {
	// Serial returns the last serial that was given out.
	Serial(ctx context.Context) (int64, error)
	// Count returns how many rows a table has.
	Count(ctx context.Context, t Table) (int64, error)
	// Rows reads a table in its order. A row is the caller's until it asks for the
	// next one. An error is the last that comes.
	Rows(ctx context.Context, t Table) iter.Seq2[Row, error]
}

// Row is a row of a table: a value for each of its columns.
type Row []any

// Kind is what a column holds.
type Kind int

// The kinds, with the types of their values in a Row.
const (
	Integer         Kind = iota // int64
	OptionalInteger             // int64 or nil
	Flag                        // bool
	Text                        // string: UTF-8 without the character 0
	Verbatim                    // string of any bytes, as somebody else wrote it
	Bytes                       // []byte
)

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Table is a part of what a store keeps. Names are those of its columns in every
// store. Its first Key columns tell its rows apart and are their order: numbers
// by size, text by its bytes.
type Table struct {
	Name    string
	Columns []Column
	Key     int
}

// ColumnNames returns the names of all columns.
func (t Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Tables returns the parts of which everything consists, in the order in which
// they can be filled. Times are microseconds since 1970 in UTC.
func Tables() []Table {
	return []Table{
		{"revision", []Column{
			{"serial", Integer}, {"notice_id", Text}, {"revision", Integer}, {"seen_at", Integer},
			{"source_hash", Text}, {"content_hash", Text}, {"version", Integer}, {"completeness", Integer}, {"doc", Bytes},
		}, 1},
		{"notice", []Column{
			{"id", Text}, {"serial", Integer}, {"revision_serial", Integer}, {"first_seen_at", Integer},
			{"version", Integer}, {"completeness", Integer}, {"superseded", Flag},
		}, 1},
		{"offered_copy", []Column{{"notice_id", Text}, {"source_hash", Text}, {"revision", Integer}}, 2},
		{"former_id", []Column{{"id", Text}, {"heir", Text}, {"since", Integer}}, 1},
		{"miss", []Column{{"notice_id", Text}, {"count", Integer}}, 1},
		{"run", []Column{
			{"id", Integer}, {"agency", Text}, {"kind", Text}, {"state", Text}, {"reason", Verbatim},
			{"started_at", Integer}, {"finished_at", OptionalInteger}, {"read", Integer}, {"added", Integer},
			{"revised", Integer}, {"unchanged", Integer}, {"older", Integer}, {"rejected", Integer}, {"withdrawn", Integer},
		}, 1},
		{"rejection", []Column{
			{"id", Integer}, {"agency", Text}, {"native_id", Verbatim}, {"record_key", Verbatim}, {"reason", Verbatim},
			{"excerpt", Verbatim}, {"raw", Text}, {"position", Integer}, {"seen_at", Integer},
		}, 1},
		{"payload", []Column{
			{"id", Integer}, {"agency", Text}, {"key", Text}, {"source_url", Verbatim}, {"format", Text},
			{"live", Flag}, {"fetched_at", Integer}, {"last_fetched_at", Integer}, {"size", Integer},
		}, 1},
		{"arrival", []Column{
			{"serial", Integer}, {"agency", Text}, {"published_at", Integer}, {"seen_at", Integer}, {"searchable_at", OptionalInteger},
		}, 1},
		{"account", []Column{
			{"id", Text}, {"email", Text}, {"email_key", Text}, {"password_hash", Bytes}, {"role", Text}, {"created_at", Integer},
			{"verified_at", OptionalInteger}, {"disabled_at", OptionalInteger}, {"password_at", Integer},
			{"failures", Integer}, {"locked_until", OptionalInteger},
		}, 1},
		{"session", []Column{
			{"id", Text}, {"account_id", Text}, {"kind", Text}, {"created_at", Integer}, {"last_used_at", Integer},
			{"expires_at", Integer}, {"ended_at", OptionalInteger}, {"agent", Text}, {"network", Text},
		}, 1},
		{"session_secret", []Column{{"hash", Bytes}, {"session_id", Text}, {"replaced_at", OptionalInteger}}, 1},
		{"api_key", []Column{
			{"id", Text}, {"account_id", Text}, {"name", Text}, {"prefix", Text}, {"hash", Bytes}, {"scopes", Text},
			{"created_at", Integer}, {"expires_at", OptionalInteger}, {"revoked_at", OptionalInteger}, {"last_used_at", OptionalInteger},
		}, 1},
		{"single_use_token", []Column{
			{"hash", Bytes}, {"account_id", Text}, {"purpose", Text}, {"created_at", Integer}, {"expires_at", Integer}, {"pending", Bytes},
		}, 1},
		{"attempt", []Column{
			{"owner", Text}, {"key", Text}, {"fingerprint", Bytes}, {"lease_until", Integer}, {"keep_until", Integer},
			{"finished", Flag}, {"answer", Bytes},
		}, 2},
		{"audit_entry", []Column{
			{"seq", Integer}, {"at", Integer}, {"action", Text}, {"actor", Text}, {"subject", Text}, {"outcome", Text},
			{"reason", Text}, {"network", Text}, {"trace_id", Text}, {"previous", Bytes}, {"hash", Bytes},
		}, 1},
	}
}

// Progress tells how far a transfer is: so many of so many rows are written, or,
// once all are, read back.
type Progress struct {
	Verifying bool
	Table     string
	Done, Of  int64
}

// Digest tells whether two stores keep the same.
type Digest struct {
	Serial int64
	Tables []TableDigest // in the order of Tables
}

// TableDigest is the digest of one table.
type TableDigest struct {
	Table  string
	Rows   int64
	SHA256 string // hexadecimal, of the rows in their order
}

// SHA256 returns one hexadecimal hash of everything.
func (d Digest) SHA256() string {
	h := sha256.New()
	fmt.Fprintln(h, d.Serial)
	for _, t := range d.Tables {
		fmt.Fprintln(h, t.Table, t.Rows, t.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// DigestOf reads everything in a snapshot and returns its digest. seen, if it
// isn't nil, is called with the table for each row.
func DigestOf(ctx context.Context, s Snapshot, seen func(Table)) (Digest, error) {
	return DigestOfTables(ctx, s, Tables(), seen)
}

// DigestOfTables is DigestOf of some tables, which may be those of another release.
func DigestOfTables(ctx context.Context, s Snapshot, tables []Table, seen func(Table)) (Digest, error) {
	serial, err := s.Serial(ctx)
	if err != nil {
		return Digest{}, fmt.Errorf("reading the last serial: %w", err)
	}
	d := Digest{Serial: serial}
	for _, t := range tables {
		sum := NewSum(t)
		for row, err := range s.Rows(ctx, t) {
			if err == nil {
				err = sum.Add(row)
			}
			if err != nil {
				return Digest{}, fmt.Errorf("reading table %s: %w", t.Name, err)
			}
			if seen != nil {
				seen(t)
			}
		}
		d.Tables = append(d.Tables, sum.Digest())
	}
	return d, nil
}

// Sum makes the digest of a table row by row.
type Sum struct {
	digest TableDigest
	hash   hash.Hash
	buffer []byte
}

// NewSum begins the digest of a table.
func NewSum(t Table) *Sum { return &Sum{digest: TableDigest{Table: t.Name}, hash: sha256.New()} }

// Add adds the next row. It refuses a value of a type that no Kind has.
func (s *Sum) Add(row Row) error {
	b := s.buffer[:0]
	for i, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case bool:
			b = strconv.AppendBool(b, v)
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 's'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...)
		default:
			return fmt.Errorf("column %d has a value of type %T", i+1, value)
		}
	}
	s.buffer = b
	s.hash.Write(b)
	s.digest.Rows++
	return nil
}

// Digest returns the digest of the rows until now.
func (s *Sum) Digest() TableDigest {
	d := s.digest
	d.SHA256 = hex.EncodeToString(s.hash.Sum(nil))
	return d
}

// CopyAll fills a store that is empty with everything in another; see
// Transfer.Load.
func CopyAll(ctx context.Context, from, to Transfer, progress func(Progress)) (Digest, error) {
	var d Digest
	err := from.Snapshot(ctx, func(s Snapshot) (err error) {
		d, err = to.Load(ctx, s, progress)
		return err
	})
	return d, err
}
