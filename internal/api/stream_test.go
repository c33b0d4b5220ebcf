package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
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

// TestEventsEndWithTheirListenersRights, whoever takes those away: within the time
// after which it is asked again who listens. Others' streams go on.
func TestEventsEndWithTheirListenersRights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t, straight, func(d *Dependencies) { d.Now, d.Pages = time.Now, pages{listening} })
		here := p.service().Accounts
		elsewhere := accountsIn(p.kept, &p.service().Dependencies) // another process, or the command line
		bearer := func(u *somebody) []string { return u.shows }
		key := func(u *somebody) []string { return []string{"X-API-Key", u.keys[auth.ScopeMonitor]} }
		cookie := func(u *somebody) []string {
			return []string{"Cookie", here.CookieName() + "=" + p.signedIn(t, u, "")}
		}
		operators := func(*somebody) []string {
			given, err := here.OperatorCookie(t.Context(), operatorsToken, auth.Origin{})
			if err != nil {
				t.Error(err)
			}
			return []string{"Cookie", here.CookieName() + "=" + given}
		}
		disable := func(in *auth.Service) func(*somebody, []string) error {
			return func(u *somebody, _ []string) error { return in.Disable(t.Context(), u.Email) }
		}
		demote := func(in *auth.Service) func(*somebody, []string) error {
			return func(u *somebody, _ []string) error { return in.SetRole(t.Context(), u.Email, account.Member) }
		}
		remove := func(in *auth.Service) func(*somebody, []string) error {
			return func(u *somebody, _ []string) error { return in.DeleteUser(t.Context(), u.Email) }
		}
		signOut := func(in *auth.Service) func(*somebody, []string) error {
			return func(_ *somebody, shows []string) error {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set(shows[0], shows[1])
				caller, err := in.Authenticate(t.Context(), p.service().credentials(r))
				return errors.Join(err, in.Logout(t.Context(), caller, auth.Origin{}))
			}
		}
		open := map[string]*stream{}
		for name, c := range map[string]struct {
			shows func(*somebody) []string
			then  func(*somebody, []string) error // nil: nothing happens
		}{
			"signed out here":                  {bearer, signOut(here)},
			"signed out elsewhere":             {bearer, signOut(elsewhere)},
			"a browser, signed out here":       {cookie, signOut(here)},
			"a browser, signed out elsewhere":  {cookie, signOut(elsewhere)},
			"the operator's browser, here":     {operators, signOut(here)},
			"the operator's browser elsewhere": {operators, signOut(elsewhere)},
			"disabled here":                    {bearer, disable(here)},
			"disabled elsewhere":               {cookie, disable(elsewhere)},
			"a disabled user's key":            {key, disable(elsewhere)},
			"demoted here":                     {bearer, demote(here)},
			"demoted elsewhere":                {cookie, demote(elsewhere)},
			"a demoted user's key":             {key, demote(elsewhere)},
			"deleted elsewhere":                {cookie, remove(elsewhere)},
			"an operator to whom nothing is":   {bearer, nil},
			"a browser to which nothing is":    {cookie, nil},
			"a key to which nothing is":        {key, nil},
		} {
			u := p.newUser(t, account.Operator)
			shows := c.shows(u)
			open[name] = p.listen(shows)
			if c.then != nil {
				open[name].then = func() error { return c.then(u, shows) }
			}
		}
		time.Sleep(time.Minute)
		for name, s := range open {
			if s.over() {
				t.Errorf("%s: the stream ended before anything happened, with %d", name, s.answer.Code)
			} else if s.then != nil {
				if err := s.then(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		time.Sleep(lookAgain)
		synctest.Wait()
		for name, s := range open {
			if ended := s.over(); ended != (s.then != nil) {
				t.Errorf("%s: ended %t, %s afterwards", name, ended, lookAgain)
			}
			s.leave()
		}
	})
}

// stream is an answer that goes on.
type stream struct {
	answer *httptest.ResponseRecorder
	ended  <-chan struct{}
	leave  func()
	then   func() error
}

// over reports that the answer has ended.
func (s *stream) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// listen asks for the events, and shows something.
func (p *people) listen(shows []string) *stream {
	ctx, leave := context.WithCancel(context.Background())
	ended := make(chan struct{})
	s := &stream{answer: httptest.NewRecorder(), ended: ended, leave: leave}
	r := httptest.NewRequest("GET", "/ops/events", nil).WithContext(ctx)
	r.Header.Set(shows[0], shows[1])
	go func() {
		defer close(ended)
		p.ServeHTTP(s.answer, r)
	}()
	return s
}
