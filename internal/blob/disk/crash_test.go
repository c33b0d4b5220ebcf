package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/blob"
)

// stage is how far a put got before its process was killed.
type stage int

const (
	noteMoved stage = iota
	bothMoved       // and the note of what was replaced is still there
)

// halfPut does a put and leaves the folder as its process would have, had it
// been killed at a stage.
func halfPut(t testing.TB, folder, key string, at stage, put func()) {
	t.Helper()
	file := filepath.Join(folder, key)
	kept := filepath.Join(t.TempDir(), "kept")
	hadFile := os.Link(file, kept) == nil
	before := map[string][]byte{}
	for _, name := range places(key) {
		if line, err := os.ReadFile(filepath.Join(folder, name)); err == nil {
			before[name] = line
		}
	}
	put()
	for name, line := range before {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			must(t, os.WriteFile(path, line, 0o440))
		}
	}
	if at == bothMoved {
		return
	}
	must(t, os.Remove(file))
	if hadFile {
		must(t, os.Rename(kept, file))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// history is a folder, what was ever put into it, and what must be known now.
type history struct {
	t      *testing.T
	folder string
	store  *Store
	last   int
	// types are the content types that a content was put with under the key.
	types map[string][]string
	known bool // what is there was put, and nobody touched it since
}

const historyKey = "d/a"

func (h *history) file() string { return filepath.Join(h.folder, historyKey) }

func (h *history) there() bool {
	_, err := os.Stat(h.file())
	return err == nil
}

// put puts one of few contents, all of a length, with a new content type.
func (h *history) put(content string) {
	h.last++
	h.types[content] = append(h.types[content], numberedType(h.last))
	_, err := h.store.Put(h.t.Context(), historyKey, strings.NewReader(content), blob.PutOptions{ContentType: numberedType(h.last)})
	must(h.t, err)
	h.known = true
}

// copy goes on in a copy of the folder, with its times or without.
func (h *history) copy(times bool) {
	to := filepath.Join(h.t.TempDir(), "copy")
	must(h.t, os.CopyFS(to, os.DirFS(h.folder)))
	if times && h.there() {
		stat, err := os.Stat(h.file())
		must(h.t, err)
		must(h.t, os.Chtimes(filepath.Join(to, historyKey), time.Time{}, stat.ModTime()))
	}
	must(h.t, h.store.Close())
	h.folder = to
	h.open()
}

func (h *history) open() {
	store, err := Open(h.folder)
	must(h.t, err)
	h.store = store
}

// byHand replaces the file as somebody would who knows nothing of notes.
func (h *history) byHand(content string) {
	must(h.t, os.MkdirAll(filepath.Dir(h.file()), 0o750))
	_ = os.Remove(h.file()) // it may be absent
	must(h.t, os.WriteFile(h.file(), []byte(content), 0o640))
	h.known = false
}

// check holds what is told against the bytes in the file.
func (h *history) check(rt *rapid.T, done string) {
	raw, fileErr := os.ReadFile(h.file())
	got, info, err := look(h.t, h.store, historyKey)
	if fileErr != nil {
		if !errors.Is(err, blob.ErrNotFound) {
			rt.Fatalf("after %s there is no file, and Get gives %v", done, err)
		}
		return
	}
	if got != string(raw) || err != nil {
		rt.Fatalf("after %s: %q, %v, want %q", done, got, err, raw)
	}
	switch right := slices.Contains(h.types[got], info.ContentType); {
	case info.MD5 == "" && info.ContentType == blob.DefaultContentType && !h.known:
	case info.MD5 == md5Of(got) && right:
	default:
		rt.Fatalf("after %s: %q tells %+v, was put as %q", done, got, info, h.types[got])
	}
}

// Whatever a folder goes through, what is told of an object is right, or that
// nothing is known; and it is known of all that was put and not changed.
func TestNotesAreRightOrNone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{t: t, folder: filepath.Join(t.TempDir(), "objects"), types: map[string][]string{}}
		h.open()
		defer func() { h.store.Close() }()
		content := rapid.SampledFrom([]string{"one", "two", "six"})
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			done := rapid.SampledFrom([]string{
				"put", "put", "note moved", "both moved", "delete", "half a delete", "copy", "copy with times", "by hand", "touch",
			}).Draw(rt, "step")
			c := content.Draw(rt, "content")
			known := h.known
			switch done {
			case "put":
				h.put(c)
			case "note moved":
				halfPut(t, h.folder, historyKey, noteMoved, func() { h.put(c) })
				h.known = known
			case "both moved":
				halfPut(t, h.folder, historyKey, bothMoved, func() { h.put(c) })
			case "delete":
				must(t, h.store.Delete(t.Context(), historyKey))
			case "half a delete":
				_ = os.Remove(h.file()) // it may be absent
			case "copy", "copy with times":
				h.copy(done == "copy with times")
			case "by hand":
				h.byHand(c)
			case "touch":
				_ = os.Chtimes(h.file(), time.Time{}, time.Now()) // it may be absent
			}
			h.check(rt, fmt.Sprintf("%s of %s", done, c))
		}
	})
}
