package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/store"
)

// FileStatus says what became of one file of an import.
type FileStatus string

// The statuses of a file.
const (
	FileRead      FileStatus = "read"
	FileCutOff    FileStatus = "cut off"            // recognised, but it could not be read whole; what could be read is kept
	FileUnknown   FileStatus = "not an agency file" // no agency's format
	FileErrorBody FileStatus = "agency's error"     // the agency's own word that it failed
	FileEmpty     FileStatus = "no notices"         // an agency's answer without records
	FileFailed    FileStatus = "failed"             // it could not be opened, or the store gave up
	FileRejected  FileStatus = "all rejected"       // recognised and read whole, but not one record became a notice
)

// FileReport is one row of an import's table.
type FileReport struct {
	Path   string     `json:"path"`
	Named  bool       `json:"-"` // it was named itself, not found in a folder
	Agency string     `json:"agency"`
	Format string     `json:"format"`
	Status FileStatus `json:"status"`
	Note   string     `json:"note"`
	Tally  Tally      `json:"tally"`
	alone  bool       // nothing of its agency was read well in the whole import
}

// Failed reports whether this row makes the import fail: a file that was named
// and is unknown, a recognised one that could not be read whole, or one of which
// every record was rejected. In a folder, files that are no agency's are what
// folders hold. A file of one rejected record, as a page is, fails only where
// nothing else of its agency could be read: among others it is one rejected
// record as in any file.
func (f *FileReport) Failed() bool {
	switch f.Status {
	case FileCutOff, FileFailed:
		return true
	case FileUnknown:
		return f.Named
	case FileRejected:
		return f.alone || f.Tally.Read > 1
	}
	return false
}

// Progress is told how far an import is.
type Progress struct {
	Files, Of int    // files done, files in all
	Path      string // of the file being read
	Tally     Tally  // of everything so far
}

// Import takes files and folders in, in order of their names, and reports on
// each file. The files are never taken for a complete dump: they only add and
// revise. The error says that the import could not go on; the report covers what
// was done before.
func (r *Runner) Import(ctx context.Context, paths []string, progress func(Progress)) ([]FileReport, error) {
	ctx, span := r.span(ctx, "ingest import")
	im := &importing{runner: r, runs: map[string]*store.Run{}, tell: progress}
	err := im.take(ctx, paths)
	err = errors.Join(err, r.finishRuns(ctx, im.runs))
	endSpan(span, err, tallied(im.state.Tally)...)
	return im.report, err
}

// ImportComplete is Import with the caller's word that the files together are,
// of each agency that they hold notices of, everything that it has now. Each
// such import is a dump of its own: a notice that two of them in a row lack is
// withdrawn. The error may also be that a dump was not believed: ErrGuarded; or
// that another process takes in one of the agencies now, which ends the import:
// ErrElsewhere.
func (r *Runner) ImportComplete(ctx context.Context, paths []string, progress func(Progress)) ([]FileReport, []DumpReport, error) {
	ctx, span := r.span(ctx, "ingest import")
	im, err := r.importComplete(ctx, paths, progress)
	endSpan(span, err, tallied(im.state.Tally)...)
	return im.report, im.settled, err
}

func (r *Runner) importComplete(ctx context.Context, paths []string, progress func(Progress)) (*importing, error) {
	serial, err := r.Store.Serial(ctx)
	if err != nil {
		return &importing{}, fmt.Errorf("reading where the store stands before the import: %w", err)
	}
	im := &importing{runner: r, runs: map[string]*store.Run{}, tell: progress, dumps: map[string]*dump{}, from: serial}
	ctx, im.stop = context.WithCancelCause(ctx)
	defer im.stop(nil)
	defer im.release()
	err = im.take(ctx, paths)
	if err == nil {
		err = im.settle(ctx)
	}
	return im, errors.Join(stopped(ctx, err), r.finishRuns(ctx, im.runs))
}

// importing is one import under way.
type importing struct {
	runner *Runner
	report []FileReport
	runs   map[string]*store.Run // by agency
	state  Progress
	tell   func(Progress) // may be nil

	dumps   map[string]*dump // by agency; nil: the files are no complete dumps
	from    int64            // the store's serial at the beginning
	settled []DumpReport

	stop   context.CancelCauseFunc // ends the import when a lease is lost
	leases []func()                // give them back
}

// release gives the agencies' leases back.
func (im *importing) release() {
	for _, release := range im.leases {
		release()
	}
}

// take reads the files.
func (im *importing) take(ctx context.Context, paths []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var files []listedFile
	files, im.report = listFiles(paths)
	im.state.Of = len(files)
	for prepared := range im.runner.prepareAhead(ctx, files) {
		one := <-prepared
		im.state.Path = one.shown
		im.show()
		for i := range one.payloads {
			p := &one.payloads[i]
			if err := im.gather(ctx, p); err != nil {
				return err
			}
			row, err := im.runner.importPayload(ctx, p, func(t Tally) { im.state.Tally.Add(t); im.show() })
			im.note(&row)
			im.report = append(im.report, row)
			if err != nil {
				return err
			}
		}
		im.state.Files++
		im.show()
	}
	im.findRefused()
	return ctx.Err()
}

// findRefused marks the files of agencies of which nothing could be read.
func (im *importing) findRefused() {
	for i := range im.report {
		row := &im.report[i]
		run := im.runs[row.Agency]
		if row.Status != FileRejected || run == nil || run.Rejected < run.Read {
			continue
		}
		row.alone = true
		if run.State == store.RunDone {
			run.State, run.Reason = store.RunPartial, row.Path+": "+row.Note
		}
	}
}

func (im *importing) show() {
	if im.tell != nil {
		im.tell(im.state)
	}
}

// gather lets a payload of a complete dump be remembered. From the first one of an
// agency to the import's end its notices are taken in by nobody else: two dumps
// that are held against the store at once would count what they lack twice.
func (im *importing) gather(ctx context.Context, p *payload) error {
	if im.dumps == nil || p.intake == nil {
		return nil
	}
	code := p.row.Agency
	if im.dumps[code] == nil {
		release, err := im.runner.hold(ctx, code, im.stop)
		if err != nil {
			return err
		}
		im.leases = append(im.leases, release)
		im.dumps[code] = newDump(im.from)
	}
	p.intake.dump = im.dumps[code]
	return nil
}

// note adds a row to its agency's run.
func (im *importing) note(row *FileReport) {
	if row.Agency == "" || row.Tally.Read == 0 && row.Status != FileCutOff {
		return
	}
	run := im.runs[row.Agency]
	if run == nil {
		run = &store.Run{Agency: row.Agency, Kind: store.RunImport, State: store.RunDone, StartedAt: im.runner.Now()}
		im.runs[row.Agency] = run
	}
	row.Tally.addTo(run)
	if row.Failed() {
		run.State, run.Reason = store.RunPartial, row.Path+": "+row.public()
	}
}

// public is why a file could not be read, as everybody may know it.
func (f *FileReport) public() string {
	if f.Status == FileFailed { // the store's or the archive's words name places on this machine
		return "it could not be stored"
	}
	return f.Note
}

// finishRuns records an import's runs, also when it was stopped.
func (r *Runner) finishRuns(ctx context.Context, runs map[string]*store.Run) error {
	ctx, cancel := finishing(ctx)
	defer cancel()
	for _, run := range runs {
		id, err := r.Store.StartRun(ctx, run.Agency, run.Kind, run.StartedAt)
		if err != nil {
			return fmt.Errorf("recording the import of %s: %w", run.Agency, err)
		}
		run.ID, run.FinishedAt = id, r.Now()
		if err := r.Store.FinishRun(ctx, *run); err != nil {
			return fmt.Errorf("recording the import of %s: %w", run.Agency, err)
		}
	}
	return nil
}

// listedFile is a file to import.
type listedFile struct {
	path  string // to open
	shown string // in reports and provenance: below the path that was named
	named bool
}

// listFiles walks the paths; what cannot be walked becomes a row of its own.
func listFiles(paths []string) ([]listedFile, []FileReport) {
	var files []listedFile
	var failed []FileReport
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			failed = append(failed, FileReport{Path: path, Named: true, Status: FileFailed, Note: plainError(err)})
		case !info.IsDir():
			files = append(files, listedFile{path: path, shown: filepath.Base(path), named: true})
		default:
			found, rows := walk(path)
			files, failed = append(files, found...), append(failed, rows...)
		}
	}
	return files, failed
}

func walk(root string) (files []listedFile, failed []FileReport) {
	if resolved, err := filepath.EvalSymlinks(root); err == nil {
		root = resolved // a link to a folder is walked like the folder
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			failed = append(failed, FileReport{Path: path, Named: path == root, Status: FileFailed, Note: plainError(err)})
		case entry.Type().IsRegular():
			shown, relErr := filepath.Rel(root, path)
			if relErr != nil {
				shown = filepath.Base(path)
			}
			files = append(files, listedFile{path: path, shown: filepath.ToSlash(shown)})
		}
		return nil
	})
	if err != nil {
		failed = append(failed, FileReport{Path: root, Named: true, Status: FileFailed, Note: plainError(err)})
	}
	slices.SortFunc(files, func(a, b listedFile) int { return strings.Compare(a.shown, b.shown) })
	return files, failed
}

// plainError drops the operation and the path from a file error: the row names
// the path already.
func plainError(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// isFatal tells an error of the store or the caller from one of the payload.
func isFatal(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	for _, sentinel := range []error{store.ErrFull, store.ErrReadOnly, store.ErrCorrupt, store.ErrBusy, store.ErrNewerVersion, store.ErrUnavailable} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return ctx.Err() != nil
}

func allRejected(records int) string {
	if records == 1 {
		return "its only record was rejected; the quarantine tells why"
	}
	return fmt.Sprintf("all %d records were rejected; the quarantine tells why", records)
}

// doubtful words how many notices have a part that could not be read.
func doubtful(notices int) string {
	switch notices {
	case 0:
		return ""
	case 1:
		return "1 notice has a date that could not be read"
	}
	return fmt.Sprintf("%d notices have a date that could not be read", notices)
}

// importPayload parses and stores what was prepared. The error is one that ends
// the whole import: the store, the archive or the caller gave up.
func (r *Runner) importPayload(ctx context.Context, p *payload, progress func(Tally)) (FileReport, error) {
	if p.err != nil || p.intake == nil {
		return p.row, p.err
	}
	row := p.row
	p.intake.progress = progress
	err := p.intake.recordPayload(ctx, p.row.Format)
	if err == nil && p.parsing == nil {
		p.parsing = p.intake.parse(ctx, p.row.Format)
	}
	if err == nil {
		row.Tally, err = p.intake.store(ctx, p.parsing)
	}
	switch {
	case err == nil && p.damage == nil && row.Tally.Read > 0 && row.Tally.Rejected == row.Tally.Read:
		row.Status, row.Note = FileRejected, allRejected(row.Tally.Read)
	case err == nil && p.damage == nil:
		row.Status, row.Note = FileRead, doubtful(row.Tally.Doubtful)
	case isFatal(ctx, err):
		row.Status, row.Note = FileFailed, err.Error()
		return row, err
	default:
		// The bytes themselves ended early or were damaged; what came before stands.
		row.Status, row.Note = FileCutOff, plainError(cmp.Or(p.damage, err))
	}
	return row, nil
}
