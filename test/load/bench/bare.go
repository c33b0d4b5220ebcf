package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
)

// bareHandler is the measure of speed: a handler that does nothing but find
// the answer to the requested address in a map and write it.
type bareHandler map[string]answer

func (h bareHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := h[r.RequestURI]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	for name, values := range a.Header {
		header[name] = values
	}
	_, _ = w.Write(a.Body) // the client may be gone
}

// serveBare reads answers as one JSON array and serves them until its input
// ends, which happens at the latest when the process that started it does, or
// until ctx is done.
func serveBare(ctx context.Context, in io.Reader, log io.Writer) error {
	var answers []answer
	if err := json.NewDecoder(in).Decode(&answers); err != nil {
		return fmt.Errorf("reading the answers: %w", err)
	}
	handler := bareHandler{}
	for _, a := range answers {
		handler[a.URI] = a
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	s := http.Server{Handler: handler}
	ctx, orphaned := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in) // its end counts, however it comes
		orphaned()
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() }) // Serve then returns
	slog.New(slog.NewJSONHandler(log, nil)).Info("listening", "addr", listener.Addr().String())
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
