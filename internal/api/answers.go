package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// Bounds of the memory for answers.
const (
	answersBytes    = 32 << 20
	answerBytes     = 1 << 20 // one larger than this is not kept
	answerURIBytes  = 1 << 10 // nor one to a longer address
	answerOverhead  = 512     // what an entry weighs besides its body and its key
	etagDigestBytes = 12
)

// answers keeps the bodies of reads in memory. An entry is good while the
// catalogue's serial, with what it stands for, and the sources' states are those
// that it was made from and, where it tells ages, within the second in which it
// was made.
type answers struct {
	kept   *otter.Cache[string, *kept]
	states atomic.Pointer[states]
}

// kept is one answer, with its headers ready to send.
type kept struct {
	route  string
	states *states
	aged   bool // tells ages
	etag   string
	body   []byte
	// verdict is the one that the answer is; empty: it is none.
	verdict recall.Outcome

	etagHeader, serialHeader, lengthHeader []string
}

// states is what an answer depends on besides the request. It is made anew at
// most once a second, because asking all sources costs more than an answer.
type states struct {
	snap        int64  // serial
	dataset     string // what the serial stands for: see Edition
	second      int64
	fingerprint string
}

// newAnswers makes a memory for answers of at most so many bytes.
func newAnswers(bytes uint64) *answers {
	return &answers{kept: otter.Must(&otter.Options[string, *kept]{
		MaximumWeight: bytes,
		Weigher: func(uri string, k *kept) uint32 {
			return uint32(len(uri) + len(k.body) + answerOverhead)
		},
	})}
}

// statesOf returns the states now, from memory within the same second and edition.
func (s *service) statesOf(snap *catalogue.Snapshot) *states {
	second := s.Now().Unix()
	if now := s.answers.states.Load(); now != nil && now.second == second && s.isOf(now, snap) {
		return now
	}
	edition, _ := s.editionOf(snap)
	now := &states{snap: snap.Serial(), dataset: edition.Dataset, second: second, fingerprint: s.Sources.Fingerprint(snap)}
	s.answers.states.Store(now)
	return now
}

// isOf reports whether states are of what a snapshot holds. The serial alone
// doesn't say: another store, or the same after a backup was restored, reaches
// the same number with other notices.
func (s *service) isOf(st *states, snap *catalogue.Snapshot) bool {
	edition, _ := s.editionOf(snap)
	return st.snap == snap.Serial() && st.dataset == edition.Dataset
}

// remembered returns the kept answer to a request, nil when there is none that
// is good now.
func (s *service) remembered(r *http.Request) *kept {
	if (r.Method != http.MethodGet && r.Method != http.MethodHead) || len(r.RequestURI) > answerURIBytes {
		return nil
	}
	k, ok := s.answers.kept.GetIfPresent(r.RequestURI)
	if !ok {
		return nil
	}
	snap := s.Catalogue.Current()
	if !s.isOf(k.states, snap) {
		return nil
	}
	now := s.statesOf(snap)
	if k.states.fingerprint != now.fingerprint || k.aged && k.states.second != now.second {
		return nil
	}
	return k
}

// send writes a kept answer and returns its status and size.
func (k *kept) send(w http.ResponseWriter, r *http.Request, wants string) (status int, size int64) {
	h := w.Header()
	h["Etag"] = k.etagHeader
	h["Cache-Control"] = readCaching
	h["Crown-Safe-Serial"] = k.serialHeader
	if wants != "" && matchesTag(wants, k.etag) {
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified, 0
	}
	h["Content-Type"] = jsonType
	h["Content-Length"] = k.lengthHeader
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return http.StatusOK, 0
	}
	n, _ := w.Write(k.body) // the client may be gone
	return http.StatusOK, int64(n)
}

// answer is what every read returns to huma: JSON encoded once, with its validators.
type answer struct {
	Status   int
	Type     string `header:"Content-Type" hidden:"true"`
	Length   string `header:"Content-Length" hidden:"true"`
	ETag     string `header:"ETag" doc:"weak; ages in the answer don't change it"`
	Caching  string `header:"Cache-Control"`
	Serial   int64  `header:"Crown-Safe-Serial" doc:"serial of the catalogue that the answer was read from"`
	Location string `header:"Content-Location" hidden:"true"`
	Body     []byte
}

// reading says how one read is answered.
type reading struct {
	key      string                 // the request, normalised, with the operation's name
	aged     bool                   // the answer tells ages
	shared   bool                   // other processes may have the body, or may want it
	class    int                    // what it costs; see SharedQuestion
	unkept   bool                   // the answer is not kept: it comes from the store, or there is no catalogue yet
	location string                 // Content-Location, where it isn't the request's
	compute  func() ([]byte, error) // makes the body
	verdict  *recall.Outcome        // the one that the body is, when it was computed; nil: it is none
}

// read answers a read: 304 without computing anything when the caller has the
// answer, else the computed body, which is kept for the next caller.
func (s *service) read(ctx context.Context, snap *catalogue.Snapshot, rd reading) (*answer, error) {
	states := s.statesOf(snap)
	x := exchangeOf(ctx)
	a := &answer{Status: http.StatusNotModified, ETag: s.etag(states, rd.key), Caching: readCaching[0], Serial: states.snap, Location: rd.location}
	if namesTag(x.wants, a.ETag) {
		return a, nil
	}
	body, err := s.body(ctx, snap, a.ETag, &rd)
	if err != nil {
		return nil, err
	}
	if !rd.unkept && len(x.uri) <= answerURIBytes && len(body) <= answerBytes && x.uri != "" {
		s.keep(x, rd, states, a, body)
	}
	if matchesTag(x.wants, a.ETag) { // "*", now that the answer is known to exist
		return a, nil
	}
	a.carry(body)
	return a, nil
}

// carry makes the answer a 200 with a body.
func (a *answer) carry(body []byte) {
	a.Status, a.Type, a.Length, a.Body = http.StatusOK, jsonType[0], strconv.Itoa(len(body)), body
}

func (s *service) keep(x *exchange, rd reading, states *states, a *answer, body []byte) {
	k := &kept{
		route: x.route, states: states, aged: rd.aged, etag: a.ETag, body: body,
		etagHeader: []string{a.ETag}, serialHeader: []string{strconv.FormatInt(a.Serial, 10)},
		lengthHeader: []string{strconv.Itoa(len(body))},
	}
	if rd.verdict != nil {
		k.verdict = *rd.verdict
	}
	s.answers.kept.Set(x.uri, k)
}

// etag makes the weak validator of an answer. The program's version is in it
// because another version may word the same facts in another way.
func (s *service) etag(st *states, key string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s\n%s\n%s", s.Version, st.snap, st.dataset, st.fingerprint, key))
	return `W/"` + hex.EncodeToString(sum[:etagDigestBytes]) + `"`
}

// matchesTag reports whether an If-None-Match names a tag, by the weak
// comparison of RFC 9110, section 13.1.2; "*" names every one.
func matchesTag(wants, tag string) bool {
	return strings.TrimSpace(wants) == "*" || namesTag(wants, tag)
}

func namesTag(wants, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for candidate := range strings.SplitSeq(wants, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == opaque {
			return true
		}
	}
	return false
}

// encode makes JSON as it goes over the wire: UTF-8, nothing escaped that needn't be.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding %T: %w", v, err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
