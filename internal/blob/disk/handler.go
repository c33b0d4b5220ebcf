package disk

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/blob"
)

// Handler serves the URLs that SignURL makes, and nothing else; mount it where
// BaseURL leads, behind http.StripPrefix. A URL that isn't signed, has ended,
// or is for another method or key is 403, before anything is looked at. What it
// answers with is never run by a browser: images are shown, all else is saved.
func (s *Store) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// methods say which permission each needs.
var methods = map[string]blob.Permission{
	http.MethodGet:    blob.Read,
	http.MethodHead:   blob.Read,
	http.MethodPut:    blob.Write,
	http.MethodDelete: blob.Delete,
}

func (s *Store) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	header.Set("Referrer-Policy", "no-referrer") // the URL is a secret
	header.Set("Cache-Control", "private, no-store")
	needed, known := methods[r.Method]
	if !known {
		header.Set("Allow", "GET, HEAD, PUT, DELETE")
		s.options.Problem(w, r, http.StatusMethodNotAllowed, "The method is not one for objects.")
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/")
	if !s.valid(key, r.URL.Query(), needed) {
		s.options.Problem(w, r, http.StatusForbidden, "The URL does not allow this, or has expired.")
		return
	}
	var err error
	switch needed {
	case blob.Read:
		err = s.serveRead(w, r, key)
	case blob.Write:
		err = s.serveWrite(w, r, key)
	case blob.Delete:
		if err = s.Delete(r.Context(), key); err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
	}
	if err != nil {
		status, detail := statusOf(err, needed)
		s.options.Problem(w, r, status, detail)
	}
}

func (s *Store) serveRead(w http.ResponseWriter, r *http.Request, key string) error {
	file, info, err := s.open(r.Context(), key)
	if err != nil {
		return err
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", info.ContentType)
	header.Set("Content-Disposition", disposition(info))
	header.Set("ETag", info.ETag)
	// The URL may be answered from a cache for as long as it lives.
	if expiry, err := strconv.ParseInt(r.URL.Query().Get(expiryParameter), 10, 64); err == nil {
		left := max(0, time.Unix(expiry, 0).Sub(s.options.Now()))
		header.Set("Cache-Control", fmt.Sprintf("private, max-age=%d", int64(left/time.Second)))
	}
	content := io.NewSectionReader(file, 0, info.Size)
	if r.Header.Get("Range") != "" {
		http.ServeContent(w, r, "", info.ModifiedAt, content)
		return nil
	}
	whole := &wholeContent{content, blob.Verified(io.NopCloser(content), info)}
	http.ServeContent(w, r, "", info.ModifiedAt, whole)
	return nil
}

// wholeContent lets http.ServeContent ask for the size, and be told at the end
// that the content is damaged: then the answer is cut short of its length, which
// the client sees.
type wholeContent struct {
	io.Seeker
	io.Reader
}

// disposition lets browsers show the raster images that they can't run, and
// save everything else, under the last segment of its key.
func disposition(info blob.Info) string {
	how := "attachment"
	switch info.ContentType {
	case "image/jpeg", "image/png", "image/webp", "image/gif":
		how = "inline"
	}
	return mime.FormatMediaType(how, map[string]string{"filename": path.Base(info.Key)})
}

func (s *Store) serveWrite(w http.ResponseWriter, r *http.Request, key string) error {
	opts := blob.PutOptions{
		ContentType: r.Header.Get("Content-Type"),
		IfAbsent:    r.Header.Get("If-None-Match") == "*",
		IfMatch:     r.Header.Get("If-Match"),
	}
	if sum := r.Header.Get("Content-MD5"); sum != "" { // RFC 1864
		raw, err := base64.StdEncoding.DecodeString(sum)
		if err != nil {
			return fmt.Errorf("%w: Content-MD5 is not base64", blob.ErrDamaged)
		}
		opts.MD5 = hex.EncodeToString(raw)
	}
	info, err := s.Put(r.Context(), key, http.MaxBytesReader(w, r.Body, s.options.MaxUpload), opts)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", info.ETag)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// statusOf tells the bearer of a URL what was wrong, and nothing of the server.
func statusOf(err error, doing blob.Permission) (status int, detail string) {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		return http.StatusRequestEntityTooLarge, "The content is larger than what is taken."
	case errors.Is(err, blob.ErrNotFound):
		return http.StatusNotFound, "There is no such object."
	case errors.Is(err, blob.ErrExists), errors.Is(err, blob.ErrChanged):
		return http.StatusPreconditionFailed, "Another object is there."
	case errors.Is(err, blob.ErrDamaged) && doing == blob.Write:
		return http.StatusBadRequest, "The content does not have the MD5 that was given."
	case errors.Is(err, blob.ErrBadContentType), errors.Is(err, blob.ErrBadKey):
		return http.StatusBadRequest, "The key or the content type cannot be used."
	case errors.Is(err, blob.ErrFull):
		return http.StatusInsufficientStorage, "There is no space left."
	}
	return http.StatusInternalServerError, "The object cannot be served now."
}

// problem answers with a problem document (RFC 9457).
func problem(w http.ResponseWriter, _ *http.Request, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // who doesn't listen misses nothing
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}
