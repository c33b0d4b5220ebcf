package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
)

// KeptExports keeps whole exports, so that each is made once. What fails there
// shows nowhere but in how long an export takes to make.
type KeptExports interface {
	// Open opens the export of a name and returns its size in bytes; false: there
	// is none now. Content that isn't what was kept ends in an error before its
	// size is reached.
	Open(ctx context.Context, name string) (content io.ReadCloser, size int64, ok bool)
	// Size returns the size of the export of a name; false: there is none now.
	Size(ctx context.Context, name string) (size int64, ok bool)
	// Keep calls write with a writer to out, and keeps what was written under the
	// name if write returns no error. The error is write's.
	Keep(name string, out io.Writer, write func(io.Writer) error) error
}

// worthKeeping is how many notices a catalogue has, withdrawn ones included, whose
// export isn't worth keeping: it is made about as fast as the store of objects
// answers.
const worthKeeping = 1000

// keptName names what an export of a snapshot is kept under: everything that its
// bytes depend on is in it. "" when it isn't kept.
func (s *service) keptName(snap *catalogue.Snapshot, manifest *ExportManifest) string {
	if s.Exports == nil || snap.Len() <= s.worthKeeping {
		return ""
	}
	e, ok := s.editionOf(snap)
	if !ok {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s", s.Version, catalogue.RecordShape(), e.Dataset, manifest.fingerprint()))
	return fmt.Sprintf("recalls-%d-%s.ndjson.gz", e.Serial, hex.EncodeToString(sum[:8]))
}

// sendKept answers with a kept export, or with its size where only the headers
// are asked for; false, and nothing is sent: there is none.
func (s *service) sendKept(w http.ResponseWriter, r *http.Request, name string) (sent bool, err error) {
	if name == "" {
		return false, nil
	}
	if r.Method == http.MethodHead {
		size, ok := s.Exports.Size(r.Context(), name)
		if ok {
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			w.WriteHeader(http.StatusOK)
		}
		return ok, nil
	}
	content, size, ok := s.Exports.Open(r.Context(), name)
	if !ok {
		return false, nil
	}
	defer content.Close()
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(&patient{w, http.NewResponseController(w)}, content); err != nil {
		return true, fmt.Errorf("sending a kept export: %w", err)
	}
	return true, nil
}

// patient writes a long answer piece by piece, and gives the client time for each.
type patient struct {
	http.ResponseWriter
	connection *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	if err := extend(p.connection); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

// extend gives a client time for the next piece of an export.
func extend(connection *http.ResponseController) error {
	if err := connection.SetWriteDeadline(time.Now().Add(exportStall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("setting the deadline of an export: %w", err)
	}
	return nil
}
