package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// sourceView is an agency's source in plain words.
type sourceView struct {
	source.Source
	StateWords, Age string
	LicenceLink     string
	Barcodes        string // share of the notices that carry one, in per cent
	Score           string // mean quality of the notices
	Why             string // the state, in a sentence
}

var stateWords = map[source.State]string{
	source.OK: "up to date", source.Stale: "out of date", source.Partial: "partly read", source.Failing: "can't be reached", source.Never: "not loaded",
}

func (s *Site) sourceViews(snap *catalogue.Snapshot) []sourceView {
	var views []sourceView
	for _, src := range s.Sources.List(snap) {
		views = append(views, sourceView{
			Source: src, StateWords: stateWords[src.State], Age: age(src.AgeSeconds, src.Notices), LicenceLink: licenceAddress(src.Licence),
			Barcodes: percent(src.BarcodeShare), Score: fmt.Sprintf("%.0f", src.Quality.Score), Why: sentence(src.Reason),
		})
	}
	return views
}

// licences are the pages of licences that ask to be linked to, by the words
// that name them in lower case without hyphens.
var licences = []struct{ name, address string }{
	{"cc by 4.0", "https://creativecommons.org/licenses/by/4.0/"},
	{"cc0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"},
	{"open government licence v3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"},
	{"open government licence   canada", "https://open.canada.ca/en/open-government-licence-canada"},
	{"licence ouverte", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"},
}

// licenceAddress returns the page of a licence, "" for one without a page.
func licenceAddress(licence string) string {
	plain := strings.NewReplacer("-", " ", "–", " ").Replace(strings.ToLower(licence))
	for _, l := range licences {
		if strings.HasPrefix(plain, l.name) {
			return l.address
		}
	}
	return ""
}

// gapsView tells what an answer could not rest on.
type gapsView struct {
	Absent []string // agencies none of whose notices are here
	Aged   []string // agencies whose notices may lack the newest
}

// gapsOf reads the gaps out of a verdict's coverage; nil: there are none.
func (r *reader) gapsOf(coverage []recall.Coverage) *gapsView {
	var gaps gapsView
	for i := range coverage {
		c := &coverage[i]
		switch {
		case source.State(c.State) == source.OK:
		case c.Notices == 0 && !c.CouldMatch:
			gaps.Absent = append(gaps.Absent, r.agency(c.Agency))
		default:
			gaps.Aged = append(gaps.Aged, r.agency(c.Agency))
		}
	}
	if len(gaps.Absent)+len(gaps.Aged) == 0 {
		return nil
	}
	return &gaps
}

// age words an age in seconds. Without one nothing was fetched from the agency:
// what notices there are came from files.
func age(seconds *int64, notices int) string {
	if seconds == nil {
		if notices > 0 {
			return "loaded from files"
		}
		return "never fetched"
	}
	d := time.Duration(*seconds) * time.Second
	switch {
	case d < 2*time.Minute:
		return "fetched just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("fetched %d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("fetched %d hours ago", int(d.Hours()))
	}
	return fmt.Sprintf("fetched %d days ago", int(d.Hours()/24))
}

// sentence makes a reason a sentence.
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(reason)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(reason[size:], ".") + "."
}

// percent words a share, never as 0 when there is something.
func percent(share float64) string {
	if share > 0 && share < 0.01 {
		return "under 1 %"
	}
	return fmt.Sprintf("%.0f %%", share*100)
}
