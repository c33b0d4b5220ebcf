package api

import (
	"io"
	"net/http"

	"github.com/crownsafe/api/internal/recall"
)

// photoRest is how much of a photograph that was refused is still taken in and
// dropped: a browser shows the answer only once it has sent the whole form.
const photoRest = 40 << 20

// showPhoto answers the pages' form for a photograph. It is read as the
// operation for pictures reads it, within the same bounds; the pages only word
// what came of it.
func (s *service) showPhoto(w http.ResponseWriter, r *http.Request) {
	var found []recall.Verdict
	raw, err := receivePicture(w, r)
	if err == nil {
		found, _, err = s.verdictsIn(r.Context(), raw)
	}
	if err == nil {
		s.Pages.Photo(w, r, found, "", http.StatusOK)
		return
	}
	p := s.problem(r.Context(), "photo", err)
	_, _ = io.CopyN(io.Discard, r.Body, photoRest) // what fails here is the sender's line
	for name, values := range p.header {
		w.Header()[name] = values
	}
	s.Pages.Photo(w, r, nil, p.Code, p.Status)
}
