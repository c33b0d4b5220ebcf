package blob

import (
	"bytes"
	"crypto/md5" //nolint:gosec // it tells damage
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A spool keeps what is to be uploaded in files of one folder, which one process
// uses at a time: the content, followed by a manifest of a fixed length. A file
// that isn't whole yet has another name; it belongs to nobody after a crash.
type spool struct {
	folder string
	lock   *os.File
	last   atomic.Int64 // the newest file's number
}

const (
	spooledSuffix = ".upload"
	partSuffix    = ".part"
	damagedSuffix = ".damaged"
	failedSuffix  = ".failed"
	manifestSize  = 4096 // the longest key and content type fit in, with all that JSON escapes
	copyBuffer    = 16 << 10
)

// manifest is what a spooled file says of its content.
type manifest struct {
	Key         string `json:"key"`
	ContentType string `json:"type"`
	IfAbsent    bool   `json:"if_absent"`
	Size        int64  `json:"size"`
	MD5         string `json:"md5"`
	Cause       string `json:"cause,omitempty"` // the span that it was enqueued in, as a traceparent
}

func (m manifest) options() PutOptions {
	return PutOptions{ContentType: m.ContentType, IfAbsent: m.IfAbsent, MD5: m.MD5}
}

// openSpool makes a folder this process's own. ErrBusy when it is another's.
func openSpool(folder string) (*spool, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, FromSystem(err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, ".lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, FromSystem(err)
	}
	if err := LockFile(lock, false); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &spool{folder: folder, lock: lock}, nil
}

func (s *spool) close() error { return s.lock.Close() }

// spooled is one file of a spool.
type spooled struct {
	manifest
	path string
}

// buffers are for copying into the spool: many do that at once.
var buffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// add writes content to a file that survives a crash once add has returned.
func (s *spool) add(m manifest, content io.Reader) (spooled, error) {
	part, err := os.CreateTemp(s.folder, "*"+partSuffix)
	if err != nil {
		return spooled{}, FromSystem(err)
	}
	if m, err = fillSpooled(part, m, content); err != nil {
		return spooled{}, errors.Join(err, part.Close(), os.Remove(part.Name()))
	}
	if err := part.Close(); err != nil {
		return spooled{}, errors.Join(FromSystem(err), os.Remove(part.Name()))
	}
	whole := filepath.Join(s.folder, s.name())
	if err := os.Rename(part.Name(), whole); err != nil {
		return spooled{}, errors.Join(FromSystem(err), os.Remove(part.Name()))
	}
	if err := s.sync(); err != nil {
		return spooled{}, errors.Join(FromSystem(err), os.Remove(whole))
	}
	return spooled{m, whole}, nil
}

func fillSpooled(file *os.File, m manifest, content io.Reader) (manifest, error) {
	buffer := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buffer)
	hasher := md5.New() //nolint:gosec // as above
	var err error
	// Neither side may bring a buffer of its own.
	m.Size, err = io.CopyBuffer(io.MultiWriter(systemWriter{file}, hasher), struct{ io.Reader }{content}, buffer[:])
	if err != nil {
		return m, err
	}
	m.MD5 = hex.EncodeToString(hasher.Sum(nil))
	line, err := m.bytes()
	if err != nil {
		return m, err
	}
	if _, err := file.Write(line); err != nil {
		return m, FromSystem(err)
	}
	return m, FromSystem(file.Sync())
}

func (m manifest) bytes() ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		return nil, err
	}
	if line.Len() > manifestSize {
		return nil, fmt.Errorf("the manifest takes %d bytes, more than %d", line.Len(), manifestSize)
	}
	return append(bytes.Repeat([]byte{' '}, manifestSize-line.Len()), line.Bytes()...), nil
}

// name is that of the next file. Names are in order of time, and go on from the
// newest file even when the clock was put back.
func (s *spool) name() string {
	for {
		last := s.last.Load()
		if next := max(time.Now().UnixNano(), last+1); s.last.CompareAndSwap(last, next) {
			return fmt.Sprintf("%020d%s", next, spooledSuffix)
		}
	}
}

func (s *spool) sync() error {
	dir, err := os.Open(s.folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// recover returns the files that were whole when the process before ended, in
// their order, and removes those that weren't. A file that is damaged is put
// aside for somebody to look at: it keeps nobody from starting. It tells how many
// lie there that failed.
func (s *spool) recover(log *slog.Logger) (found []spooled, failed int64, err error) {
	entries, err := os.ReadDir(s.folder) // in order of their names
	if err != nil {
		return nil, 0, err
	}
	for _, entry := range entries {
		path := filepath.Join(s.folder, entry.Name())
		switch filepath.Ext(path) {
		case partSuffix:
			if err := os.Remove(path); err != nil {
				return nil, 0, err
			}
		case failedSuffix:
			failed++
		case spooledSuffix:
			file, err := readSpooled(path)
			if errors.Is(err, ErrDamaged) {
				log.Error("a file of the upload spool is damaged, and is put aside", "file", path+damagedSuffix)
				err = os.Rename(path, path+damagedSuffix)
			} else {
				found = append(found, file)
			}
			if err != nil {
				return nil, 0, err
			}
		}
	}
	if len(found) > 0 {
		newest := strings.TrimSuffix(filepath.Base(found[len(found)-1].path), spooledSuffix)
		if number, err := strconv.ParseInt(newest, 10, 64); err == nil {
			s.last.Store(number)
		}
	}
	return found, failed, nil
}

func readSpooled(path string) (spooled, error) {
	file, err := os.Open(path)
	if err != nil {
		return spooled{}, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return spooled{}, err
	}
	line := make([]byte, manifestSize)
	var m manifest
	size := stat.Size() - manifestSize
	if size >= 0 {
		if _, err := file.ReadAt(line, size); err != nil {
			return spooled{}, fmt.Errorf("reading the manifest of %s: %w", path, err)
		}
	}
	if err := json.Unmarshal(line, &m); err != nil || m.Size != size {
		return spooled{}, fmt.Errorf("%w: %s has no manifest of its content", ErrDamaged, path)
	}
	return spooled{m, path}, nil
}

// open returns the content, and what closes it.
func (f spooled) open() (*io.SectionReader, io.Closer, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, nil, err
	}
	return io.NewSectionReader(file, 0, f.Size), file, nil
}

// setAside keeps the file for an operator, under a name that nobody takes up.
func (f spooled) setAside() error { return os.Rename(f.path, f.path+failedSuffix) }

// remove forgets the file. What comes back because the machine crashed at once
// is uploaded again, which changes nothing.
func (f spooled) remove() error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
