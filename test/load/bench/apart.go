package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/test/load/remote"
)

// The parts that are measured in a process of their own, so that nothing else
// lies in its memory or waits for its garbage collector.
const (
	partInside   = "inside"
	partApply    = "apply"
	partCopy     = "copy"
	partUploads  = "uploads"
	partMetadata = "metadata"
)

const (
	uploads    = 1000
	uploadSize = megabyte
	singles    = 20 // uploads one after the other
	goalUpload = time.Second
	objects    = 500 // of which metadata are asked for
)

// filled is how fast a store was filled.
type filled = remote.Stored

// apart runs this command again to measure a part on a folder, with the settings
// in env, and reads its result.
func (r *run) apart(ctx context.Context, name, folder string, env []string, result any) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this command: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-part", name, "-folder", folder, "-real", r.real)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("measuring %s in a process of its own: %w\n%s", name, err, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), result); err != nil {
		return fmt.Errorf("reading what was measured of %s: %w", name, err)
	}
	return nil
}

// measurePart measures a part in this process, which does nothing else, and
// writes the result as JSON.
func measurePart(ctx context.Context, s settings, name, folder string, out io.Writer) error {
	cfg, err := config.Load(ctx, os.LookupEnv)
	if err != nil {
		return err
	}
	cfg.Data, cfg.Offline = folder, true
	var result any
	switch name {
	case partInside:
		result, err = measureInside(ctx, s, folder)
	case partApply:
		result, err = remote.Apply(ctx, cfg, folder)
	case partCopy:
		result, err = remote.Copy(ctx, cfg, folder)
	case partUploads:
		result, err = uploadMany(ctx, cfg, folder)
	case partMetadata:
		result, err = remote.AskMetadata(ctx, cfg, objects)
	default:
		err = fmt.Errorf("there is no part %q", name)
	}
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(result); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// uploaded is what many uploads needed.
type uploaded struct {
	Stored     int
	Idle, Peak int64 // bytes resident
	Took       time.Duration
	Single     []time.Duration // one after the other
}

// uploadMany uploads everything at once. What is idle has done everything before
// in small.
func uploadMany(ctx context.Context, cfg config.Config, folder string) (u uploaded, err error) {
	uploader, err := remote.OpenUploader(ctx, cfg, folder)
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, uploader.Close(ctx)) }()
	for i := range singles {
		begin := time.Now()
		if err := uploader.All(ctx, fmt.Sprintf("single/%d/", i), 1, uploadSize); err != nil {
			return u, err
		}
		u.Single = append(u.Single, time.Since(begin))
	}
	debug.FreeOSMemory()
	// 5 makes the present size the highest that ever was: proc_pid_clear_refs(5).
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return u, fmt.Errorf("forgetting the highest memory: %w", err)
	}
	if u.Idle, _, err = resident("self"); err != nil {
		return u, err
	}
	begin := time.Now()
	if err := uploader.All(ctx, "bench/", uploads, uploadSize); err != nil {
		return u, err
	}
	u.Took = time.Since(begin)
	if _, u.Peak, err = resident("self"); err != nil {
		return u, err
	}
	u.Stored, err = uploader.Verify(ctx, "bench/", uploads, uploadSize)
	return u, err
}

// uploading makes the rows of uploads.
func (r *run) uploading(ctx context.Context, s *servers) error {
	env, err := s.environment(ctx, &s.azure)
	if err != nil {
		return err
	}
	var got uploaded
	if err := r.apart(ctx, partUploads, filepath.Join(r.folder, "uploads"), env, &got); err != nil {
		return err
	}
	r.row("an upload of 1 MiB", fmt.Sprintf("median %s, the slowest of %d %s", milli(median(got.Single)), singles, milli(slices.Max(got.Single))), "≤ "+milli(goalUpload), atMost(slices.Max(got.Single).Seconds(), goalUpload.Seconds()))
	over := got.Peak - got.Idle
	what := humanize.Comma(uploads) + " uploads of 1 MiB at once"
	r.row(what+": memory over idle", fmt.Sprintf("%s (%s idle; %.1f s)", megabytes(over), megabytes(got.Idle), got.Took.Seconds()), "≤ "+megabytes(goalOverIdle), atMost(float64(over), goalOverIdle))
	r.row(what+": stored, with the right size and MD5", humanize.Comma(int64(got.Stored)), humanize.Comma(uploads), atLeast(float64(got.Stored), uploads))
	return nil
}

// remembering makes the rows of metadata.
func (r *run) remembering(ctx context.Context, s *servers) error {
	env, err := s.environment(ctx, &s.azure, &s.redis)
	if err != nil {
		return err
	}
	var got remote.Metadata
	if err := r.apart(ctx, partMetadata, r.folder, env, &got); err != nil {
		return err
	}
	direct, near, far := median(got.Uncached), median(got.Near), median(got.Far)
	ratio := float64(direct) / float64(near)
	r.row("metadata of an object, from the store by from the cache", fmt.Sprintf("×%.0f (%s by %s; from Redis, never asked for in the process: %s)", ratio, micro(direct), micro(near), micro(far)),
		fmt.Sprintf("≥ ×%d", goalCached), atLeast(ratio, goalCached))
	return nil
}
