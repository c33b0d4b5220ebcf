package disk

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/crownsafe/api/internal/blob"
)

// BenchmarkPut stores payloads as an import does, one after the other, in as
// many folders as the archive has.
func BenchmarkPut(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	for i := 0; b.Loop(); i++ {
		key := fmt.Sprintf("raw/us-cpsc/%02x/%d.gz", i%256, i)
		if _, err := s.Put(b.Context(), key, bytes.NewReader(content), blob.PutOptions{IfAbsent: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHead looks at an object.
func BenchmarkHead(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Put(b.Context(), "a/b", bytes.NewReader(nil), blob.PutOptions{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Head(b.Context(), "a/b"); err != nil {
			b.Fatal(err)
		}
	}
}
