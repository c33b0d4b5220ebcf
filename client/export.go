package client

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"net/http"
	"time"
)

// ErrCutOff means that an export ended before its manifest, or differs from it. None of
// the notices that came before it should be relied on to be all.
var ErrCutOff = errors.New("the export is not whole")

// Manifest tells what an export held.
type Manifest struct {
	Format string `json:"format"`
	// Serial is where to go on from with [Client.Changes].
	Serial int64 `json:"serial"`
	// AsOf is when the newest of the notices was fetched; nil: there are none.
	AsOf *time.Time `json:"as_of"`
	// Notices came; Withdrawn and LeftOut, for their licence, did not.
	Notices   int    `json:"notices"`
	Withdrawn int    `json:"withdrawn"`
	LeftOut   int    `json:"left_out"`
	SHA256    string `json:"sha256"`
	// Agencies have the licence and attribution to show with their notices.
	Agencies []ExportedAgency `json:"agencies"`
}

// ExportedAgency is one agency's part of an export.
type ExportedAgency struct {
	Agency      string `json:"agency"`
	Notices     int    `json:"notices"`
	Starter     int    `json:"starter"`
	Withdrawn   int    `json:"withdrawn"`
	LeftOut     int    `json:"left_out"`
	Republish   bool   `json:"republish"`
	Licence     string `json:"licence"`
	Attribution string `json:"attribution"`
}

// Export goes through every notice that may be passed on, as it arrives. manifest is
// filled when all of them came and are what the server wrote: only an iteration that
// ended without an error held everything. It counts as ten calls.
func (c *Client) Export(ctx context.Context, manifest *Manifest) iter.Seq2[Notice, error] {
	return func(yield func(Notice, error) bool) {
		var resp *http.Response
		k := get("/api/v1/export/recalls.ndjson.gz", nil)
		err := c.repeat(ctx, k, func(ctx context.Context) (err error) {
			resp, err = c.attempt(ctx, k) // the body is read once, from its beginning
			return err
		})
		if err != nil {
			yield(Notice{}, err)
			return
		}
		defer resp.Body.Close()
		stopped, err := readExport(resp.Body, manifest, func(n Notice) bool { return yield(n, nil) })
		if err != nil && !stopped {
			yield(Notice{}, fmt.Errorf("crownsafe: the export: %w", err))
		}
	}
}

// readExport reads lines until the manifest, and holds them to it. stopped: yield wants
// no more.
func readExport(packed io.Reader, manifest *Manifest, yield func(Notice) bool) (stopped bool, err error) {
	lines, err := gzip.NewReader(packed)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrCutOff, err)
	}
	r, sum, count := bufio.NewReader(lines), sha256.New(), 0
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return false, fmt.Errorf("%w: %w", ErrCutOff, err)
		}
		if bytes.HasPrefix(line, []byte(`{"manifest":`)) {
			return false, settle(line, manifest, sum, count)
		}
		sum.Write(line)
		count++
		var n Notice
		if err := json.Unmarshal(line, &n); err != nil {
			return false, fmt.Errorf("line %d: %w", count, err)
		}
		if !yield(n) {
			return true, nil
		}
	}
}

func settle(line []byte, manifest *Manifest, sum hash.Hash, count int) error {
	last := struct{ Manifest Manifest }{}
	if err := json.Unmarshal(line, &last); err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrCutOff, err)
	}
	if m := &last.Manifest; m.Notices != count || m.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
		return fmt.Errorf("%w: %d lines came of %d, or not as they were written", ErrCutOff, count, m.Notices)
	}
	if manifest != nil {
		*manifest = last.Manifest
	}
	return nil
}
