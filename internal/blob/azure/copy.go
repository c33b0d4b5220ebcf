package azure

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/crownsafe/api/internal/blob"
)

// copyAtOnce is the longest blob that is copied by one request, and the length
// of the blocks that longer ones are copied in: a quarter of what Azure takes
// (https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url), so
// that an attempt ends in time.
const copyAtOnce = 64 << 20

// Copy stores an object under another key too; see blob.Store. The account
// copies by itself.
func (s *Store) Copy(ctx context.Context, from, to string) (blob.Info, error) {
	info, err := s.copy(ctx, from, to)
	if err != nil {
		return blob.Info{}, s.failed("copying", from, fmt.Errorf("to %q: %w", to, err))
	}
	return info, nil
}

func (s *Store) copy(ctx context.Context, from, to string) (blob.Info, error) {
	for _, key := range []string{from, to} {
		if err := blob.CheckKey(key); err != nil {
			return blob.Info{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	source, _, err := s.head(ctx, from)
	if err != nil {
		return blob.Info{}, err
	}
	c := &copying{store: s, client: s.client(to), source: source, mark: rand.Text()}
	if c.url, err = s.readable(ctx, from); err != nil {
		return blob.Info{}, err
	}
	if source.Size <= s.options.copyAtOnce {
		err = c.atOnce(ctx)
	} else {
		err = c.inBlocks(ctx)
	}
	if err != nil {
		return blob.Info{}, changed(s.translated(ctx, err, writing))
	}
	info, _, err := s.head(ctx, to)
	return info, err
}

// changed gives the port's error for a source that is another one by now.
func changed(err error) error {
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, errOvertaken) {
		return fmt.Errorf("%w: %w", blob.ErrChanged, err)
	}
	return err
}

// readable is a URL that the account itself may read a blob by.
func (s *Store) readable(ctx context.Context, key string) (string, error) {
	const lifetime = time.Hour
	url, err := s.signed(ctx, key, blob.Read, time.Now().Add(lifetime))
	if errors.Is(err, errors.ErrUnsupported) {
		return s.client(key).URL(), nil // which has the signature that the store was opened with
	}
	return url, err
}

// copying is one Copy on its way.
type copying struct {
	store  *Store
	client *blockblob.Client
	source blob.Info
	url    string
	mark   string
}

func (c *copying) pinned() *azblob.SourceModifiedAccessConditions {
	return &azblob.SourceModifiedAccessConditions{SourceIfMatch: new(azcore.ETag(c.source.ETag))}
}

func (c *copying) atOnce(ctx context.Context) error {
	bounded, cancel := c.store.patiently(ctx)
	defer cancel()
	_, err := c.client.CopyFromURL(bounded, c.url, &azblob.CopyFromURLOptions{
		Metadata:                       map[string]*string{markName: &c.mark},
		SourceModifiedAccessConditions: c.pinned(),
	})
	return err
}

func (c *copying) inBlocks(ctx context.Context) error {
	sum, err := hex.DecodeString(c.source.MD5)
	if err != nil {
		return err
	}
	var blocks []string
	length := c.store.options.copyAtOnce
	for offset := int64(0); offset < c.source.Size; offset += length {
		id := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte(c.mark), uint64(offset))) //nolint:gosec // not negative
		if err := c.stage(ctx, id, azblob.HTTPRange{Offset: offset, Count: min(length, c.source.Size-offset)}); err != nil {
			return err
		}
		blocks = append(blocks, id)
	}
	bounded, cancel := c.store.patiently(ctx)
	defer cancel()
	_, err = c.client.CommitBlockList(bounded, blocks, &blockblob.CommitBlockListOptions{
		HTTPHeaders: &azblob.HTTPHeaders{BlobContentType: &c.source.ContentType, BlobContentMD5: sum},
		Metadata:    map[string]*string{markName: &c.mark},
	})
	return err
}

func (c *copying) stage(ctx context.Context, id string, part azblob.HTTPRange) error {
	bounded, cancel := c.store.patiently(ctx)
	defer cancel()
	_, err := c.client.StageBlockFromURL(bounded, id, c.url, &blockblob.StageBlockFromURLOptions{
		Range: part, SourceModifiedAccessConditions: c.pinned(),
	})
	return err
}
