package chaos

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// takenOverWithin is how long an agency may wait after the death of the process
// that was asking it.
const takenOverWithin = 30 * time.Second

// agencies are those of the world behind one address, of which one answers. Its
// first answer is held back until it is let go.
type agencies struct {
	*httptest.Server
	asked, atOnce, most atomic.Int64
	first               chan struct{} // closed when the first question is there
	letGo               chan struct{}
}

func startAgencies(t *testing.T) *agencies {
	t.Helper()
	recalls, err := json.Marshal([]any{program.CPSCRecall(1, program.CPSCDescription(1)), program.CPSCRecall(2, program.CPSCDescription(2))})
	if err != nil {
		t.Fatal(err)
	}
	a := &agencies{first: make(chan struct{}), letGo: make(chan struct{})}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/cpsc") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		a.most.Store(max(a.most.Load(), a.atOnce.Add(1)))
		defer a.atOnce.Add(-1)
		if a.asked.Add(1) == 1 {
			close(a.first)
			select {
			case <-a.letGo:
			case <-r.Context().Done(): // whoever asked is dead
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(recalls) // the client may have gone
	}))
	t.Cleanup(a.Close)
	return a
}

// settings send every poll there, and switch polling on.
func (a *agencies) settings() []string {
	list := []string{"CROWNSAFE_OFFLINE=0"}
	for _, code := range []string{
		"AU_ACCC", "CA_HC", "DE_LMW", "EU_SAFETY_GATE", "FR_RAPPELCONSO", "KR_KATS", "NZ_MBIE", "UK_FSA", "UK_OPSS", "US_FDA", "US_FSIS", "US_NHTSA",
	} {
		list = append(list, "CROWNSAFE_FEED_"+code+"="+a.URL+"/none")
	}
	return append(list, "CROWNSAFE_FEED_US_CPSC="+a.URL+"/cpsc")
}

// TestOneOfTwoIngests: of two processes on one database one asks an agency and
// the other steps aside; when the first is killed the other takes over, and
// nothing is doubled.
func TestOneOfTwoIngests(t *testing.T) {
	t.Parallel()
	db, world := startDatabase(t), startAgencies(t)
	settings := append(world.settings(), db.setting())
	first := program.Serve(t, t.TempDir(), settings...)
	<-world.first // by the first, which alone is there
	second := program.Serve(t, t.TempDir(), settings...)
	whole(t, second)
	got := program.Run(t, settings, "sync", "us-cpsc", "--data", t.TempDir())
	if !strings.Contains(got.Stdout, "another process") {
		t.Errorf("sync beside a poll ended with %d: %s%s", got.Code, got.Stdout, got.Stderr)
	}
	if n := world.asked.Load(); n != 1 {
		t.Errorf("the agency was asked %d times while one was at it", n)
	}
	first.Kill()
	testenv.Eventually(t, takenOverWithin, "the other process asks the agency", func() bool { return world.asked.Load() > 1 })
	for _, i := range []int{1, 2} {
		testenv.Eventually(t, program.Patience, "the notices are served", func() bool { return status(t, second, "/api/v1/recalls/"+program.CPSCID(i)) == http.StatusOK })
		var notice struct{ Revision int }
		if second.Get("/api/v1/recalls/"+program.CPSCID(i), &notice); notice.Revision != 1 {
			t.Errorf("%s is at revision %d", program.CPSCID(i), notice.Revision)
		}
	}
	if world.most.Load() > 1 {
		t.Errorf("%d asked the agency at once", world.most.Load())
	}
}

// TestAnotherProcessSeesANewSerial: what one process stores is served by another
// by itself, also after the connection was cut by which it hears of it.
func TestAnotherProcessSeesANewSerial(t *testing.T) {
	t.Parallel()
	db := startDatabase(t)
	s := program.Serve(t, t.TempDir(), db.setting())
	whole(t, s)
	for round := range 3 {
		db.notices++
		if got := program.Run(t, []string{db.setting()}, "import", db.file(), "--data", t.TempDir()); got.Code != 0 {
			t.Fatalf("the import ended with %d: %s", got.Code, got.Stderr)
		}
		testenv.Eventually(t, program.Patience, "the notice is served", func() bool {
			return status(t, s, "/api/v1/recalls/"+program.CPSCID(db.notices)) == http.StatusOK
		})
		if round == 0 {
			db.execute(hangUp)
		}
	}
}
