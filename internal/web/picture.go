package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/photo"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

const (
	// shownPictures is how many pictures of a notice are shown; who wants more
	// follows the agency's link.
	shownPictures = 3
	// picturesAtOnce bounds the memory that pictures on their way take.
	picturesAtOnce = 64
	// pictureTurn is how long a picture waits until fewer are on their way.
	pictureTurn = 5 * time.Second

	pictureCaching = "public, max-age=86400"
	// linkCaching is shorter by far than a signed address lasts.
	linkCaching = "private, max-age=600"
)

// pictureView is one picture of a notice.
type pictureView struct{ Address, Alt string }

// pictures are a notice's first pictures; none where its agency's licence doesn't
// let them be passed on.
func (r *reader) pictures(n *recall.Notice) []pictureView {
	if !r.mirrored[n.Agency] {
		return nil
	}
	var list []pictureView
	for i, address := range n.Images {
		if webAddress(address) == "" {
			continue
		}
		list = append(list, pictureView{
			Address: fmt.Sprintf("/photos/%s/%d", url.PathEscape(n.ID), i+1),
			Alt:     fmt.Sprintf("Picture %d of the recalled product", len(list)+1),
		})
		if len(list) == shownPictures {
			break
		}
	}
	return list
}

// pictureAddress is where the agency has the picture that a path names.
func (s *Site) pictureAddress(r *http.Request) (address string, ok bool) {
	snap := s.Catalogue.Current()
	n, _, found := snap.Notice(r.PathValue("id"))
	i, err := strconv.Atoi(r.PathValue("n"))
	if !found || n.Status == recall.Withdrawn || err != nil || i < 1 || i > len(n.Images) {
		return "", false
	}
	address = webAddress(n.Images[i-1])
	return address, address != "" && slices.ContainsFunc(s.Sources.List(snap), func(src source.Source) bool {
		return src.Agency == n.Agency && src.Republish
	})
}

// picture answers with a picture of a notice, or sends to where it is.
func (s *Site) picture(w http.ResponseWriter, r *http.Request) {
	address, ok := s.pictureAddress(r)
	if !ok {
		s.Error(w, r, http.StatusNotFound, "")
		return
	}
	leave, ok := s.roomForPicture(r)
	if !ok {
		s.later(w, r)
		return
	}
	defer leave()
	p, err := s.Photos.Picture(r.Context(), address)
	switch {
	case errors.Is(err, photo.ErrAbsent):
		s.Error(w, r, http.StatusNotFound, "")
	case err != nil:
		s.later(w, r)
	case p.Location != "":
		w.Header().Set("Cache-Control", linkCaching)
		http.Redirect(w, r, p.Location, http.StatusFound)
	default:
		sum := sha256.Sum256(p.Body)
		h := w.Header()
		h.Set("Content-Type", p.Type)
		h.Set("Cache-Control", pictureCaching)
		h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Body))
	}
}

// roomForPicture waits until there is room for one more; false: there was none.
func (s *Site) roomForPicture(r *http.Request) (leave func(), ok bool) {
	turn := time.NewTimer(pictureTurn)
	defer turn.Stop()
	select {
	case s.sending <- struct{}{}:
		return func() { <-s.sending }, true
	case <-turn.C:
	case <-r.Context().Done():
	}
	return nil, false
}

// later answers that a picture may be there in a moment.
func (s *Site) later(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "5")
	s.Error(w, r, http.StatusServiceUnavailable, "")
}
