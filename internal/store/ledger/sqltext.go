package ledger

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/store"
)

// Changed is a store at one moment, with what has changed since another.
type Changed interface {
	// ChangedKeys yields the keys of the rows of a table that were added, changed or
	// removed, each once; only gone ones: those that are not there now.
	ChangedKeys(ctx context.Context, t store.Table, onlyGone bool) iter.Seq2[store.Row, error]
	// ChangedRows yields those that are there now, in the order of their keys.
	ChangedRows(ctx context.Context, t store.Table) iter.Seq2[store.Row, error]
}

// Dialect is how a database wants its SQL.
type Dialect struct {
	// Name returns a table's name as statements have it.
	Name func(table string) string
	// Literal appends a value that isn't nil.
	Literal func(b []byte, kind store.Kind, value any) []byte
	// Insert stands between the columns and the values of an INSERT, with blanks.
	Insert string
}

// Rows that others refer to stay where they are while they are changed, for what
// refers to them would go with them. All others make way before their tables are
// filled again: of two rows one may have what the other had, and must be unique.
// The audit log only grows.
var (
	referred = []string{"revision", "account", "session"}
	appended = []string{"audit_entry"}
)

// WriteChanges writes the statements that bring the tables of one moment to
// another, and returns of which tables they add, change or remove how many rows.
func WriteChanges(ctx context.Context, w io.Writer, from Changed, d Dialect) (map[string]int64, error) {
	out := &statements{out: bufio.NewWriterSize(w, 1<<16), dialect: d, rows: map[string]int64{}}
	tables := store.Tables()
	for _, t := range slices.Backward(tables) {
		if slices.Contains(appended, t.Name) {
			continue
		}
		if err := out.delete(t, from.ChangedKeys(ctx, t, slices.Contains(referred, t.Name))); err != nil {
			return nil, fmt.Errorf("writing what is gone from %s: %w", t.Name, err)
		}
	}
	for _, t := range tables {
		if err := out.insert(t, from.ChangedRows(ctx, t)); err != nil {
			return nil, fmt.Errorf("writing what is new in %s: %w", t.Name, err)
		}
	}
	return out.rows, out.out.Flush()
}

// statements writes SQL of many rows each.
type statements struct {
	out     *bufio.Writer
	dialect Dialect
	rows    map[string]int64
	buffer  []byte
}

// The bounds of one statement: rows and bytes.
const (
	statementRows  = 200
	statementBytes = 256 << 10
)

func (s *statements) delete(t store.Table, keys iter.Seq2[store.Row, error]) error {
	key := store.Table{Name: t.Name, Columns: t.Columns[:t.Key], Key: t.Key}
	columns := strings.Join(key.ColumnNames(), ", ")
	if t.Key > 1 {
		columns = "(" + columns + ")"
	}
	return s.write(key, keys, true, fmt.Sprintf("DELETE FROM %s WHERE %s IN (VALUES\n", s.dialect.Name(t.Name), columns), ");\n")
}

func (s *statements) insert(t store.Table, rows iter.Seq2[store.Row, error]) error {
	end := ";\n"
	if slices.Contains(referred, t.Name) {
		names := t.ColumnNames()
		var sets []string
		for _, name := range names[t.Key:] {
			sets = append(sets, name+" = excluded."+name)
		}
		end = fmt.Sprintf("\nON CONFLICT (%s) DO UPDATE SET %s;\n", strings.Join(names[:t.Key], ", "), strings.Join(sets, ", "))
	}
	// Rows that had to make way are counted.
	count := slices.Contains(referred, t.Name) || slices.Contains(appended, t.Name)
	return s.write(t, rows, count, fmt.Sprintf("INSERT INTO %s (%s)%sVALUES\n", s.dialect.Name(t.Name), strings.Join(t.ColumnNames(), ", "), s.dialect.Insert), end)
}

// write writes rows between the beginning and the end of statements.
func (s *statements) write(t store.Table, rows iter.Seq2[store.Row, error], count bool, begin, end string) error {
	inStatement, size := 0, 0
	for row, err := range rows {
		if err != nil {
			return err
		}
		lead := ",\n"
		if inStatement == 0 {
			lead = begin
		}
		s.buffer = s.tuple(append(s.buffer[:0], lead...), t, row)
		if _, err := s.out.Write(s.buffer); err != nil {
			return err
		}
		if count {
			s.rows[t.Name]++
		}
		inStatement, size = inStatement+1, size+len(s.buffer)
		if inStatement == statementRows || size >= statementBytes {
			if _, err := s.out.WriteString(end); err != nil {
				return err
			}
			inStatement, size = 0, 0
		}
	}
	if inStatement == 0 {
		return nil
	}
	_, err := s.out.WriteString(end)
	return err
}

func (s *statements) tuple(b []byte, t store.Table, row store.Row) []byte {
	b = append(b, '(')
	for i, value := range row {
		if i > 0 {
			b = append(b, ", "...)
		}
		switch v := value.(type) {
		case nil:
			b = append(b, "NULL"...)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		default:
			b = s.dialect.Literal(b, t.Columns[i].Kind, v)
		}
	}
	return append(b, ')')
}

// AppendQuoted appends text between single quotes, those in it doubled.
func AppendQuoted(b []byte, text string) []byte {
	b = append(b, '\'')
	for {
		before, after, found := strings.Cut(text, "'")
		b = append(b, before...)
		if !found {
			return append(b, '\'')
		}
		b, text = append(b, "''"...), after
	}
}

// AppendHex appends bytes as hexadecimal digits.
func AppendHex[T string | []byte](b []byte, value T) []byte {
	return hex.AppendEncode(b, []byte(value))
}
