package azure

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/crownsafe/api/internal/blob"
)

// properties are what Azure tells of a blob in several kinds of answers.
type properties struct {
	modified    *time.Time
	contentType *string
	etag        *azcore.ETag
	md5         []byte
}

func infoOf(key string, size *int64, p properties) blob.Info {
	info := blob.Info{Key: key, ContentType: blob.DefaultContentType, MD5: hex.EncodeToString(p.md5)}
	if size != nil {
		info.Size = *size
	}
	if p.modified != nil {
		info.ModifiedAt = p.modified.UTC()
	}
	if p.contentType != nil && *p.contentType != "" {
		info.ContentType = *p.contentType
	}
	if p.etag != nil {
		info.ETag = `"` + strings.Trim(string(*p.etag), `"`) + `"` // listings leave the quotes out
	}
	return info
}

// Get opens an object; see blob.Store. A download that breaks goes on where it
// was, if the blob is still the same, which Azure is asked to check: what was
// replaced can't be had any more, and ends in ErrChanged.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	return s.GetRange(ctx, key, blob.Range{})
}

// GetRange opens a part of an object; see blob.Store.
func (s *Store) GetRange(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	content, info, err := s.get(ctx, key, r)
	if err != nil {
		return nil, blob.Info{}, s.failed("opening", key, err)
	}
	return content, info, nil
}

func (s *Store) get(ctx context.Context, key string, r blob.Range) (io.ReadCloser, blob.Info, error) {
	if err := cmp.Or(blob.CheckKey(key), ctx.Err()); err != nil {
		return nil, blob.Info{}, err
	}
	if r.Offset < 0 || r.Length < 0 {
		return nil, blob.Info{}, fmt.Errorf("%w: %d bytes from %d on", blob.ErrRange, r.Length, r.Offset)
	}
	options := &azblob.DownloadStreamOptions{Range: azblob.HTTPRange{Offset: r.Offset, Count: r.Length}}
	if r.IfMatch != "" {
		options.AccessConditions = &azblob.AccessConditions{
			ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfMatch: new(azcore.ETag(r.IfMatch))},
		}
	}
	content, answer, err := s.download(ctx, key, options)
	if err != nil {
		return nil, blob.Info{}, err
	}
	if r.Whole() {
		info := infoOf(key, answer.ContentLength, properties{answer.LastModified, answer.ContentType, answer.ETag, answer.ContentMD5})
		return blob.Verified(content, info), info, nil
	}
	size, err := sizeOf(answer.ContentRange)
	if err == nil { // an emulator may send nothing of what isn't there
		_, _, err = r.In(size)
	}
	if err != nil {
		content.Close()
		return nil, blob.Info{}, err
	}
	return content, infoOf(key, &size, properties{answer.LastModified, answer.ContentType, answer.ETag, answer.BlobContentMD5}), nil
}

// sizeOf reads the size of the whole from a Content-Range ("bytes 0-9/100").
func sizeOf(contentRange *string) (int64, error) {
	if contentRange != nil {
		_, total, _ := strings.Cut(*contentRange, "/")
		if size, err := strconv.ParseInt(total, 10, 64); err == nil {
			return size, nil
		}
	}
	return 0, fmt.Errorf("%w: it sent a part without saying of how much", blob.ErrUnavailable)
}

// download sends the request, and bounds the wait for its answer but not the
// time that the content is read in.
func (s *Store) download(ctx context.Context, key string, options *azblob.DownloadStreamOptions) (*body, azblob.DownloadStreamResponse, error) {
	open, cancel := context.WithCancel(ctx)
	retry := s.clientOptions().Retry
	retry.TryTimeout = 0 // it would go on while the content is read; the transport bounds the wait for the header
	patience := time.AfterFunc(s.options.Patience, cancel)
	answer, err := s.client(key).DownloadStream(policy.WithRetryOptions(open, retry), options)
	patience.Stop()
	if err != nil {
		cancel()
		return nil, answer, s.translated(ctx, err, reading)
	}
	b := &body{
		store: s, ctx: ctx, end: cancel,
		reader: answer.NewRetryReader(policy.WithRetryOptions(open, retry), &azblob.RetryReaderOptions{MaxRetries: max(1, retry.MaxRetries)}),
	}
	b.stalled = time.AfterFunc(s.options.TryTimeout, b.hurry)
	b.stalled.Stop()
	return b, answer, nil
}

// body is what is read of a download.
type body struct {
	store   *Store
	ctx     context.Context
	end     context.CancelFunc
	reader  *azblob.RetryReader
	stalled *time.Timer
	reading atomic.Bool
}

// hurry closes what stands still while it is being read, which makes the reader
// ask for the rest anew; that may stand still too.
func (b *body) hurry() {
	if b.reading.Load() {
		_ = b.reader.Close() // it is of no use any more
		b.stalled.Reset(b.store.options.TryTimeout)
	}
}

func (b *body) Read(p []byte) (int, error) {
	b.reading.Store(true)
	b.stalled.Reset(b.store.options.TryTimeout)
	n, err := b.reader.Read(p)
	b.reading.Store(false)
	b.stalled.Stop()
	if err == nil || err == io.EOF {
		if ended := b.ctx.Err(); ended != nil {
			return 0, ended
		}
		return n, err
	}
	err = b.store.translated(b.ctx, err, reading)
	if errors.Is(err, blob.ErrNotFound) { // it was there when it was opened
		err = fmt.Errorf("%w: %w", blob.ErrChanged, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.stalled.Stop()
	err := b.reader.Close()
	b.end()
	return err
}
