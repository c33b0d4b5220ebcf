package web

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// lineView is a notice in one line.
type lineView struct {
	ID, Title, Agency, Language string
	Link, Document              string
	Published                   time.Time
}

// matchView is a notice with what it says of the unit.
type matchView struct {
	lineView
	recall.Match
	Label    string
	Hazards  []string // in the taxonomy's words, where it has any
	Dangers  []string // in the agency's words
	Remedies []string
	Pictures []pictureView
}

// credit names a source of what is shown, as its licence demands.
type credit struct {
	Attribution, Licence, LicenceLink string
}

// reader looks notices up in one snapshot and words them.
type reader struct {
	snap     *catalogue.Snapshot
	names    map[string]string // the agencies' own names, by code
	mirrored map[string]bool   // the agencies whose pictures are shown, by code
	notices  map[string]*recall.Notice
}

func (s *Site) newReader(snap *catalogue.Snapshot, sources []sourceView) *reader {
	r := &reader{snap: snap, names: map[string]string{}, mirrored: map[string]bool{}, notices: map[string]*recall.Notice{}}
	for i := range sources {
		r.names[sources[i].Agency] = sources[i].Name
		r.mirrored[sources[i].Agency] = s.Photos != nil && sources[i].Republish
	}
	return r
}

// notice returns a notice that stands, with its aliases; nil: there is none of
// this id.
func (r *reader) notice(id string) *recall.Notice {
	n, known := r.notices[id]
	if !known {
		if found, _, ok := r.snap.Notice(id); ok && found.Status != recall.Withdrawn {
			n = &found
		}
		r.notices[id] = n
	}
	return n
}

// aliases returns the aliases of a notice as the catalogue resolved them.
func (r *reader) aliases(id string) []recall.Alias {
	if n := r.notice(id); n != nil {
		return n.Aliases
	}
	return nil
}

func (r *reader) agency(code string) string { return cmp.Or(r.names[code], code) }

func (r *reader) line(n *recall.Notice) lineView {
	return lineView{
		ID: n.ID, Title: n.Title, Agency: r.agency(n.Agency), Language: n.Language,
		Link: webAddress(n.URL), Document: documentAddress(n.ID), Published: n.PublishedAt,
	}
}

func (r *reader) match(m *recall.Match) matchView {
	view := matchView{Match: *m, Label: outcomeLabels[m.Verdict], lineView: lineView{
		ID: m.Recall.ID, Title: m.Recall.Title, Agency: r.agency(m.Recall.Agency),
		Link: webAddress(m.Recall.URL), Document: documentAddress(m.Recall.ID), Published: m.Recall.PublishedAt,
	}}
	if n := r.notice(m.Recall.ID); n != nil {
		view.Language, view.Pictures = n.Language, r.pictures(n)
	}
	for _, h := range m.Recall.Hazards {
		if h.Type != recall.HazardOther { // says nothing beside the agency's words
			view.Hazards = append(view.Hazards, words(string(h.Type)))
		}
		if h.Text != "" && !slices.Contains(view.Dangers, h.Text) { // one sentence often names several hazards
			view.Dangers = append(view.Dangers, h.Text)
		}
	}
	for _, t := range m.Recall.Remedy.Types {
		if said := remedyWords[t]; said != "" {
			view.Remedies = append(view.Remedies, said)
		}
	}
	return view
}

// credits are the sources of notices, each once.
func (r *reader) credits(ids []string) []credit {
	var list []credit
	for _, id := range ids {
		n := r.notice(id)
		if n == nil {
			continue
		}
		p := &n.Provenance
		c := credit{p.Attribution, p.Licence, licenceAddress(p.Licence)}
		if c.Attribution == "" {
			c.Attribution = r.agency(n.Agency)
		}
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// webAddress returns an agency's link only when it leads to a web page.
func webAddress(link string) string {
	if u, err := url.Parse(link); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return link
	}
	return ""
}

func documentAddress(id string) string { return "/api/v1/recalls/" + url.PathEscape(id) }
