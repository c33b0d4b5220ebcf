package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/stock"
)

// rowsAtOnce is how many rows of a list are answered together, so that the
// sources are looked at once for all of them.
const rowsAtOnce = 256

// answers takes what is found out about a list, row by row.
type answers interface {
	verdict(row stock.Row, v *recall.Verdict) error
	fault(row stock.Row, bad *recall.BadUnit) error
	// finish is called once, after the last row; not when the list broke off.
	finish(t *tally) error
}

// checkList answers for every row of a list. Its status is that of the worst
// row; one that could not be answered is worse than one that needs a code, for
// nobody knows what it would have been.
func (c *checkCommand) checkList(s *session) (err error) {
	in, size, err := c.openList(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	counted := &countingReader{in: in}
	list, err := stock.NewReader(counted)
	switch {
	case errors.Is(err, stock.ErrEmpty), errors.Is(err, stock.ErrNoColumns):
		return usage("%s: %w", c.File, err)
	case err != nil:
		return fmt.Errorf("%s: %w", c.File, err)
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.Load(s.ctx); err != nil {
		return err
	}
	tellColumns(s.env.stderr, list)
	told := false
	tellWestern := func() {
		if list.Western() && !told {
			told = true
			fmt.Fprintln(s.env.stderr, "the list is no UTF-8 and has no byte order mark: read as Windows-1252; save it as UTF-8 if letters are wrong")
		}
	}
	tellWestern()
	sinks, written, err := c.sinks(s, a, list)
	if err != nil {
		return err
	}
	t := &tally{}
	bar := newProgressLine(s.env.stderr, "KiB")
	err = answerList(s, a, list, append(sinks, t), func() {
		tellWestern()
		bar.show(counted.read>>10, size>>10, fmt.Sprintf("%s, %d affected", count(t.rows, "row", "rows"), t.outcomes[recall.Affected]))
	})
	bar.done()
	for _, sink := range sinks {
		if err == nil {
			err = sink.finish(t)
		}
	}
	if err := errors.Join(err, written.close(err == nil)); err != nil {
		return fmt.Errorf("checking %s: %w", c.File, err)
	}
	if t.rows == 0 { // must not end as if something had been looked up
		return usage("%s: the list has a header and no rows, so nothing was looked up", c.File)
	}
	return t.status()
}

// openList opens the list and tells its size in bytes, 0 where that isn't known.
func (c *checkCommand) openList(s *session) (io.ReadCloser, int, error) {
	if c.File == "-" {
		return io.NopCloser(s.env.stdin), 0, nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the list: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, errors.Join(fmt.Errorf("looking at the list: %w", err), f.Close())
	case info.IsDir():
		return nil, 0, errors.Join(usage("%s is a folder; give a CSV file", c.File), f.Close())
	}
	if out, err := os.Stat(c.Out); c.Out != "" && err == nil && os.SameFile(info, out) {
		return nil, 0, errors.Join(usage("--out is the list itself; give another file"), f.Close())
	}
	return f, int(info.Size()), nil
}

// sinks chooses where the answers go: to --out as CSV; to the standard output as
// JSON when that is asked for, as a table for people on a terminal or beside
// --out, else as CSV.
func (c *checkCommand) sinks(s *session, a *app.App, list *stock.Reader) ([]answers, *outFile, error) {
	var sinks []answers
	var written *outFile
	if c.Out != "" {
		var err error
		if written, err = createOut(c.Out); err != nil {
			return nil, nil, err
		}
		sinks = append(sinks, csvAnswers{stock.NewWriter(written, list), nil})
	}
	switch {
	case s.json:
		sinks = append(sinks, &jsonAnswers{out: s.env.stdout})
	case c.Out != "" || isTerminal(s.env.stdout):
		snap := a.Catalogue.Current()
		sinks = append(sinks, &tableAnswers{out: s.env.stdout, serial: snap.Serial(), sources: a.Sources.List(snap)})
	default:
		sinks = append(sinks, csvAnswers{stock.NewWriter(s.env.stdout, list), s.env.stderr})
	}
	return sinks, written, nil
}

// answerList answers the rows of a list from one snapshot.
func answerList(s *session, a *app.App, list *stock.Reader, sinks []answers, progress func()) error {
	snap := a.Catalogue.Current()
	for {
		rows, readErr := readRows(list)
		units := make([]recall.Unit, len(rows))
		for i := range rows {
			units[i] = rows[i].Unit
		}
		verdicts, errs := a.Lookup.Verdicts(snap, units)
		for i, row := range rows {
			bad := row.Fault
			if bad == nil && errs[i] != nil {
				var ok bool
				if bad, ok = errors.AsType[*recall.BadUnit](errs[i]); !ok {
					return fmt.Errorf("answering for line %d: %w", row.Line, errs[i])
				}
			}
			for _, sink := range sinks {
				var err error
				if bad != nil {
					err = sink.fault(row, bad)
				} else {
					err = sink.verdict(row, &verdicts[i])
				}
				if err != nil {
					return err
				}
			}
		}
		progress()
		switch {
		case errors.Is(readErr, io.EOF):
			return nil
		case readErr != nil:
			return readErr
		case s.ctx.Err() != nil:
			return s.ctx.Err()
		}
	}
}

// readRows reads the next rows; the error is of what comes after them.
func readRows(list *stock.Reader) ([]stock.Row, error) {
	rows := make([]stock.Row, 0, rowsAtOnce)
	for len(rows) < rowsAtOnce {
		row, err := list.Read()
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// countingReader counts the bytes read.
type countingReader struct {
	in   io.Reader
	read int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.read += n
	return n, err
}

// outFile is a file that appears under its name when it is whole: half an answer
// must not pass for one. What is no regular file, such as /dev/stdout, is
// written to as it is.
type outFile struct {
	*os.File
	name string // empty: written to in place
}

func createOut(name string) (*outFile, error) {
	flags, partial := os.O_WRONLY|os.O_CREATE|os.O_TRUNC, name+".partial"
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		flags, partial, name = os.O_WRONLY, name, ""
	}
	f, err := os.OpenFile(partial, flags, 0o666)
	if err != nil {
		return nil, fmt.Errorf("making the file of --out: %w", err)
	}
	return &outFile{f, name}, nil
}

// close puts a whole file in its place and takes away what is not whole.
func (o *outFile) close(whole bool) error {
	if o == nil {
		return nil
	}
	err := o.Close()
	switch {
	case o.name == "":
	case whole && err == nil:
		err = os.Rename(o.File.Name(), o.name)
	default:
		err = errors.Join(err, os.Remove(o.File.Name()))
	}
	if err != nil {
		return fmt.Errorf("finishing the file of --out: %w", err)
	}
	return nil
}
