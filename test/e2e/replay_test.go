package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/test/program"
)

func TestReplayWithTheSameProgramChangesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	broken := program.CPSCRecall(3, program.CPSCDescription(3))
	broken["RecallDate"], broken["LastPublishDate"] = "soon", ""
	for _, file := range []string{
		program.CPSCFile(t, 300),
		program.WriteJSON(t, "edited.json", []any{program.CPSCRecall(1, program.CPSCDescription(1)+" The recall now covers white cribs as well."), broken}),
	} {
		if got := program.Run(t, nil, "import", file, "--data", data); got.Code != 0 {
			t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
		}
	}
	before := dump(t, data)
	got := program.Run(t, nil, "replay", "us-cpsc", "--json", "--data", data)
	var report struct {
		Agency, State                                       string
		Payloads, Read, Added, Revised, Rejected, Unchanged int
		Faults                                              []any
	}
	if err := json.Unmarshal([]byte(got.Stdout), &report); err != nil || got.Code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", got.Code, err, got.Stdout, got.Stderr)
	}
	if report.Agency != "us-cpsc" || report.State != "done" || report.Payloads != 2 || report.Read != 302 || report.Added+report.Revised != 0 || report.Rejected != 1 || report.Faults == nil {
		t.Errorf("%+v", report)
	}
	if diff := cmp.Diff(before, dump(t, data)); diff != "" {
		t.Errorf("the replay changed notices:\n%s", diff)
	}
	if got := program.Run(t, nil, "replay", "us-cpsc", "--data", data); got.Code != 0 || !strings.Contains(got.Stdout, "0 revised") {
		t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	for _, args := range [][]string{{"replay"}, {"replay", "us-cspc"}} {
		if got := program.Run(t, nil, append(args, "--data", data)...); got.Code != 2 {
			t.Errorf("%v: exit %d, %q", args, got.Code, got.Stderr)
		}
	}
}
