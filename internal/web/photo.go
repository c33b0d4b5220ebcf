package web

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// photoTroubles words why a photo has no answer, by the code of the API's
// problem. None of them may pass for "nothing found".
var photoTroubles = map[string]trouble{
	"too_large":              {Title: "The photo is too large", Text: "Up to 10 MB and 50 megapixels are read. Send a smaller one, or the part with the barcode alone."},
	"unsupported_media_type": {Title: "That is no photo that can be read", Text: "JPEG, PNG and WebP can be read. Take the photo anew, or type the digits under the bars."},
	"bad_image":              {Title: "The photo is damaged", Text: "It breaks off or makes no sense. Take or send it again, or type the digits under the bars."},
	"invalid":                {Title: "There was no photo", Text: "Choose or take a photo first, one at a time."},
	"timeout":                {Title: "The photo took too long to arrive", Text: "Send it again, or type the digits under the bars."},
	"unavailable":            {Title: "The photo couldn't be looked at now", Text: "Please try again in a moment, or type the digits under the bars."},
}

var (
	photoFailed = trouble{Title: "The photo couldn't be read", Text: "Send it again, or type the digits under the bars."}
	noCode      = trouble{Title: "No barcode could be read in the photo", Text: "So nothing was looked up. Let the bars fill most of the picture, sharp and without glare, or type the digits under them."}
)

// Photo answers the form for a photo of a barcode: found are the verdicts on the
// codes that it shows. With a failure, which is the code of an API's problem of
// this status, there are none.
func (s *Site) Photo(w http.ResponseWriter, r *http.Request, found []recall.Verdict, failure string, status int) {
	snap := s.Catalogue.Current()
	view := homeView{Asked: true, Notices: snap.Len(), Sources: s.sourceViews(snap)}
	switch {
	case failure != "":
		view.Trouble = &photoFailed
		if known, ok := photoTroubles[failure]; ok {
			view.Trouble = &known
		}
	case !snap.Loaded():
		view.Trouble, status = &notReady, http.StatusServiceUnavailable
	case len(found) == 0:
		view.Trouble = &noCode
	default:
		view.Verdicts = photoVerdicts(s.newReader(snap, view.Sources), found)
	}
	if len(view.Verdicts) == 1 {
		view.Form.Q = found[0].Query.GTIN
	}
	s.render(w, r, "home", status, view)
}

// photoVerdicts words the verdicts on a photo's codes, the strongest first.
func photoVerdicts(r *reader, found []recall.Verdict) []*verdictView {
	ordered := slices.Clone(found)
	slices.SortStableFunc(ordered, func(a, b recall.Verdict) int {
		switch {
		case a.Verdict.Stronger(b.Verdict):
			return -1
		case b.Verdict.Stronger(a.Verdict):
			return 1
		}
		return 0
	})
	views := make([]*verdictView, len(ordered))
	for i := range ordered {
		v := &ordered[i]
		views[i] = r.view(v, &form{Q: v.Query.GTIN, Lot: v.Query.Lot, Serial: v.Query.Serial, BestBefore: v.Query.BestBefore, MadeOn: v.Query.MadeOn}, nil)
		if i > 0 {
			views[i].Mark = fmt.Sprint("-", i+1)
		}
	}
	return views
}
