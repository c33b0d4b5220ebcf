package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/testenv"
)

// fakeCluster is what testdata/kubectl answers from.
type fakeCluster struct {
	t      *testing.T
	folder string
}

func newCluster(t *testing.T) *fakeCluster {
	t.Helper()
	f := &fakeCluster{t, t.TempDir()}
	t.Setenv("CLUSTER", f.folder)
	return f
}

func (f *fakeCluster) answer(name, content string) {
	f.t.Helper()
	path := filepath.Join(f.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// asked returns what kubectl was asked, with folders and times taken out.
func (f *fakeCluster) asked() []string {
	f.t.Helper()
	content, err := os.ReadFile(filepath.Join(f.folder, "asked"))
	if err != nil {
		f.t.Fatal(err)
	}
	folders := regexp.MustCompile(`/\S+/crownsafe-rollout-\d+/`)
	times := regexp.MustCompile(`-\d{10}`)
	text := times.ReplaceAllString(folders.ReplaceAllString(string(content), ""), "-TIME")
	return strings.Split(strings.TrimSpace(text), "\n")
}

const (
	deployed = `{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"41"}}}`
	complete = `{"status":{"conditions":[{"type":"SuccessCriteriaMet","status":"True"},{"type":"Complete","status":"True"}]}}`
	failed   = `{"status":{"conditions":[{"type":"Failed","status":"True","message":"Job has reached the specified backoff limit"}]}}`
	running  = `{"status":{"conditions":[]}}`

	undo = "rollout undo deployment/crownsafe-api --to-revision 41"
)

// overlay writes manifests as deploy/k8s has them.
func overlay(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, content := range map[string]string{
		"overlays/staging/kustomization.yaml":           "resources: [../../base]\nimages:\n  - {name: crownsafe-api, newName: old/api, newTag: v1}\n  - {name: crownsafe-ops, newName: old/ops, newTag: v1}\n",
		"overlays/staging/migration/kustomization.yaml": "resources: [../../../migration]\nimages:\n  - {name: crownsafe-ops, newName: old/ops, newTag: v1}\n",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "overlays/staging")
}

const (
	apiImage = "crownsafe-api=crownsafe.azurecr.io/crownsafe-api@sha256:aa"
	opsImage = "crownsafe-ops=crownsafe.azurecr.io/crownsafe-ops@sha256:bb"
)

// rollout runs the command with the stand-in.
func rollout(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	args = append([]string{args[0], "-kubectl", "testdata/kubectl", "-every", "1ms", "-timeout", "1m"}, args[1:]...)
	var both bytes.Buffer
	code = realMain(t.Context(), args, &both, &both)
	return code, both.String()
}

func TestRelease(t *testing.T) {
	f := newCluster(t)
	f.answer("get-deployment", deployed)
	f.answer("get-job/1", running)
	f.answer("get-job/2", complete)
	manifests := overlay(t)
	code, said := rollout(t, "release", "-overlay", manifests, "-image", apiImage, "-image", opsImage, "-backup", "--", "true")
	if code != 0 {
		t.Fatalf("status %d\n%s", code, said)
	}
	want := []string{
		"get deployment crownsafe-api --ignore-not-found -o json",
		"create job crownsafe-backup-before-TIME --from cronjob/crownsafe-backup",
		"get job crownsafe-backup-before-TIME -o json",
		"get job crownsafe-backup-before-TIME -o json",
		"delete job crownsafe-migrate --ignore-not-found --wait",
		"apply -k overlays/staging/migration",
		"get job crownsafe-migrate -o json",
		"apply -k overlays/staging",
		"rollout status deployment/crownsafe-api --timeout 1m0s",
	}
	if diff := gocmp.Diff(want, f.asked()); diff != "" {
		t.Errorf("asked of the cluster (-want +got):\n%s", diff)
	}
	applied, err := os.ReadFile(filepath.Join(f.folder, "applied"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"newName: crownsafe.azurecr.io/crownsafe-api", "digest: sha256:aa", "newName: crownsafe.azurecr.io/crownsafe-ops", "digest: sha256:bb"} {
		if !bytes.Contains(applied, []byte(part)) {
			t.Errorf("%q is not in what was applied:\n%s", part, applied)
		}
	}
	if bytes.Contains(applied, []byte("old/")) {
		t.Errorf("the images of before were applied:\n%s", applied)
	}
	if kept, err := os.ReadFile(filepath.Join(manifests, "kustomization.yaml")); err != nil || !bytes.Contains(kept, []byte("old/api")) {
		t.Errorf("the checkout was changed (%v):\n%s", err, kept)
	}
}

// TestAReleaseThatFails is taken back from where it changed something, and stopped
// before where it hadn't.
func TestAReleaseThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		refuse string // a pattern of what the cluster refuses
		job    string // how its jobs stand
		check  string
		says   string
		undone bool
		last   string // what was asked last
	}{
		"the backup fails":    {job: failed, says: "nothing was changed", last: "get job crownsafe-backup-before-TIME -o json"},
		"no backup is begun":  {refuse: "^create job", says: "nothing was changed", last: "create job crownsafe-backup-before-TIME --from cronjob/crownsafe-backup"},
		"the migration fails": {refuse: "^get job crownsafe-migrate", says: "the version before goes on running", last: "get job crownsafe-migrate -o json"},
		"the rollout fails":   {refuse: "^apply .*/staging$", says: "the cluster refuses", undone: true},
		"pods don't come up":  {refuse: "^rollout status", says: "could NOT be brought back", undone: true},
		"the check fails":     {check: "false", says: `the new version fails its check ["false"]`, undone: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newCluster(t)
			f.answer("get-deployment", deployed)
			f.answer("get-job", cmp.Or(test.job, complete))
			if test.refuse != "" {
				f.answer("fail/1", test.refuse)
			}
			code, said := rollout(t, "release", "-overlay", overlay(t), "-image", apiImage, "-image", opsImage, "-backup", "--", cmp.Or(test.check, "true"))
			if code != 1 || !strings.Contains(said, test.says) {
				t.Errorf("status %d\n%s", code, said)
			}
			asked := f.asked()
			if undone := slices.Contains(asked, undo); undone != test.undone {
				t.Errorf("brought back: %t\n%s", undone, strings.Join(asked, "\n"))
			}
			if test.last != "" && asked[len(asked)-1] != test.last {
				t.Errorf("went on after the fault: %q", asked[len(asked)-1])
			}
		})
	}
}

// TestTheFirstRelease has nothing to back up and nothing to go back to, and brings
// what the migration needs before it.
func TestTheFirstRelease(t *testing.T) {
	f := newCluster(t)
	f.answer("get-job", complete)
	code, said := rollout(t, "release", "-overlay", overlay(t), "-image", apiImage, "-image", opsImage, "-backup", "--", "false")
	if code != 1 || !strings.Contains(said, "no version to bring back") {
		t.Errorf("status %d\n%s", code, said)
	}
	want := []string{
		"get deployment crownsafe-api --ignore-not-found -o json",
		"apply -k overlays/staging --selector app.kubernetes.io/component!=api",
		"delete job crownsafe-migrate --ignore-not-found --wait",
		"apply -k overlays/staging/migration",
		"get job crownsafe-migrate -o json",
		"apply -k overlays/staging",
		"rollout status deployment/crownsafe-api --timeout 1m0s",
	}
	if diff := gocmp.Diff(want, f.asked()); diff != "" {
		t.Errorf("asked of the cluster (-want +got):\n%s", diff)
	}
}

// TestTheFirstReleaseCanBeTriedAgain: as long as there is no schema there is no
// deployment either, by which the next attempt would look for something to back up.
func TestTheFirstReleaseCanBeTriedAgain(t *testing.T) {
	f := newCluster(t)
	f.answer("get-job", failed)
	code, said := rollout(t, "release", "-overlay", overlay(t), "-image", apiImage, "-image", opsImage, "-backup", "--", "true")
	asked := f.asked()
	if code != 1 || !strings.Contains(said, "the job crownsafe-migrate failed") || slices.Contains(asked, "apply -k overlays/staging") {
		t.Errorf("status %d\n%s\n%s", code, said, strings.Join(asked, "\n"))
	}
}

// TestACancelledReleaseIsTakenBack, for half of it may be there.
func TestACancelledReleaseIsTakenBack(t *testing.T) {
	f := newCluster(t)
	f.answer("get-deployment", deployed)
	f.answer("get-job", complete)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var said bytes.Buffer
	var code int
	var done sync.WaitGroup
	done.Go(func() {
		code = realMain(ctx, []string{"release", "-kubectl", "testdata/kubectl", "-every", "1ms", "-overlay", overlay(t), "-image", apiImage, "-image", opsImage,
			"--", "sh", "-c", "touch $CLUSTER/checking; exec sleep 60"}, &said, &said)
	})
	testenv.Eventually(t, testenv.Patience, "the check has begun", func() bool {
		_, err := os.Stat(filepath.Join(f.folder, "checking"))
		return err == nil
	})
	cancel()
	done.Wait()
	if asked := f.asked(); code != 1 || !slices.Contains(asked, undo) {
		t.Errorf("status %d\n%s\n%s", code, &said, strings.Join(asked, "\n"))
	}
}

// TestAnImageThatIsForgotten would be rolled out as it was.
func TestAnImageThatIsForgotten(t *testing.T) {
	f := newCluster(t)
	f.answer("get-deployment", deployed)
	code, said := rollout(t, "release", "-overlay", overlay(t), "-image", apiImage, "--", "true")
	if code != 1 || !strings.Contains(said, "needs the image crownsafe-ops") {
		t.Errorf("status %d\n%s", code, said)
	}
}

// jobs is a list of one Job.
func jobs(owner string, begun time.Time, conditions string) string {
	return fmt.Sprintf(`{"items":[{"metadata":{"name":"it","creationTimestamp":%q,"ownerReferences":[{"kind":"CronJob","name":%q}]},%s]}`,
		begun.UTC().Format(time.RFC3339), owner, strings.TrimPrefix(conditions, "{"))
}

func TestBackupOfToday(t *testing.T) {
	const starts = "create job crownsafe-backup-pipeline-TIME --from cronjob/crownsafe-backup"
	midnight := time.Now().UTC().Truncate(24 * time.Hour)
	for name, test := range map[string]struct {
		jobs, job string
		code      int
		started   bool
	}{
		"none has run":              {jobs: `{"items":[]}`, job: complete, started: true},
		"yesterday's is none":       {jobs: jobs("crownsafe-backup", midnight.Add(-time.Second), complete), job: complete, started: true},
		"another's is none":         {jobs: jobs("crownsafe-report", midnight, complete), job: complete, started: true},
		"one that failed is none":   {jobs: jobs("crownsafe-backup", midnight, failed), job: complete, started: true},
		"today's will do":           {jobs: jobs("crownsafe-backup", midnight, complete), job: complete},
		"one that runs is awaited":  {jobs: jobs("crownsafe-backup", midnight, running), job: complete},
		"one that fails is a fault": {jobs: jobs("crownsafe-backup", midnight, running), job: failed, code: 1},
		"ours may fail":             {jobs: `{"items":[]}`, job: failed, started: true, code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newCluster(t)
			f.answer("get-jobs", test.jobs)
			f.answer("get-job", test.job)
			code, said := rollout(t, "backup", "-grace", "0s")
			if code != test.code {
				t.Errorf("status %d\n%s", code, said)
			}
			if started := slices.Contains(f.asked(), starts); started != test.started {
				t.Errorf("started one: %t\n%s", started, strings.Join(f.asked(), "\n"))
			}
		})
	}
}

// TestTheScheduleComesFirst: its job, begun while we wait, is the one.
func TestTheScheduleComesFirst(t *testing.T) {
	f := newCluster(t)
	f.answer("get-jobs/1", `{"items":[]}`)
	f.answer("get-jobs/2", jobs("crownsafe-backup", time.Now(), running))
	f.answer("get-job", complete)
	code, said := rollout(t, "backup", "-grace", "1h")
	want := []string{"get jobs -o json", "get jobs -o json", "get job it -o json"}
	if diff := gocmp.Diff(want, f.asked()); code != 0 || diff != "" {
		t.Errorf("status %d: %s\nasked of the cluster (-want +got):\n%s", code, said, diff)
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		nil, {"undo"}, {"release"}, {"release", "-overlay", "x", "--", "true"}, {"release", "-overlay", "x", "-image", apiImage}, {"backup", "now"},
		{"release", "-overlay", "x", "-image", "crownsafe-api=registry/api:latest", "--", "true"},
	} {
		var said bytes.Buffer
		if code := realMain(t.Context(), args, &said, &said); code != 2 {
			t.Errorf("%q: status %d: %s", args, code, &said)
		}
	}
}
