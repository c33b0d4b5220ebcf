package docs

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/test/program"
)

const opsToken = "Zp4Qm8vT1xK7rW2nC9dJ5hB3yF6sL0aG"

// stage is a server between whoever asks and the real program. It gives the program the
// live secrets and ids where examples have others in their place, and normalises what
// the program answers, so that every run of the same questions has the same answers.
type stage struct {
	*httptest.Server
	t       *testing.T
	program *program.Server
	data    string
	n       normaliser

	mu     sync.Mutex
	live   map[string]string // by what stands for it
	stands map[string]string // of ids, by the live one
}

// startStage starts one, with a program of its own.
func startStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, data: t.TempDir(), live: map[string]string{}, stands: map[string]string{}}
	s.n = normaliser{start: time.Now(), learned: s.learn, id: s.standIn}
	s.program = program.Serve(t, s.data, "CROWNSAFE_OPS_TOKEN="+opsToken)
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stage) learn(key, value string) {
	switch key {
	case "access_token":
		s.live[placeholderAccess] = value
	case "refresh_token":
		s.live[placeholderRefresh] = value
	case "key":
		s.live[placeholderKey] = value
	}
}

func (s *stage) standIn(live string) string {
	if strings.HasPrefix(live, standingFor) {
		return live // it stands for one already
	}
	if s.stands[live] == "" {
		s.stands[live] = id(len(s.stands) + 1)
		s.live[s.stands[live]] = live
	}
	return s.stands[live]
}

// revive puts the live values in the places of those that stand for them.
func (s *stage) revive(text string) string {
	for stand, live := range s.live {
		text = strings.ReplaceAll(text, stand, live)
	}
	return text
}

// ServeHTTP implements http.Handler.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock() // one question at a time: the next one may need this answer
	defer s.mu.Unlock()
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("reading what was sent to %s: %v", r.URL.Path, err)
	}
	if strings.Contains(string(sent), placeholderLetter) && s.live[placeholderLetter] == "" {
		s.live[placeholderLetter] = letter(s.t, s.data)
	}
	target, err := url.Parse(s.program.Base + s.revive(r.URL.RequestURI()))
	if err != nil {
		s.t.Errorf("the address %s: %v", r.URL, err)
	}
	req := &http.Request{Method: r.Method, URL: target, Header: r.Header.Clone(), Body: io.NopCloser(strings.NewReader(s.revive(string(sent))))}
	for name := range req.Header {
		req.Header.Set(name, s.revive(req.Header.Get(name)))
	}
	req.ContentLength = int64(len(s.revive(string(sent))))
	req.Header.Del("Accept-Encoding") // the transport asks for its own and unpacks it
	resp, err := http.DefaultTransport.RoundTrip(req.WithContext(r.Context()))
	if err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	s.pass(w, resp, answer)
}

// pass answers what the program did, normalised.
func (s *stage) pass(w http.ResponseWriter, resp *http.Response, answer []byte) {
	kind := resp.Header.Get("Content-Type")
	if strings.Contains(kind, "json") && len(answer) > 0 {
		var err error
		if answer, err = s.n.rewrite(answer); err != nil {
			s.t.Error(err)
		}
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, bytes.NewReader(answer)) // the client may be gone
}
