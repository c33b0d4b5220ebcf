package ingest

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// preparedFile is a file whose payloads were recognised and archived.
type preparedFile struct {
	shown    string
	payloads []payload
}

// payload is one payload of a file: the file itself, or a member of a zip.
type payload struct {
	row     FileReport
	intake  *intake  // nil where there is nothing to parse
	parsing *parsing // nil: not begun yet
	damage  error    // the bytes ended early; what came before is archived
	err     error    // the import cannot go on
}

// prepareDepth is how many files are archived and parsed ahead of the one being
// stored: archiving waits for the disk, parsing and storing for the processor.
const prepareDepth = 8

// prepareAhead recognises and archives files, several at a time, and gives them
// out in their order. It stops when ctx ends.
func (r *Runner) prepareAhead(ctx context.Context, files []listedFile) <-chan chan preparedFile {
	ordered := make(chan chan preparedFile, prepareDepth)
	go func() {
		defer close(ordered)
		for _, f := range files {
			one := make(chan preparedFile, 1)
			select {
			case ordered <- one:
			case <-ctx.Done():
				return
			}
			go func() { one <- preparedFile{f.shown, r.prepare(ctx, f)} }()
		}
	}()
	return ordered
}

func (r *Runner) prepare(ctx context.Context, f listedFile) []payload {
	file, err := os.Open(f.path)
	if err != nil {
		return f.failed(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return f.failed(err)
	}
	start := make([]byte, 4)
	n, err := file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return f.failed(err)
	}
	switch {
	case bytes.HasPrefix(start[:n], []byte{0x1f, 0x8b}):
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			return f.failed(fmt.Errorf("damaged gzip: %w", err))
		}
		return r.prepareWhole(ctx, f, unpacked, info.ModTime())
	case bytes.HasPrefix(start[:n], []byte("PK\x03\x04")):
		return r.prepareZip(ctx, f, file, info)
	}
	return r.prepareWhole(ctx, f, file, info.ModTime())
}

// prepareWhole prepares a file that is one payload and begins to parse it. Of a
// zip's members none is begun ahead: there may be any number of them.
func (r *Runner) prepareWhole(ctx context.Context, f listedFile, content io.Reader, modified time.Time) []payload {
	p := r.prepareBytes(ctx, f, content, modified)
	if p.intake != nil {
		p.parsing = p.intake.parse(ctx, p.row.Format)
	}
	return []payload{p}
}

// failed is the row of a file that could not be opened or read. What it holds
// is not known, so it fails the import even where it lay in a folder.
func (f *listedFile) failed(err error) []payload {
	return []payload{{row: FileReport{Path: f.shown, Named: f.named, Status: FileFailed, Note: plainError(err)}}}
}

func (r *Runner) prepareZip(ctx context.Context, f listedFile, file *os.File, info fs.FileInfo) []payload {
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return f.failed(fmt.Errorf("damaged zip: %w", err)) // a zip that was cut off is one without its list of members
	}
	var list []payload
	for _, member := range archive.File {
		if member.FileInfo().IsDir() {
			continue
		}
		inner := listedFile{shown: f.shown + "!" + member.Name, named: f.named && len(archive.File) == 1}
		content, err := member.Open()
		if err != nil {
			list = append(list, inner.failed(err)...)
			continue
		}
		list = append(list, r.prepareBytes(ctx, inner, content, member.Modified))
		content.Close()
	}
	return list
}

// prepareBytes recognises one unpacked payload and archives it when it holds notices.
func (r *Runner) prepareBytes(ctx context.Context, f listedFile, content io.Reader, modified time.Time) payload {
	p := payload{row: FileReport{Path: f.shown, Named: f.named}}
	source := &endingReader{r: content}
	head, whole, err := readHead(source)
	if err != nil {
		p.row.Status, p.row.Note = FileFailed, plainError(err)
		return p
	}
	a, rec := r.recognise(f.shown, head)
	if a == nil {
		p.row.Status = FileUnknown
		if source.failed != nil {
			p.row.Status, p.row.Note = FileFailed, source.failed.Error()
		}
		return p
	}
	p.row.Agency, p.row.Format, p.row.Note = a.Describe().Code, rec.Format, rec.Note
	switch rec.Kind {
	case agency.ErrorBody:
		p.row.Status = FileErrorBody
		return p
	case agency.Empty:
		p.row.Status = FileEmpty
		return p
	}
	in := &intake{runner: r, agency: a, source: f.shown, fetchedAt: modified.UTC()}
	if err := in.archive(ctx, whole); err != nil {
		p.row.Status, p.row.Note, p.err = FileFailed, err.Error(), err
		return p
	}
	p.intake, p.damage = in, source.failed
	return p
}

// maxPayload bounds what one file may unpack to, in bytes: ten times the largest
// dump that an agency has. What unpacks to more is no honest file.
const maxPayload = 4 << 30

// endingReader turns a damaged end (a truncated gzip) into a plain end of the
// content and remembers it, so that what came before can be archived and read.
type endingReader struct {
	r      io.Reader
	read   int64
	failed error
}

// Read implements io.Reader.
func (e *endingReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if e.read += int64(n); e.read > maxPayload {
		e.failed = fmt.Errorf("the file unpacks to more than %d bytes", int64(maxPayload))
		return 0, io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		e.failed = fmt.Errorf("the file is damaged or cut off: %w", err)
		return n, io.EOF
	}
	return n, err
}
