package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// debugHandler answers profiles of the running program, as `go tool pprof` asks for
// them, and nothing else. It is for a listener of its own: whoever reaches it sees
// the program's memory and can keep it busy. (That net/http/pprof registers itself
// with http.DefaultServeMux is of no effect: nothing serves that.)
func debugHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// startDebug listens where the settings say and answers profiles until the
// function that it returns is called; nowhere by default.
func (a *App) startDebug(ctx context.Context) (stop func(), err error) {
	addr := a.Config.Traces.DebugAddr
	if addr == "" {
		return func() {}, nil
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening at CROWNSAFE_DEBUG_ADDR: %w", err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		a.Logger.Warn("profiles can be asked for from other machines; let CROWNSAFE_DEBUG_ADDR name a loopback address", "addr", listener.Addr().String())
	}
	server := &http.Server{Handler: debugHandler(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.Logger.Error("profiles aren't answered any more", "error", err)
		}
	}()
	a.Logger.Info("answering profiles", "addr", listener.Addr().String())
	return func() {
		_ = server.Close() // it was only looked at
		<-ended
	}, nil
}
