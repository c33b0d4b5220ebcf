package azure

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // it tells damage, and is what Azure keeps beside a blob
	"hash"
	"io"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"github.com/crownsafe/api/internal/blob"
)

// block is a part of an upload, which can be read as often as it must be sent.
type block struct {
	content io.ReaderAt
	offset  int64
	size    int64
	sum     []byte // MD5
	last    bool
}

// body returns the block for one request.
func (b block) body() io.ReadSeekCloser {
	return streaming.NopCloser(io.NewSectionReader(b.content, b.offset, b.size))
}

// source cuts content into blocks, and hashes the whole on its way. A block is
// good until the next is asked for. Only the first may be empty, and the last of
// content that didn't know its own length.
type source interface {
	next() (block, error)
	done()
}

// blocks returns the source of what is to be uploaded: content that can be read
// anywhere, such as a file, isn't held in memory.
func (s *Store) blocks(ctx context.Context, content io.Reader, whole hash.Hash) source {
	if file, ok := content.(interface {
		io.ReaderAt
		io.ReadSeeker
	}); ok {
		start, startErr := file.Seek(0, io.SeekCurrent)
		end, endErr := file.Seek(0, io.SeekEnd)
		if startErr == nil && endErr == nil {
			_, err := file.Seek(start, io.SeekStart)
			return &stored{ctx: ctx, content: file, offset: start, end: end, most: int64(s.options.BlockSize), whole: whole, failed: err}
		}
	}
	return &streamed{content: blob.WithContext(ctx, content), buffer: s.buffers.Get().(*[]byte), pool: &s.buffers, whole: whole}
}

// stored is content that can be read anywhere.
type stored struct {
	ctx               context.Context
	content           io.ReaderAt
	offset, end, most int64
	whole             hash.Hash
	failed            error
}

// copyBuffers are for hashing what isn't held in memory.
var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (s *stored) next() (block, error) {
	if s.failed != nil {
		return block{}, s.failed
	}
	size := min(s.most, s.end-s.offset)
	section := io.NewSectionReader(s.content, s.offset, size)
	own := md5.New() //nolint:gosec // as above
	buffer := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buffer)
	n, err := io.CopyBuffer(io.MultiWriter(s.whole, own), blob.WithContext(s.ctx, section), buffer[:])
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF // it was cut since
	}
	if err != nil {
		return block{}, err
	}
	start := s.offset
	s.offset += size
	return block{s.content, start, size, own.Sum(nil), s.offset == s.end}, nil
}

func (s *stored) done() {}

// streamed is content that comes but once, and is held block by block.
type streamed struct {
	content io.Reader
	buffer  *[]byte
	pool    *sync.Pool
	whole   hash.Hash
}

func (s *streamed) next() (block, error) {
	n, err := fill(s.content, *s.buffer)
	if err != nil && err != io.EOF {
		return block{}, err
	}
	bytesRead := (*s.buffer)[:n]
	s.whole.Write(bytesRead)
	sum := md5.Sum(bytesRead) //nolint:gosec // as above
	return block{bytes.NewReader(bytesRead), 0, int64(n), sum[:], err == io.EOF}, nil
}

func (s *streamed) done() { s.pool.Put(s.buffer) }

// fill reads until a buffer is full: io.EOF when content ended before. Unlike
// io.ReadFull it leaves it to content to say io.ErrUnexpectedEOF.
func fill(content io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var got int
		got, err = content.Read(buffer[n:])
		n += got
	}
	if n == len(buffer) && err == io.EOF {
		err = nil // the next fill meets it again
	}
	return n, err
}
