package chaos

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

// account is an Azurite of its own behind a way that can fail, and behind that
// somebody who answers for it when it is sick.
type account struct {
	t      *testing.T
	server *server.Azurite
	front  *httptest.Server
	way    *testenv.Way
	sick   atomic.Bool
}

func startAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, server: testenv.Own(t, server.StartAzurite)}
	// The Host header is part of what requests are signed over, and stays.
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: a.server.Addr()})
		r.Out.Host = r.In.Host
	}}
	a.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.sick.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(a.front.Close)
	a.way = testenv.NewWay(t, strings.TrimPrefix(a.front.URL, "http://"))
	return a
}

func (a *account) setting() string {
	return "AZURE_STORAGE_CONNECTION_STRING=" + server.AzuriteConnectionString(a.way.Addr())
}

func (a *account) stop() {
	if err := a.server.Stop(); err != nil {
		a.t.Fatal(err)
	}
}

// heal ends every fault.
func (a *account) heal() {
	a.t.Helper()
	a.sick.Store(false)
	if err := a.server.Stop(); err != nil {
		a.t.Fatal(err)
	}
	if err := a.server.Start(context.Background()); err != nil {
		a.t.Fatal(err)
	}
	a.way.Heal()
}

// storage is what an operator sees of the account.
type storage struct {
	Status  string
	Uploads struct{ Queued, Done, Failed int }
}

func storageOf(t *testing.T, s *program.Server) (seen storage) {
	t.Helper()
	operator(t, s, "/api/v1/azure-storage/health", &seen)
	return seen
}
