// Command rollout brings a release into a Kubernetes cluster, and sees to it that
// the day's backup is there. The pipeline calls it, and whoever stands in for the
// pipeline does so by hand:
//
//	go run ./deploy/rollout release -overlay deploy/k8s/overlays/staging \
//		-image crownsafe-api=REGISTRY/crownsafe-api@sha256:… -image crownsafe-ops=REGISTRY/crownsafe-ops@sha256:… \
//		-backup -- make smoke URL=https://staging.crownsafe.com
//	go run ./deploy/rollout backup
//
// release makes a backup, runs the migration, rolls the new version out, and runs
// the command after "--" against it; when the rollout or the command fails, the
// version before is brought back, and the exit status is 1. The schema stays: a
// migration only adds, so that the version before runs on it.
//
// backup waits for the backup that the cluster's own schedule makes today (UTC),
// starts one when there is none, and exits 0 when one was made and verified.
//
// It asks kubectl, with the context that kubectl has. It must not know what is
// inside the images, nor anything of the cloud that the cluster is in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `usage: rollout release -overlay FOLDER -image NAME=REFERENCE... [-backup] [-timeout DURATION] -- COMMAND...
       rollout backup [-grace DURATION] [-timeout DURATION]`

// errUsage is what a wrong command line is answered with.
var errUsage = errors.New(usage)

func realMain(ctx context.Context, args []string, out, faults io.Writer) int {
	err := run(ctx, args, out)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintln(faults, err)
		return 2
	case err != nil:
		fmt.Fprintln(faults, "rollout:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	c := &cluster{kubectl: "kubectl", namespace: "crownsafe", out: out, every: 5 * time.Second, now: time.Now}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.kubectl, "kubectl", c.kubectl, "the `program` to ask")
	flags.DurationVar(&c.every, "every", c.every, "how often to look how a job stands")
	flags.DurationVar(&c.timeout, "timeout", 2*time.Hour, "how long each job may take")
	switch args[0] {
	case "release":
		r := release{cluster: c}
		flags.StringVar(&r.overlay, "overlay", "", "the `folder` of the environment's kustomization")
		flags.Func("image", "NAME=REFERENCE of an image", r.addImage)
		flags.BoolVar(&r.backup, "backup", false, "make a backup first")
		if err := flags.Parse(args[1:]); err != nil || r.overlay == "" || len(r.images) == 0 || flags.NArg() == 0 {
			return errUsage
		}
		r.check = flags.Args()
		return r.run(ctx)
	case "backup":
		grace := flags.Duration("grace", 10*time.Minute, "how long to wait for the schedule's own job")
		if err := flags.Parse(args[1:]); err != nil || flags.NArg() > 0 {
			return errUsage
		}
		return c.backupOfToday(ctx, *grace)
	}
	return errUsage
}

// addImage reads NAME=REFERENCE. Only a digest says for certain which image it is.
func (r *release) addImage(argument string) error {
	name, reference, found := strings.Cut(argument, "=")
	repository, digest, pinned := strings.Cut(reference, "@")
	if !found || !pinned || name == "" || repository == "" || !strings.HasPrefix(digest, "sha256:") {
		return fmt.Errorf("%q is not NAME=REPOSITORY@sha256:…", argument)
	}
	r.images = append(r.images, image{Name: name, NewName: repository, Digest: digest})
	return nil
}
