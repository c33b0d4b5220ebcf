package app

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
)

// free reports whether a process has let go of the uploads of a data directory.
func free(t *testing.T, p *running) bool {
	t.Helper()
	uploads, err := blob.NewUploads(p.Objects, blob.UploadOptions{Spool: filepath.Join(p.Config.Data, "uploads")})
	if errors.Is(err, blob.ErrBusy) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := uploads.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	return true
}

// TestUploadsEndWithServe: however serving ends, nothing is uploaded after it.
func TestUploadsEndWithServe(t *testing.T) {
	t.Parallel()
	t.Run("that failed", func(t *testing.T) {
		t.Parallel()
		p := program(t, t.TempDir(), openStore(t))
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if err := p.Serve(t.Context(), listener); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v, want that the listener is closed", err)
		}
		if !free(t, p) {
			t.Error("its uploads go on")
		}
	})
	t.Run("with a request that doesn't", func(t *testing.T) {
		t.Parallel()
		p := program(t, t.TempDir(), openStore(t))
		p.Config.Grace = 0
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- p.Serve(ctx, listener) }()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		p.eventually(t, "a server that listens", func() bool { return strings.Contains(p.log.String(), "listening") })
		if _, err := conn.Write([]byte("POST /api/v1/verdict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")); err != nil {
			t.Fatal(err)
		}
		stop()
		<-served // be it an error: whether the request had begun by then isn't known
		if !free(t, p) {
			t.Error("its uploads go on")
		}
	})
}
