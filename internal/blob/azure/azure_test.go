package azure

import (
	"bytes"
	"encoding/hex"
	"io"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	port "github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/blobtest"
	"github.com/crownsafe/api/internal/testenv"
)

// small makes uploads, listings and copies of a test's size take several
// requests each.
func small(o Options) Options {
	o.BlockSize, o.PageSize, o.copyAtOnce = 128<<10, 3, 300<<10
	return o
}

func openTest(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Container == "" {
		o.ConnectionString, o.Container = testenv.Azure(t)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Exercise(t, blobtest.Adapter{
		Open:   func(t *testing.T) port.Store { return openTest(t, small(Options{})) },
		Damage: damage,
	})
}

// damage stores other bytes beside the MD5 of what was there.
func damage(t *testing.T, s port.Store, key string) {
	t.Helper()
	object, info, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	content, err := io.ReadAll(object)
	if err != nil {
		t.Fatal(err)
	}
	content[1] ^= 0x40
	if _, err := s.Put(t.Context(), key, bytes.NewReader(content), port.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	sum, err := hex.DecodeString(info.MD5)
	if err != nil {
		t.Fatal(err)
	}
	headers := blob.HTTPHeaders{BlobContentMD5: sum, BlobContentType: &info.ContentType}
	if _, err := s.(*Store).client(key).SetHTTPHeaders(t.Context(), headers, nil); err != nil {
		t.Fatal(err)
	}
}
