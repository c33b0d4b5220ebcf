package fsis

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// story is what a press release tells: who recalls what and why.
type story struct {
	row
	title   string
	firm    string // as labels show it, "" when nothing names it
	product string // what the title or the first sentence says that is recalled
}

var (
	// The ways of the titles: "Acme Foods Recalls Ham Products Due to …", "FSIS
	// Issues Public Health Alert for Ham Products Due to …", "Recall Notification
	// Report 028-2015 (Bratwurst)", "Acme Foods Retira Productos de Jamón Debido a …".
	titleRecalls = regexp.MustCompile(`(?i)^(.*?)\s+(?:voluntarily )?(?:(?:expands?|expanding) (?:its )?recalls? (?:for|of|to include)|recalls?|recalling|expands?|retiran?(?: del mercado)?|está retirando)\s+(.+)$`)
	titleAlerts  = regexp.MustCompile(`(?i)\b(?:public health alerts?|alerta de salud pública)\s+(?:for|regarding|about|on|concerning|para|sobre|por)\s+(.+)$`)
	titleReport  = regexp.MustCompile(`(?i)^recall notification report\b[^(]*\((.+)\)$`)
	// because begins what is wrong with the product.
	because = regexp.MustCompile(`(?i),?\s+(?:due to|because|produced (?:with|in|under|by)|(?:that )?may (?:be|have|contain|pose)|that (?:were|was|are|may|tested)|tested positive|linked to|for possible|with possible|possibly|over |debido|producid[oa]s sin|por posible|por (?:un|una|error)|that contain|potentially|sold at|unfit|associated with|imported (?:from|without)|not presented|containing fda|without (?:the )?benefit|adulterated|in commerce|illegally|ineligible to|(?:after|following) )`)
	// An editor's words before the place and the day.
	dateline = regexp.MustCompile(`(?i)\bwashington,?\s+(?:d\.?c\.?,?\s+)?(?:\p{L}+\.?\s+\d{1,2},?\s+\d{4}|\d{1,2}[\s\x{a0}]+de[\s\x{a0}]+\p{L}+[\s\x{a0}]+de[\s\x{a0}]+\d{4})\s*[-–—]*\s*`)
	// firmThere is the firm behind the dateline: "Acme Foods, an Ohio establishment, is recalling …".
	firmThere = regexp.MustCompile(`^([\p{Lu}\d][^\n]{1,70}?),?\s+(?:an?|the|located|doing business|una?|based|of|is|are|está)\s`)
	pounds    = regexp.MustCompile(`(?i)\brecall(?:ing|ed)\b[^.]{0,80}?\b(?:pounds?|units?|cases|packages|amount) of\s+(.+?)(?:,? (?:that|because|due|which|after|produced|for|labeled|under|as)\b|,|\.|$)`)
	libras    = regexp.MustCompile(`(?i)\bretirando\b[^.]{0,80}?\blibras de\s+(.+?)(?:,? (?:que|porque|debido)\b|,|\.|$)`)
	// somebody stands in old titles for a firm: "Texas Firm Recalls …".
	somebody  = regexp.MustCompile(`(?i)^(?:(?:[\p{L}.]+ ){0,3})(?:firms?|company|companies|establishments?|stores?|retailer|importer)$|^(?:fsis|(?:the )?(?:u\.s\. department|usda))\b|^$`)
	legalForm = regexp.MustCompile(`(?i)(?:,?\s+(?:inc|incorporated|llc|l\.l\.c|ltd|limited|corp|corporation|co|company|lp|l\.p|s\.e\.c\.?/ ?l\.p|usa?|s\.a\. de c\.v)\.?)+,?$`)
	tradingAs = regexp.MustCompile(`(?i)\s*[,(]?\s*\b(?:dba|d/b/a|doing business as|also known as)\b:?\s*`)
)

func (a *Agency) story(r row) story {
	s := story{row: r, title: r[fieldTitle]}
	subject := ""
	switch m := titleRecalls.FindStringSubmatch(s.title); {
	case m != nil && !strings.Contains(strings.ToLower(m[1]), "alert"):
		subject, s.product = m[1], m[2]
	default:
		if m := titleAlerts.FindStringSubmatch(s.title); m != nil {
			s.product = m[1]
		} else if m := titleReport.FindStringSubmatch(s.title); m != nil {
			s.product = m[1]
		}
	}
	s.product = beforeReason(s.product)
	if s.product == "" {
		s.product = s.productOfSummary()
	}
	if s.product == "" {
		s.product = s.title
	}
	s.firm = firstFirm(subject, r["field_establishment"], s.firmOfSummary())
	return s
}

func (s story) language() string {
	if s.spanish() {
		return "es"
	}
	return "en"
}

// beforeReason cuts what is wrong with a product from what it is.
func beforeReason(product string) string {
	if at := because.FindStringIndex(product); at != nil && at[0] > 3 {
		product = product[:at[0]]
	}
	product = strings.Trim(product, " ,.;:-–")
	for _, article := range []string{"Productos de ", "Productos De ", "productos de "} {
		product = strings.TrimPrefix(product, article)
	}
	return product
}

// release is the press release from its first sentence on.
func (s story) release() string {
	text := s.row[fieldSummary]
	if at := dateline.FindStringIndex(text); at != nil {
		return text[at[1]:]
	}
	return text
}

func (s story) productOfSummary() string {
	for _, pattern := range []*regexp.Regexp{pounds, libras} {
		if m := pattern.FindStringSubmatch(s.release()); m != nil {
			return beforeReason(m[1])
		}
	}
	return ""
}

// firmOfSummary is the firm that the first sentence begins with.
func (s story) firmOfSummary() string {
	if !dateline.MatchString(s.row[fieldSummary]) {
		return ""
	}
	m := firmThere.FindStringSubmatch(s.release())
	if m == nil {
		return ""
	}
	firm, _, _ := strings.Cut(m[1], ",") // its place or its legal form follows
	return firm
}

// firstFirm returns the first of some names that names a firm, as labels show it.
func firstFirm(names ...string) string {
	for _, name := range names {
		if parts := tradingAs.Split(name, 2); len(parts) == 2 && parts[0] != "" {
			name = parts[0]
		}
		if name = withoutLegalForm(name); !somebody.MatchString(name) && !agency.Placeholder(name) {
			return name
		}
	}
	return ""
}

// withoutLegalForm drops the words for a firm's legal form, which stand on no label.
func withoutLegalForm(name string) string {
	for {
		name = strings.Trim(name, " ,(")
		shorter := legalForm.ReplaceAllString(name, "")
		if shorter == name || shorter == "" {
			return name
		}
		name = shorter
	}
}

// reasons are the API's coded reasons.
var reasons = map[string]recall.HazardType{
	"unreported allergens":                   recall.HazardAllergen,
	"misbranding":                            recall.HazardMislabelled,
	"mislabeling":                            recall.HazardMislabelled,
	"unfit for human consumption":            recall.HazardQuality,
	"processing defect":                      recall.HazardQuality,
	"insanitary conditions":                  recall.HazardMicrobial,
	"import violation":                       recall.HazardOther,
	"produced without benefit of inspection": recall.HazardOther,
}

// foodHazards are what food can do. Other hazards are words of the trade:
// "beef cuts", "products that fall within the scope".
var foodHazards = []recall.HazardType{
	recall.HazardMicrobial, recall.HazardAllergen, recall.HazardForeignBody, recall.HazardMislabelled, recall.HazardQuality,
	recall.HazardLead, recall.HazardChemical, recall.HazardPoisoning, recall.HazardChoking, recall.HazardOther,
}

// verb stands behind the firm and its place, whose names ("Sheboygan Falls")
// are no hazards.
var verb = regexp.MustCompile(`(?i)\b(?:is|are) (?:recalling|issuing|expanding|announcing)\b|\bretirando\b`)

// hazards are what the title and the first paragraph speak of and what the
// reason codes. The rest of a release tells of illnesses in general.
func (s story) hazards() []recall.Hazard {
	first, _, _ := strings.Cut(s.release(), "\n")
	if at := verb.FindStringIndex(first); at != nil {
		first = first[at[0]:]
	}
	found := extract.Hazards(s.title, first)
	if s.spanish() {
		found = spanishHazards(s.title, first)
	}
	found = slices.DeleteFunc(found, func(h recall.Hazard) bool { return !slices.Contains(foodHazards, h.Type) })
	known := map[recall.HazardType]bool{}
	for _, h := range found {
		known[h.Type] = true
	}
	add := func(kind recall.HazardType, text string) {
		if !known[kind] {
			known[kind] = true
			found = append(found, recall.Hazard{Type: kind, Text: text})
		}
	}
	for _, reason := range s.list("field_recall_reason") {
		kind, ok := reasons[strings.ToLower(reason)]
		switch {
		case !ok && len(found) == 0:
			add(recall.HazardOther, reason)
		case ok && (kind != recall.HazardOther || len(found) == 0):
			add(kind, reason)
		}
	}
	if len(found) == 0 {
		add(recall.HazardOther, s.title)
	}
	return found
}

// advice marks the sentences of a release that tell what to do and whom to ask.
var (
	advice  = regexp.MustCompile(`(?i)\b(?:urged? not to|should (?:be )?(?:thrown?|throw|return|not|discard)|thrown away|returned to the place|do not (?:eat|consume)|no consum|desech|devuelt)`)
	contact = regexp.MustCompile(`(?i)\b(?:consumers? with questions|questions (?:about|regarding) (?:the|this) recall|consumidores (?:con|que tengan) preguntas)\b`)
	stop    = regexp.MustCompile(`(?:[.!?]["”’)]?)\s+|\n`)
)

// remedy reads what to do out of the release, and whom to ask from there or from
// the contact that the firm names for the press.
func (s story) remedy() recall.Remedy {
	var told, ask []string
	from := 0
	text := s.row[fieldSummary]
	ends := append(stop.FindAllStringIndex(text, -1), []int{len(text), len(text)})
	for _, end := range ends {
		sentence := strings.TrimSpace(text[from:end[1]])
		from = end[1]
		switch {
		case contact.MatchString(sentence):
			ask = append(ask, sentence)
		case advice.MatchString(sentence):
			told = append(told, sentence)
		}
	}
	r := recall.Remedy{Text: strings.Join(told, " "), Contact: strings.Join(ask, " ")}
	r.Types = s.remedyTypes(r.Text)
	if r.Contact == "" {
		r.Contact = strings.TrimSpace(strings.TrimPrefix(s.row["field_company_media_contact"], "Company Media Contact"))
	}
	return r
}

// usual are the turns in which FSIS words its advice.
var usual = []struct {
	kind  recall.RemedyType
	words *regexp.Regexp
}{
	{recall.RemedyStopUse, regexp.MustCompile(`(?i)\b(?:not to (?:consume|eat|use|serve)|do not (?:consume|eat|use|serve))\b`)},
	{recall.RemedyDispose, regexp.MustCompile(`(?i)\b(?:thrown? (?:it |them )?away|discard)`)},
	{recall.RemedyReturn, regexp.MustCompile(`(?i)\breturn(?:ed)? (?:it |them )?to\b`)},
}

func (s story) remedyTypes(text string) []recall.RemedyType {
	if s.spanish() {
		return spanishRemedies(text)
	}
	var types []recall.RemedyType
	for _, turn := range usual {
		if turn.words.MatchString(text) {
			types = append(types, turn.kind)
		}
	}
	for _, kind := range extract.Remedies(text) {
		if !slices.Contains(types, kind) {
			types = append(types, kind)
		}
	}
	return types
}

// The sentences of a release that count: all other numbers in it are weights,
// dates and codes.
var (
	noReports  = regexp.MustCompile(`(?i)\bno (?:confirmed )?reports of\b`)
	complaints = regexp.MustCompile(`(?i)\b(\d{1,3}(?:,\d{3})*) (?:consumer |customer )?(?:complaints?|reports? of)\b`)
	illnesses  = regexp.MustCompile(`(?i)\b(\d{1,3}(?:,\d{3})*) (?:confirmed )?(?:illnesses|injuries|case[- ]?patients|ill (?:people|persons|individuals))\b`)
	deaths     = regexp.MustCompile(`(?i)\b(\d{1,3}(?:,\d{3})*) deaths?\b`)
)

func (s story) incidents() recall.Incidents {
	text := s.release()
	in := recall.Incidents{Reports: counted(complaints, text), Injuries: counted(illnesses, text), Deaths: counted(deaths, text)}
	if in.Reports == nil && noReports.MatchString(text) {
		in.Reports = new(int)
	}
	return in
}

func counted(pattern *regexp.Regexp, text string) *int {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	n, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil {
		return nil
	}
	return &n
}
