package agency_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
)

const feed = "https://feed.example/recalls"

func TestGetRetriesOnlyWhereItCanHelp(t *testing.T) {
	good := agencytest.JSON(`["ok"]`)
	for name, test := range map[string]struct {
		steps    []agencytest.Step
		asked    int
		status   int
		waited   time.Duration // at least; the jitter is a quarter
		fails    bool
		is       error
		readable string
	}{
		"a good answer is asked for once":            {steps: []agencytest.Step{good}, asked: 1, status: 200},
		"503, then good":                             {steps: []agencytest.Step{agencytest.Answer(503, ""), good}, asked: 2, status: 200, waited: 700 * time.Millisecond},
		"502 and 504, then good, with longer pauses": {steps: []agencytest.Step{agencytest.Answer(502, ""), agencytest.Answer(504, ""), good}, asked: 3, status: 200, waited: 2200 * time.Millisecond},
		"429 waits as long as it is told to":         {steps: []agencytest.Step{agencytest.TooMany(40 * time.Second), good}, asked: 2, status: 200, waited: 40 * time.Second},
		"429 for an hour is taken as no":             {steps: []agencytest.Step{agencytest.TooMany(time.Hour), good}, asked: 1, status: 429, fails: true},
		"a refused connection, then good":            {steps: []agencytest.Step{agencytest.Refuse(), good}, asked: 2, status: 200},
		"a cut body, then good":                      {steps: []agencytest.Step{agencytest.Cut(`["notices"]`, 5), good}, asked: 2, status: 200},
		"always cut":                                 {steps: []agencytest.Step{agencytest.Cut(`["notices"]`, 5)}, asked: 3, status: 200, waited: 2200 * time.Millisecond, fails: true, is: agency.ErrTruncated},
		"always in trouble":                          {steps: []agencytest.Step{agencytest.Answer(503, "maintenance")}, asked: 3, status: 503, waited: 2200 * time.Millisecond, fails: true, readable: "maintenance"},
		"404 is an answer that can be read":          {steps: []agencytest.Step{agencytest.Answer(404, `{"error":{"code":"NOT_FOUND"}}`)}, asked: 1, status: 404, fails: true, readable: `{"error":{"code":"NOT_FOUND"}}`},
		"403 is not asked again":                     {steps: []agencytest.Step{agencytest.Answer(403, "no"), good}, asked: 1, status: 403, fails: true, readable: "no"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On("/recalls", test.steps...)
				start := time.Now()
				answer, err := server.Client().Get(t.Context(), feed)
				if (err != nil) != test.fails {
					t.Fatalf("error = %v, want one: %v", err, test.fails)
				}
				if test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error = %v, want one that wraps %v", err, test.is)
				}
				if got := len(server.Requests()); got != test.asked {
					t.Errorf("asked %d times, want %d", got, test.asked)
				}
				if answer.Status != test.status {
					t.Errorf("status = %d, want %d", answer.Status, test.status)
				}
				if waited := time.Since(start); waited < test.waited || waited > 2*test.waited+3*time.Second {
					t.Errorf("waited %s, want about %s", waited, test.waited)
				}
				if test.readable == "" {
					return
				}
				var status *agency.StatusError
				if !errors.As(err, &status) || status.Said != test.readable || string(answer.Body) != test.readable {
					t.Errorf("error = %#v, body = %q, want both to hold %q", err, answer.Body, test.readable)
				}
			})
		})
	}
}

func TestGetGivesUpInTime(t *testing.T) {
	t.Run("without a network", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := agencytest.New(t)
			server.On("/recalls", agencytest.Refuse())
			start := time.Now()
			_, err := server.Client().Get(t.Context(), feed)
			if err == nil || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), feed) {
				t.Errorf("error = %v, want one that names the address and the cause", err)
			}
			if waited := time.Since(start); waited > 10*time.Second {
				t.Errorf("took %s, want a few seconds", waited)
			}
		})
	})
	t.Run("an agency that says nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := agencytest.New(t)
			server.On("/recalls", agencytest.Hang())
			client := agency.NewClient(agency.ClientOptions{Transport: server, Timeout: 10 * time.Second, Patience: 15 * time.Second})
			start := time.Now()
			_, err := client.Get(t.Context(), feed)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %v, want a deadline", err)
			}
			if waited := time.Since(start); waited != 15*time.Second {
				t.Errorf("took %s, want the client's patience of 15s", waited)
			}
		})
	})
	t.Run("when the caller leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := agencytest.New(t)
			server.On("/recalls", agencytest.TooMany(30*time.Second))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Second, cancel)
			start := time.Now()
			_, err := server.Client().Get(ctx, feed)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, want context.Canceled", err)
			}
			if waited := time.Since(start); waited != 5*time.Second {
				t.Errorf("took %s after the caller left at 5s", waited)
			}
		})
	})
}

func TestGetAsksOneQuestionPerHostAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy, most atomic.Int32
		server := agencytest.New(t)
		server.On("/recalls", agencytest.ByQuery(func(r *http.Request) agencytest.Step {
			if r.URL.Host == "feed.example" {
				most.Store(max(most.Load(), busy.Add(1)))
				time.Sleep(time.Second) // the bubble's time
				busy.Add(-1)
			}
			return agencytest.JSON(`[]`)
		}))
		client := server.Client()
		start := time.Now()
		done := make(chan error)
		for n := range 4 {
			go func() {
				_, err := client.Get(t.Context(), fmt.Sprintf("%s?n=%d", feed, n))
				done <- err
			}()
		}
		synctest.Wait()
		if _, err := client.Get(t.Context(), "https://other.example/recalls"); err != nil || time.Since(start) != 0 {
			t.Errorf("another host: %v after %s, want an answer at once", err, time.Since(start))
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if most.Load() != 1 {
			t.Errorf("%d questions at once, want 1", most.Load())
		}
	})
}

func TestConditionalRequests(t *testing.T) {
	server := agencytest.New(t)
	server.On("/recalls", agencytest.Unchangeable(`["notices"]`, `"v1"`))
	client := server.Client()
	ask := func() agency.Answer {
		t.Helper()
		answer, err := client.Get(t.Context(), feed)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	first := ask()
	if again := ask(); again.NotModified() {
		t.Error("an answer that nobody kept was asked for conditionally")
	}
	client.Remember(first)
	if again := ask(); !again.NotModified() || len(again.Body) != 0 {
		t.Errorf("status = %d with %d bytes, want 304 without a body", again.Status, len(again.Body))
	}
}

func TestGetSaysWhoAsks(t *testing.T) {
	server := agencytest.New(t)
	server.On("/recalls", agencytest.JSON(`[]`))
	client := agency.NewClient(agency.ClientOptions{Transport: server, UserAgent: "CrownSafe/1.2 (+mailto:feeds@crownsafe.example)"})
	if _, err := client.Get(t.Context(), feed, http.Header{"accept": {"text/csv"}}); err != nil {
		t.Fatal(err)
	}
	request := server.Requests()[0]
	if got := request.Header.Get("User-Agent"); got != "CrownSafe/1.2 (+mailto:feeds@crownsafe.example)" {
		t.Errorf("User-Agent = %q", got)
	}
	if got := request.Header.Get("Accept"); got != "text/csv" {
		t.Errorf("Accept = %q", got)
	}
	if !strings.Contains(agency.DefaultUserAgent, "+https://") {
		t.Errorf("the default User-Agent %q names no contact", agency.DefaultUserAgent)
	}
}

func TestPost(t *testing.T) {
	t.Run("the body is sent whole with every attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var bodies []string
			answers := []agencytest.Step{agencytest.Answer(503, ""), agencytest.JSON(`["ok"]`)}
			server := agencytest.New(t)
			server.On("/recalls", agencytest.ByQuery(func(r *http.Request) agencytest.Step {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				bodies = append(bodies, r.Method+" "+r.Header.Get("Content-Type")+" "+string(body))
				return answers[len(bodies)-1]
			}))
			answer, err := server.Client().Post(t.Context(), feed, "application/json", []byte(`{"rows":1}`))
			if err != nil || string(answer.Body) != `["ok"]` {
				t.Errorf("body %q, error %v", answer.Body, err)
			}
			const want = `POST application/json {"rows":1}`
			if !slices.Equal(bodies, []string{want, want}) {
				t.Errorf("asked %q, want %q twice", bodies, want)
			}
		})
	})
	t.Run("an answer that was kept makes no question conditional", func(t *testing.T) {
		server := agencytest.New(t)
		server.On("/recalls", agencytest.Unchangeable(`["notices"]`, `"v1"`))
		client := server.Client()
		for range 2 {
			answer, err := client.Post(t.Context(), feed, "application/json", []byte(`{}`))
			if err != nil || answer.NotModified() {
				t.Errorf("status %d, error %v; want the notices", answer.Status, err)
			}
			client.Remember(answer)
		}
	})
}

func TestRedirectsKeepTheCallersFieldsFromOthers(t *testing.T) {
	for name, test := range map[string]struct {
		to, want string
	}{
		"on the same host":      {"https://feed.example/moved", "secret"},
		"to another host":       {"https://elsewhere.example/moved", ""},
		"to the clear":          {"http://feed.example/moved", ""},
		"to another port of it": {"https://feed.example:8443/moved", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := agencytest.New(t)
			server.On("/recalls", agencytest.Answer(http.StatusFound, "", "Location", test.to))
			server.On("/moved", agencytest.JSON(`[]`))
			if _, err := server.Client().Get(t.Context(), feed, http.Header{"Authkey": {"secret"}}); err != nil {
				t.Fatal(err)
			}
			moved := server.Requests()[1]
			if got := moved.Header.Get("AuthKey"); got != test.want {
				t.Errorf("%s was told the key %q, want %q", moved.URL, got, test.want)
			}
			if moved.UserAgent() != agency.DefaultUserAgent {
				t.Errorf("asked as %q", moved.UserAgent())
			}
		})
	}
	t.Run("without an end", func(t *testing.T) {
		server := agencytest.New(t)
		server.On("/recalls", agencytest.Answer(http.StatusFound, "", "Location", feed))
		client := agency.NewClient(agency.ClientOptions{Transport: server, Attempts: 1})
		if _, err := client.Get(t.Context(), feed); err == nil || !strings.Contains(err.Error(), "10 redirects") {
			t.Errorf("error = %v, want one that counts the redirects", err)
		}
	})
}

func TestGetOverTheWire(t *testing.T) {
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
		is      error
	}{
		"gzip is asked for and unpacked": {
			handler: func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept-Encoding") != "gzip" {
					http.Error(w, "no gzip asked for", http.StatusNotAcceptable)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write([]byte(`["packed"]`))
				_ = z.Close()
			},
			want: `["packed"]`,
		},
		"a body shorter than its Content-Length": {
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = w.Write([]byte(`["cut`))
			},
			is: agency.ErrTruncated,
		},
		"gzip that ends in the middle": {
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write([]byte(strings.Repeat(`["packed"]`, 1000)))
				_ = z.Flush()
			},
			is: agency.ErrTruncated,
		},
		"a body without an end": {
			handler: func(w http.ResponseWriter, _ *http.Request) {
				for range 100 {
					if _, err := w.Write(make([]byte, 1024)); err != nil {
						return
					}
				}
			},
			is: agency.ErrTooLarge,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			answer, err := agency.NewClient(agency.ClientOptions{Attempts: 1, MaxBytes: 64 << 10}).Get(t.Context(), server.URL)
			if !errors.Is(err, test.is) {
				t.Fatalf("error = %v, want %v", err, test.is)
			}
			if test.is == nil && string(answer.Body) != test.want {
				t.Errorf("body = %q, want %q", answer.Body, test.want)
			}
		})
	}
}
