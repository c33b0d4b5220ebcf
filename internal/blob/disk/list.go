package disk

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/blob"
)

// List returns objects in order of their keys; see blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, error) {
	l := listing{root: s.root.FS(), prefix: prefix, after: after, limit: limit}
	if err := l.walk(ctx, ""); err != nil && !errors.Is(err, fs.SkipAll) {
		return nil, s.failed("listing", prefix, err)
	}
	return l.found, nil
}

// listing is one List on its way.
type listing struct {
	root          fs.FS
	prefix, after string
	limit         int
	found         []blob.Info
}

// walk lists a folder, given as the beginning of its keys ("" or "raw/").
func (l *listing) walk(ctx context.Context, folder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(l.root, path.Clean(folder))
	if err != nil {
		return absentFolder(err)
	}
	// A folder's keys go on with a slash, and are sorted as such: a-b, a/b, a0.
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(name(a), name(b)) })
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		key := folder + name(entry)
		if entry.IsDir() {
			err = l.enter(ctx, key)
		} else {
			err = l.add(key, entry)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter walks a folder that may hold what is asked for.
func (l *listing) enter(ctx context.Context, folder string) error {
	wanted := strings.HasPrefix(folder, l.prefix) || strings.HasPrefix(l.prefix, folder)
	allBefore := folder < l.after && !strings.HasPrefix(l.after, folder)
	if !wanted || allBefore {
		return nil
	}
	return l.walk(ctx, folder)
}

func (l *listing) add(key string, entry fs.DirEntry) error {
	if !strings.HasPrefix(key, l.prefix) || key <= l.after || !entry.Type().IsRegular() {
		return nil
	}
	stat, err := entry.Info()
	if err != nil {
		return absentFolder(err) // removed since
	}
	l.found = append(l.found, blob.Info{Key: key, Size: stat.Size(), ModifiedAt: stat.ModTime().UTC()})
	if len(l.found) == l.limit {
		return fs.SkipAll
	}
	return nil
}

// absentFolder forgives what was removed while it was being listed.
func absentFolder(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
