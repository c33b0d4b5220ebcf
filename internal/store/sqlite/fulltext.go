package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/store/ledger"
)

// WriteFull implements store.BackupView: what SQLite's shell makes an equal file of,
// by `sqlite3 NEW < TEXT`. Tables come before their rows, and what looks at rows
// behind them.
func (v *view) WriteFull(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if err := v.writeFull(ctx, out); err != nil {
		return v.s.failf(ctx, err, "writing everything")
	}
	return out.Flush()
}

func (v *view) writeFull(ctx context.Context, out *bufio.Writer) error {
	fmt.Fprintf(out, "-- Crown Safe: %s, of %s. Into a new file: sqlite3 -bail FILE\nPRAGMA foreign_keys=OFF;\nBEGIN;\n", v.name, v.server)
	objects, err := v.objects(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o.kind != "table" {
			continue
		}
		if strings.HasPrefix(strings.ToUpper(o.statement), "CREATE VIRTUAL") {
			return fmt.Errorf("table %s is a virtual one, whose rows are not those of a table", o.name)
		}
		fmt.Fprintf(out, "%s;\n", o.statement)
		if slices.Contains(unkept, o.name) {
			continue
		}
		if err := v.writeRows(ctx, out, o.name); err != nil {
			return fmt.Errorf("table %s: %w", o.name, err)
		}
	}
	if err := v.writeNumbers(ctx, out); err != nil {
		return err
	}
	for _, o := range objects {
		if o.kind != "table" {
			fmt.Fprintf(out, "%s;\n", o.statement)
		}
	}
	for _, pragma := range []string{"user_version", "application_id"} {
		var value int64
		if err := v.tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&value); err != nil {
			return err
		}
		fmt.Fprintf(out, "PRAGMA %s=%d;\n", pragma, value)
	}
	_, err = fmt.Fprintf(out, "INSERT INTO backup_mark (name) VALUES ('%s');\nCOMMIT;\n", v.name)
	return err
}

// object is a table, an index, a trigger or a view.
type object struct{ kind, name, statement string }

// objects returns what the file consists of, in the order in which it was made,
// without what SQLite makes by itself and what keeps track of changes.
func (v *view) objects(ctx context.Context) ([]object, error) {
	rows, err := v.tx.QueryContext(ctx, `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
		AND NOT (type = 'trigger' AND substr(name, 1, ?) = ?) ORDER BY rowid`, len(trackerPrefix), trackerPrefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has told
	var all []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.statement); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// writeRows writes a table's rows. A column is read as an expression, for the driver
// makes times of columns that are declared so.
func (v *view) writeRows(ctx context.Context, out *bufio.Writer, table string) error {
	names, err := v.columns(ctx, table)
	if err != nil {
		return err
	}
	rows, err := v.tx.QueryContext(ctx, fmt.Sprintf(`SELECT +"%s" FROM "%s"`, strings.Join(names, `", +"`), table))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has told
	values, places := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		places[i] = &values[i]
	}
	begin := fmt.Sprintf(`INSERT INTO "%s" ("%s") VALUES`, table, strings.Join(names, `", "`))
	inStatement, size := 0, 0
	var line []byte
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		line = append(line[:0], ",\n"...)
		if inStatement == 0 {
			line = append(append(line[:0], begin...), '\n')
		}
		line = append(line, '(')
		for i, value := range values {
			if i > 0 {
				line = append(line, ", "...)
			}
			line = appendValue(line, value)
		}
		line = append(line, ')')
		inStatement, size = inStatement+1, size+len(line)
		if inStatement == rowsPerStatement || size >= bytesPerStatement {
			line = append(line, ";\n"...)
			inStatement, size = 0, 0
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	if inStatement > 0 {
		if _, err := out.WriteString(";\n"); err != nil {
			return err
		}
	}
	return rows.Err()
}

// The bounds of one statement of a full backup.
const (
	rowsPerStatement  = 200
	bytesPerStatement = 256 << 10
)

func (v *view) columns(ctx context.Context, table string) ([]string, error) {
	rows, err := v.tx.QueryContext(ctx, `SELECT name FROM pragma_table_info(?) ORDER BY cid`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has told
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// appendValue appends a value of any of SQLite's storage classes.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	case string:
		return appendText(b, v)
	case []byte:
		return append(ledger.AppendHex(append(b, "X'"...), v), '\'')
	}
	return append(b, "NULL"...)
}
