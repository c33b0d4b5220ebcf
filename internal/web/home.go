package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// Bounds of what one page shows and reads.
const (
	shownEvents = 10
	soughtHits  = 30   // notices of a search, to be grouped
	maxTyped    = 4000 // bytes of one field
)

// form is what was typed, as it goes back into the fields.
type form struct {
	Q, Brand, Model, Lot, Serial, MadeOn, BestBefore, BoughtOn string
}

// homeView is all that the page shows.
type homeView struct {
	Form     form
	Asked    bool // something was typed
	Open     bool // the further fields are shown: one of them is in trouble
	Trouble  *trouble
	Verdicts []*verdictView // one; of a photo one for each code, the strongest first
	Sources  []sourceView
	Notices  int
}

// trouble tells in plain words why there is no answer.
type trouble struct {
	Title, Text string
	Suggestions []suggestion
}

var notReady = trouble{Title: "Not ready yet", Text: "The recall notices are still being loaded. Please try again in a moment."}

// suggestion is a code that could have been meant.
type suggestion struct {
	Code, Address string
}

func readForm(r *http.Request) form {
	query := r.URL.Query()
	typed := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	return form{
		Q: typed("q"), Brand: typed("brand"), Model: typed("model"), Lot: typed("lot"),
		Serial: typed("serial"), MadeOn: typed("made_on"), BestBefore: typed("best_before"), BoughtOn: typed("bought_on"),
	}
}

// field is one field of the form.
type field struct{ Name, Value string }

// filled are the fields that something was typed into.
func (f *form) filled() []field {
	return slices.DeleteFunc([]field{
		{"q", f.Q}, {"brand", f.Brand}, {"model", f.Model}, {"lot", f.Lot}, {"serial", f.Serial},
		{"made_on", f.MadeOn}, {"best_before", f.BestBefore}, {"bought_on", f.BoughtOn},
	}, func(f field) bool { return f.Value == "" })
}

// address is the page for the same form with another code.
func (f *form) address(code string) string {
	values := url.Values{}
	for _, field := range f.filled() {
		values.Set(field.Name, field.Value)
	}
	values.Set("q", code)
	return "/?" + values.Encode() + "#answer"
}

// home shows the form and, when something was asked, the answer.
func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	f := readForm(r)
	snap := s.Catalogue.Current()
	view := homeView{Form: f, Notices: snap.Len(), Sources: s.sourceViews(snap)}
	view.Asked = len(f.filled()) > 0
	status := http.StatusOK
	if view.Asked {
		status = s.ask(snap, &view)
	}
	s.render(w, r, "home", status, view)
}

// ask fills in the answer and returns the page's status.
func (s *Site) ask(snap *catalogue.Snapshot, view *homeView) int {
	f := &view.Form
	for _, field := range f.filled() {
		if !utf8.ValidString(field.Value) || len(field.Value) > maxTyped {
			view.Form = form{}
			view.Trouble = &trouble{Title: "That can't be read", Text: "What was typed is too long, or is no text. Type the digits under the barcode, or a brand and a product name."}
			return http.StatusUnprocessableEntity
		}
	}
	if !snap.Loaded() {
		view.Trouble = &notReady
		return http.StatusServiceUnavailable
	}
	verdict, err := s.verdict(snap, f)
	if bad, ok := errors.AsType[*recall.BadUnit](err); ok {
		view.Trouble = troubleOf(bad, f)
		view.Open = bad.Field != "code" && bad.Field != "name"
		return http.StatusUnprocessableEntity
	}
	if err != nil {
		panic(err) // the caller's middleware logs it and answers with the error page
	}
	view.Verdicts = []*verdictView{answer(s.newReader(snap, view.Sources), f, &verdict)}
	return http.StatusOK
}

// answer words a verdict together with what a search for the same words finds.
func answer(r *reader, f *form, v *recall.Verdict) *verdictView {
	if f.Q == "" || looksLikeCode(f.Q) {
		return r.view(v, f, nil)
	}
	page, err := r.snap.Search(catalogue.Query{Words: f.Q, Limit: soughtHits})
	if err != nil { // a query without a cursor has nothing that could be refused
		panic(fmt.Errorf("searching for the page: %w", err))
	}
	found := make([]string, len(page.Hits))
	for i := range page.Hits {
		found[i] = page.Hits[i].Notice.ID
	}
	view := r.view(v, f, found)
	view.Hits = r.hits(page.Hits, view.told())
	return view
}

func (s *Site) verdict(snap *catalogue.Snapshot, f *form) (recall.Verdict, error) {
	unit := recall.Unit{Brand: f.Brand, Model: f.Model, Lot: f.Lot, Serial: f.Serial, MadeOn: f.MadeOn, BestBefore: f.BestBefore, BoughtOn: f.BoughtOn}
	if looksLikeCode(f.Q) {
		return s.Lookup.Barcode(snap, f.Q, unit)
	}
	unit.Name = f.Q
	return s.Lookup.Verdict(snap, unit)
}

// looksLikeCode reports whether somebody typed or scanned a code and not words:
// seven digits or more with nothing but blanks and hyphens between them, or one
// of the forms that only a scanner makes.
func looksLikeCode(typed string) bool {
	lower := strings.ToLower(typed)
	for _, prefix := range []string{"http://", "https://", "(01)", "(02)", "(00)", "]"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	digits := 0
	for _, r := range typed {
		switch {
		case r == 0x1d:
			return true
		case unicode.IsDigit(r):
			digits++
		case unicode.IsSpace(r) || strings.ContainsRune("-‐‑–—.", r):
		default:
			return false
		}
	}
	return digits >= 7
}

// fieldNames are the form's words for the fields of a unit.
var fieldNames = map[string]string{
	"code": "The code", "gtin": "The code", "scan": "The code", "name": "The product name", "brand": "The brand", "model": "The model", "lot": "The lot or batch code",
	"serial": "The serial number", "made_on": "The production date", "best_before": "The best-before date", "bought_on": "The date of purchase",
}

func troubleOf(bad *recall.BadUnit, f *form) *trouble {
	t := &trouble{Title: "That code can't be used as it stands", Text: "Please check what was typed."}
	if name := fieldNames[bad.Field]; name != "" {
		t.Text = name + ": " + bad.Message + "."
	}
	switch bad.Code {
	case "check_digit":
		t.Text = "One of the digits seems to be misread: the last digit doesn't fit the others. Compare them with the digits under the bars."
	case "length":
		t.Text = "No barcode has this many digits. Compare with the digits under the bars; the small ones at both ends count too."
	case "date":
		t.Title = "That date can't be read"
		t.Text = fieldNames[bad.Field] + " should look like 2026-03-01; 2026-03 or 2026 will do when you don't know the day."
	case "too_long":
		t.Title = "That is too long"
	}
	for _, code := range bad.Suggestions {
		t.Suggestions = append(t.Suggestions, suggestion{code, f.address(code)})
	}
	return t
}
