package azure

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // it tells damage, and is what Azure keeps beside a blob
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/crownsafe/api/internal/blob"
)

// markName is the metadata under which a blob carries the mark of the upload
// that stored it: so an upload whose answer was lost knows itself when the next
// attempt is told that the blob exists.
const markName = "put"

// overtakings is how often an upload begins anew after another of the same key
// has discarded its blocks. Each time the other has succeeded.
const overtakings = 20

// Put stores an object; see blob.Store.
func (s *Store) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	info, err := s.put(ctx, key, content, opts)
	if err != nil {
		return blob.Info{}, s.failed("storing", key, err)
	}
	return info, nil
}

func (s *Store) put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	if err := cmp.Or(blob.CheckKey(key), blob.CheckContentType(opts.ContentType), ctx.Err()); err != nil {
		return blob.Info{}, err
	}
	if err := s.allowed(ctx, key, opts); err != nil {
		return blob.Info{}, err
	}
	begin := rewinder(content)
	for round := 1; ; round++ {
		info, err := s.upload(ctx, key, content, opts)
		if !errors.Is(err, errOvertaken) {
			return info, err
		}
		if begin == nil || round == overtakings {
			return blob.Info{}, fmt.Errorf("%w: %w", blob.ErrChanged, err)
		}
		if err := begin(); err != nil {
			return blob.Info{}, err
		}
	}
}

// rewinder returns what brings content back to where it is now, nil where that
// can't be.
func rewinder(content io.Reader) func() error {
	seeker, ok := content.(io.Seeker)
	if !ok {
		return nil
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	return func() error {
		_, err := seeker.Seek(start, io.SeekStart)
		return err
	}
}

// allowed refuses at once what would be refused at the end.
func (s *Store) allowed(ctx context.Context, key string, opts blob.PutOptions) error {
	if !opts.IfAbsent && opts.IfMatch == "" {
		return nil
	}
	info, _, err := s.head(ctx, key)
	switch {
	case err == nil && opts.IfAbsent:
		return blob.ErrExists
	case opts.IfMatch == "" && errors.Is(err, blob.ErrNotFound), err == nil && info.ETag == opts.IfMatch:
		return nil
	case err == nil, errors.Is(err, blob.ErrNotFound):
		return blob.ErrChanged
	}
	return err
}

// upload is one way of content into a blob.
type upload struct {
	store  *Store
	client *blockblob.Client
	key    string
	opts   blob.PutOptions
	mark   string
	hasher hash.Hash
	size   int64
	blocks []string
}

func (s *Store) upload(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	u := &upload{store: s, client: s.client(key), key: key, opts: opts, mark: rand.Text(), hasher: md5.New()} //nolint:gosec // as above
	parts := s.blocks(ctx, content, u.hasher)
	defer parts.done()
	for {
		part, err := parts.next()
		if err != nil {
			return blob.Info{}, err
		}
		u.size += part.size
		if part.last && len(u.blocks) == 0 {
			return u.whole(ctx, part)
		}
		if part.size > 0 {
			if err := u.stage(ctx, part); err != nil {
				return blob.Info{}, err
			}
		}
		if part.last {
			return u.commit(ctx)
		}
	}
}

// sum checks and returns the MD5 of all that was read.
func (u *upload) sum() ([]byte, error) {
	sum := u.hasher.Sum(nil)
	if text := hex.EncodeToString(sum); u.opts.MD5 != "" && text != u.opts.MD5 {
		return nil, fmt.Errorf("%w: its bytes have the MD5 %s in place of %s", blob.ErrDamaged, text, u.opts.MD5)
	}
	return sum, nil
}

// whole stores content that fits in one request.
func (u *upload) whole(ctx context.Context, only block) (blob.Info, error) {
	sum, err := u.sum()
	if err != nil {
		return blob.Info{}, err
	}
	options := &blockblob.UploadOptions{
		HTTPHeaders: u.headers(sum), Metadata: u.metadata(), AccessConditions: u.conditions(),
		TransactionalValidation: azblob.TransferValidationTypeMD5(sum),
	}
	var stored blockblob.UploadResponse
	err = u.store.inContainer(ctx, func(ctx context.Context) error {
		stored, err = u.client.Upload(ctx, only.body(), options)
		return err
	})
	return u.outcome(ctx, err, sum, stored.LastModified, stored.ETag)
}

// stage sends a block, which is nothing until it is committed.
func (u *upload) stage(ctx context.Context, part block) error {
	// All of a blob's block names must have one length.
	name := binary.BigEndian.AppendUint64([]byte(u.mark), uint64(len(u.blocks)))
	id := base64.StdEncoding.EncodeToString(name)
	err := u.store.inContainer(ctx, func(ctx context.Context) error {
		_, err := u.client.StageBlock(ctx, id, part.body(), &blockblob.StageBlockOptions{
			TransactionalValidation: azblob.TransferValidationTypeMD5(part.sum),
		})
		return err
	})
	u.blocks = append(u.blocks, id)
	return u.store.translated(ctx, err, writing)
}

// commit makes the staged blocks the blob.
func (u *upload) commit(ctx context.Context) (blob.Info, error) {
	sum, err := u.sum()
	if err != nil {
		return blob.Info{}, err
	}
	bounded, cancel := u.store.patiently(ctx)
	defer cancel()
	stored, err := u.client.CommitBlockList(bounded, u.blocks, &blockblob.CommitBlockListOptions{
		HTTPHeaders: u.headers(sum), Metadata: u.metadata(), AccessConditions: u.conditions(),
	})
	return u.outcome(ctx, err, sum, stored.LastModified, stored.ETag)
}

func (u *upload) headers(sum []byte) *azblob.HTTPHeaders {
	return &azblob.HTTPHeaders{
		BlobContentType: new(cmp.Or(u.opts.ContentType, blob.DefaultContentType)),
		BlobContentMD5:  sum,
	}
}

func (u *upload) metadata() map[string]*string { return map[string]*string{markName: &u.mark} }

func (u *upload) conditions() *azblob.AccessConditions {
	conditions := &azblob.ModifiedAccessConditions{}
	if u.opts.IfAbsent {
		conditions.IfNoneMatch = new(azcore.ETagAny)
	}
	if u.opts.IfMatch != "" {
		conditions.IfMatch = new(azcore.ETag(u.opts.IfMatch))
	}
	return &azblob.AccessConditions{ModifiedAccessConditions: conditions}
}

// outcome tells of the object, or why there is none of this upload.
func (u *upload) outcome(ctx context.Context, err error, sum []byte, modified *time.Time, etag *azcore.ETag) (blob.Info, error) {
	if err == nil {
		contentType := cmp.Or(u.opts.ContentType, blob.DefaultContentType)
		return infoOf(u.key, &u.size, properties{modified, &contentType, etag, sum}), nil
	}
	err = u.store.translated(ctx, err, writing)
	conflict := errors.Is(err, blob.ErrExists) || errors.Is(err, blob.ErrChanged) || errors.Is(err, blob.ErrNotFound) || errors.Is(err, errOvertaken)
	if !conflict {
		return blob.Info{}, err
	}
	// It may be this very upload that is in the way: an attempt before, whose
	// answer was lost.
	info, mark, headErr := u.store.head(ctx, u.key)
	switch {
	case headErr == nil && mark == u.mark:
		return info, nil
	case headErr != nil && !errors.Is(headErr, blob.ErrNotFound):
		return blob.Info{}, headErr
	case u.opts.IfAbsent && !errors.Is(err, errOvertaken):
		return blob.Info{}, fmt.Errorf("%w: %w", blob.ErrExists, err)
	case u.opts.IfMatch != "":
		return blob.Info{}, fmt.Errorf("%w: %w", blob.ErrChanged, err)
	}
	return blob.Info{}, err
}
