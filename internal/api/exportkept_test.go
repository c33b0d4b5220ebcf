package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drawer keeps exports in memory, and notes what it was asked for.
type drawer struct {
	kept    map[string][]byte
	broken  error // unless nil, what content ends with before its end
	asked   []string
	written []string
}

func (d *drawer) Open(_ context.Context, name string) (io.ReadCloser, int64, bool) {
	d.asked = append(d.asked, name)
	body, ok := d.kept[name]
	if d.broken != nil {
		half := bytes.NewReader(body[:len(body)/2])
		return io.NopCloser(io.MultiReader(half, failing{d.broken})), int64(len(body)), ok
	}
	return io.NopCloser(bytes.NewReader(body)), int64(len(body)), ok
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (d *drawer) Size(_ context.Context, name string) (int64, bool) {
	d.asked = append(d.asked, name)
	body, ok := d.kept[name]
	return int64(len(body)), ok
}

func (d *drawer) Keep(name string, out io.Writer, write func(io.Writer) error) error {
	d.written = append(d.written, name)
	var body bytes.Buffer
	if err := write(io.MultiWriter(out, &body)); err != nil {
		return err
	}
	d.kept[name] = body.Bytes()
	return nil
}

// fewKept is what tests take for worthKeeping: what is done with an export is the same
// for one that is made at once.
const fewKept = 50

// newLargeBench has so many notices, of which fewKept aren't worth keeping.
func newLargeBench(t *testing.T, notices int) (*bench, *drawer) {
	t.Helper()
	d := &drawer{kept: map[string][]byte{}}
	b := newBench(t, func(deps *Dependencies) { deps.Exports = d })
	b.Handler.(*service).worthKeeping = fewKept
	for i := len(fixture()); i < notices; i++ {
		n := fixture()[6]
		n.ID = fmt.Sprintf("us-cpsc:27-%04d", i)
		b.store.put(n, start)
	}
	b.loadAs(t, "the store")
	if got := b.Current().Len(); got != notices {
		t.Fatalf("the bench has %d notices, want %d", got, notices)
	}
	return b, d
}

func TestAnExportIsMadeOnceAndThenSent(t *testing.T) {
	t.Parallel()
	b, d := newLargeBench(t, fewKept+1)
	first := b.get(t, exportPath)
	unpackExport(t, first.body)
	if len(d.written) != 1 || !strings.HasPrefix(d.written[0], fmt.Sprintf("recalls-%d-", b.Current().Serial())) {
		t.Fatalf("kept as %q", d.written)
	}
	second := b.get(t, exportPath)
	if len(d.written) != 1 || !bytes.Equal(first.body, second.body) {
		t.Errorf("made %d times; %d and %d bytes", len(d.written), len(first.body), len(second.body))
	}
	if second.ContentLength != int64(len(first.body)) {
		t.Errorf("length %d of %d", second.ContentLength, len(first.body))
	}
	for _, h := range []http.Header{first.Header, second.Header} {
		for _, name := range []string{"Content-Length", "X-Request-Id", "Traceparent"} {
			h.Del(name)
		}
	}
	if diff := cmp.Diff(first.Header, second.Header); diff != "" {
		t.Errorf("headers (-made +kept):\n%s", diff)
	}
	head := b.do(t, http.MethodHead, exportPath, "")
	if head.StatusCode != http.StatusOK || head.Header.Get("Content-Length") != fmt.Sprint(len(first.body)) || len(head.body) != 0 {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	asked := len(d.asked)
	if r := b.get(t, exportPath, "If-None-Match", first.Header.Get("ETag")); r.StatusCode != http.StatusNotModified || len(d.asked) != asked {
		t.Errorf("what the client has: %d, looked for %d times", r.StatusCode, len(d.asked)-asked)
	}
}

func TestHeadOfAnExportThatIsNotKept(t *testing.T) {
	t.Parallel()
	b, d := newLargeBench(t, fewKept+1)
	head := b.do(t, http.MethodHead, exportPath, "")
	if head.StatusCode != http.StatusOK || head.Header.Get("Content-Length") != "" || len(d.written) != 0 {
		t.Errorf("%d %v, made %q", head.StatusCode, head.Header, d.written)
	}
}

func TestSmallAndNamelessExportsAreNotKept(t *testing.T) {
	t.Parallel()
	small, d := newLargeBench(t, fewKept)
	unpackExport(t, small.get(t, exportPath).body)
	if len(d.asked)+len(d.written) != 0 {
		t.Errorf("a small one: looked for %q, kept %q", d.asked, d.written)
	}
	nameless, d := newLargeBench(t, fewKept+1)
	nameless.loadAs(t, "") // nobody can tell which store it is of
	if r := nameless.get(t, exportPath); r.StatusCode != http.StatusOK || len(d.asked)+len(d.written) != 0 {
		t.Errorf("a nameless one: %d, looked for %q, kept %q", r.StatusCode, d.asked, d.written)
	}
}

// Whatever an export's bytes depend on is in its name.
func TestNamesOfKeptExports(t *testing.T) {
	t.Parallel()
	name := func(change func(*bench)) string {
		t.Helper()
		b, d := newLargeBench(t, fewKept+1)
		change(b)
		if r := b.get(t, exportPath); r.StatusCode != http.StatusOK || len(d.written) != 1 {
			t.Fatalf("%d, kept as %q", r.StatusCode, d.written)
		}
		return d.written[0]
	}
	names := []string{
		name(func(*bench) {}),
		name(func(b *bench) { b.loadAs(t, "another store") }),
		name(func(b *bench) { b.store.put(fixture()[1], start); b.loadAs(t, "the store") }),
		name(func(b *bench) { b.sources.licence = "another licence" }),
	}
	if again := name(func(b *bench) { b.sources.state = "stale" }); again != names[0] {
		t.Errorf("%s when a source is late, %s when not", again, names[0])
	}
	slices.Sort(names)
	if distinct := slices.Compact(names); len(distinct) != 4 {
		t.Errorf("names %q", names)
	}
}

func TestAKeptExportThatBreaksOffIsCut(t *testing.T) {
	t.Parallel()
	b, d := newLargeBench(t, fewKept+1)
	whole := b.get(t, exportPath)
	d.broken = errors.New("the object is damaged")
	rec := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || rec.Body.Len() >= len(whole.body) {
			t.Errorf("recovered %v after %d of %d bytes", v, rec.Body.Len(), len(whole.body))
		}
		if log := b.log.String(); !strings.Contains(log, "an export broke off") {
			t.Errorf("the log: %s", log)
		}
	}()
	b.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, exportPath, nil))
}

func TestAnExportThatTheClientLeftIsNotKept(t *testing.T) {
	t.Parallel()
	b, d := newLargeBench(t, fewKept+1)
	ctx, cancel := context.WithCancel(t.Context())
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || len(d.written) != 1 || len(d.kept) != 0 {
			t.Errorf("recovered %v; kept %d", v, len(d.kept))
		}
	}()
	b.ServeHTTP(&hangUp{ResponseRecorder: httptest.NewRecorder(), cancel: cancel}, httptest.NewRequest(http.MethodGet, exportPath, nil).WithContext(ctx))
}
