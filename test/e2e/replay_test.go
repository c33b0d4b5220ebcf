package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplayWithTheSameProgramChangesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	broken := cpscRecall(3, cpscDescription(3))
	broken["RecallDate"], broken["LastPublishDate"] = "soon", ""
	for _, file := range []string{
		cpscFile(t, 300),
		writeJSON(t, "edited.json", []any{cpscRecall(1, cpscDescription(1)+" The recall now covers white cribs as well."), broken}),
	} {
		if got := run(t, nil, "import", file, "--data", data); got.code != 0 {
			t.Fatalf("exit %d\n%s", got.code, got.stderr)
		}
	}
	before := dump(t, data)
	got := run(t, nil, "replay", "us-cpsc", "--json", "--data", data)
	var report struct {
		Agency, State                                       string
		Payloads, Read, Added, Revised, Rejected, Unchanged int
		Faults                                              []any
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || got.code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", got.code, err, got.stdout, got.stderr)
	}
	if report.Agency != "us-cpsc" || report.State != "done" || report.Payloads != 2 || report.Read != 302 || report.Added+report.Revised != 0 || report.Rejected != 1 || report.Faults == nil {
		t.Errorf("%+v", report)
	}
	if diff := cmp.Diff(before, dump(t, data)); diff != "" {
		t.Errorf("the replay changed notices:\n%s", diff)
	}
	if got := run(t, nil, "replay", "us-cpsc", "--data", data); got.code != 0 || !strings.Contains(got.stdout, "0 revised") {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	for _, args := range [][]string{{"replay"}, {"replay", "us-cspc"}} {
		if got := run(t, nil, append(args, "--data", data)...); got.code != 2 {
			t.Errorf("%v: exit %d, %q", args, got.code, got.stderr)
		}
	}
}
