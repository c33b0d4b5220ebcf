package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crownsafe/api/test/program"
)

// dump is what a data directory holds, notice by notice, without what differs
// from one run to the next: serials and times of seeing.
func dump(t *testing.T, data string) map[string]map[string]any {
	t.Helper()
	s := program.Serve(t, data)
	defer s.Kill()
	notices := map[string]map[string]any{}
	for since := int64(0); ; {
		var page struct {
			Items []struct {
				ID, Change string
				Serial     int64
				Notice     map[string]any
			}
			NextSince int64 `json:"next_since"`
			More      bool
		}
		s.Get(fmt.Sprintf("/api/v1/changes?since=%d&limit=1000", since), &page)
		for _, item := range page.Items {
			if item.Serial <= since {
				t.Fatalf("serial %d after %d", item.Serial, since)
			}
			since = item.Serial
			if _, doubled := notices[item.ID]; doubled {
				t.Fatalf("%s stands twice in the feed", item.ID)
			}
			delete(item.Notice, "first_seen_at")
			if provenance, ok := item.Notice["provenance"].(map[string]any); ok {
				delete(provenance, "fetched_at")
			}
			notices[item.ID] = item.Notice
		}
		since = max(since, page.NextSince)
		if !page.More {
			return notices
		}
	}
}

// imported leaves out the starter entries.
func imported(notices map[string]map[string]any) map[string]map[string]any {
	list := map[string]map[string]any{}
	for id, n := range notices {
		if strings.HasPrefix(id, "us-cpsc:6") {
			list[id] = n
		}
	}
	return list
}
