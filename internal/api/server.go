package api

import (
	"net/http"
	"time"
)

// Limits of one request. A code of a mebibyte in the address must be answered
// with a problem document and not with net/http's bare 431, so the server
// reads headers well above what the API accepts.
const (
	maxHeaderBytes  = 3 << 20
	maxURIBytes     = 16 << 10
	maxBodyBytes    = 64 << 10 // of operations that don't say otherwise
	maxVerdictBytes = 64 << 10
	maxBatchBytes   = 4 << 20
)

// Server returns a server for the handler with every timeout and limit set. Its
// listener and its error log are left to the caller.
func Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeaderBytes,
	}
}
