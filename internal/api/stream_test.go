package api

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// listening answers /ops/events until the request's context ends.
var listening = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	<-r.Context().Done()
})

// TestEventsEnd when their listener's token is good no more, and in any case in time.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var token atomic.Pointer[string]
		first, second := operatorsToken, "another operator's token"
		token.Store(&first)
		b := wholeBench(t, func(d *Dependencies) {
			d.Authenticator, d.Pages, d.Operators = nil, pages{listening}, Operators{Token: func() string { return *token.Load() }}
		})
		listen := func() <-chan time.Duration {
			ended, began := make(chan time.Duration, 1), time.Now()
			r := httptest.NewRequest("GET", "/ops/events", nil)
			show(r, "Bearer "+*token.Load())
			go func() {
				if res := b.answer(r); res.StatusCode != http.StatusOK {
					t.Errorf("%d", res.StatusCode)
				}
				ended <- time.Since(began)
			}()
			return ended
		}
		ended := listen()
		time.Sleep(time.Minute)
		token.Store(&second)
		if took := <-ended; took > time.Minute+lookAgain {
			t.Errorf("a stream goes on for %s after the token has changed", took-time.Minute)
		}
		var all []<-chan time.Duration
		for range streamsOfOne {
			all = append(all, listen())
		}
		synctest.Wait()
		if res := b.call("192.0.2.1:1234", "GET /ops/events", "Bearer "+second); res.StatusCode != http.StatusTooManyRequests {
			t.Errorf("one more stream: %d", res.StatusCode)
		}
		for _, ended := range all {
			if took := <-ended; took != streamLasts {
				t.Errorf("a stream lasts %s", took)
			}
		}
	})
}
