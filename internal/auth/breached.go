package auth

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the list's format, not a protection
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// BreachedFile is a list of breached passwords on the disk, in the format that
// "Pwned Passwords" is handed out in: a line "HASH:COUNT" for each password, HASH
// its SHA-1 in 40 capital hexadecimal digits, in order of HASH. It may be larger
// than memory.
type BreachedFile struct {
	file *os.File
	size int64
}

// OpenBreached opens a list. It fails where the first line is none of such a list.
func OpenBreached(path string) (*BreachedFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the list of breached passwords: %w", err)
	}
	b := &BreachedFile{file: file}
	if err := b.look(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return b, nil
}

func (b *BreachedFile) look() error {
	info, err := b.file.Stat()
	if err != nil {
		return fmt.Errorf("opening the list of breached passwords: %w", err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("the list of breached passwords is no file")
	}
	b.size = info.Size()
	_, hash, err := b.lineFrom(0)
	if err != nil || hash == "" {
		return errors.New(`the list of breached passwords does not begin with a line "HASH:COUNT"`)
	}
	return nil
}

// Close lets go of the file.
func (b *BreachedFile) Close() error { return b.file.Close() }

// Holds implements Breached, by bisection.
func (b *BreachedFile) Holds(_ context.Context, password string) (bool, error) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see above
	wanted := strings.ToUpper(hex.EncodeToString(sum[:]))
	low, high := int64(0), b.size // the line begins in [low, high), if it is there
	for low < high {
		middle := low + (high-low)/2
		start, hash, err := b.lineFrom(middle)
		switch {
		case err != nil:
			return false, err
		case hash == "" || start >= high: // no line begins in the second half
			high = middle
		case hash == wanted:
			return true, nil
		case hash < wanted:
			low = start + 1
		default:
			high = middle
		}
	}
	return false, nil
}

// longestLine is more than any line has: a hash, a colon, a count, a line's end.
const longestLine = 80

// lineFrom returns the first line that begins at an offset or after it: where it
// begins, and its hash. The hash is empty where no line begins any more.
func (b *BreachedFile) lineFrom(offset int64) (start int64, hash string, err error) {
	read := make([]byte, 2*longestLine)
	at := max(offset-1, 0) // a line begins at offset when the byte before ends one
	n, err := b.file.ReadAt(read, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, "", fmt.Errorf("reading the list of breached passwords: %w", err)
	}
	read = read[:n]
	if offset > 0 {
		end := bytes.IndexByte(read, '\n')
		if end < 0 || end+1 >= len(read) {
			return b.size, "", nil
		}
		at, read = at+int64(end)+1, read[end+1:]
	}
	if len(read) < 41 || read[40] != ':' || len(bytes.Trim(read[:40], "0123456789ABCDEF")) > 0 {
		return 0, "", fmt.Errorf(`reading the list of breached passwords: no line "HASH:COUNT" at byte %d`, at)
	}
	return at, string(read[:40]), nil
}
