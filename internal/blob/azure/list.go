package azure

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/crownsafe/api/internal/blob"
)

// List returns objects in order of their keys; see blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, error) {
	found, err := s.list(ctx, prefix, after, limit)
	if err != nil && !errors.Is(err, blob.ErrNotFound) { // a container that isn't there has nothing
		return nil, s.failed("listing", prefix, err)
	}
	return found, nil
}

func (s *Store) list(ctx context.Context, prefix, after string, limit int) ([]blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !sendable(prefix) {
		return nil, nil // no key has it
	}
	var found []blob.Info
	pager := s.container.NewListBlobsFlatPager(s.listOptions(prefix, after, limit))
	for pager.More() {
		bounded, cancel := s.patiently(ctx)
		page, err := pager.NextPage(bounded)
		cancel()
		if err != nil {
			return nil, s.translated(ctx, err, reading)
		}
		for _, item := range page.Segment.BlobItems {
			if info := infoOfItem(item); info.Key > after && strings.HasPrefix(info.Key, prefix) && blob.CheckKey(info.Key) == nil {
				found = append(found, info)
			}
		}
		// What is still to come is greater than keys whose place everybody agrees on.
		if limit > 0 && len(found) >= limit && !slices.ContainsFunc(found, func(i blob.Info) bool { return !agreed(i.Key) }) {
			break
		}
	}
	slices.SortFunc(found, func(a, b blob.Info) int { return strings.Compare(a.Key, b.Key) })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found, nil
}

func (s *Store) listOptions(prefix, after string, limit int) *container.ListBlobsFlatOptions {
	size := s.options.PageSize
	if limit > 0 {
		size = min(size, limit+1) // with the key that the list comes after
	}
	options := &container.ListBlobsFlatOptions{Prefix: &prefix, MaxResults: new(int32(size))} //nolint:gosec // at most some thousands
	if after > prefix && agreed(after) && sendable(after) {
		options.StartFrom = &after
	}
	return options
}

// agreed reports that a key's place is the same in order of the keys' bytes, as
// the port has it, and in order of UTF-16, as services have it that were written
// with it: the two differ about U+E000 and beyond.
func agreed(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r >= 0xE000 })
}

// sendable reports that a text can be part of a key, and so of a request.
func sendable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF })
}

func infoOfItem(item *container.BlobItem) blob.Info {
	p := cmp.Or(item.Properties, &container.BlobProperties{})
	info := infoOf("", p.ContentLength, properties{p.LastModified, p.ContentType, p.ETag, p.ContentMD5})
	if item.Name != nil {
		info.Key = *item.Name
	}
	return info
}
