package kats

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// Completeness of a notice by the call that it came from.
const (
	completenessList   = 1
	completenessDetail = 2
)

var nativeID = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// record makes the canonical notice out of a row.
func (a *Agency) record(r *row, raw json.RawMessage) (agency.Record, error) {
	native := r.UID.Clean()
	if !nativeID.MatchString(native) {
		return agency.Record{}, fmt.Errorf("the recallUid %q is no number", native)
	}
	published, err := a.published(r.Published.Clean())
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading publishDate of recall %s: %w", native, err)
	}
	name := firstOf(r.Product, r.Item, r.Model)
	if name == "" {
		return agency.Record{}, fmt.Errorf("recall %s names no product", native)
	}
	brand := value(r.Brand)
	if agency.Placeholder(brand) {
		brand = ""
	}
	n := recall.Notice{
		ID:           Code + ":" + native,
		Agency:       Code,
		URL:          "", // the service gives no address of a recall's page
		Language:     "ko",
		Title:        title(brand, name),
		Summary:      r.summary(),
		PublishedAt:  published,
		Status:       recall.Active,
		AgencyStatus: value(r.Type),
		Countries:    []string{"KR"},
		Audience:     r.audience(),
		Categories:   r.categories(),
		Products:     []recall.Product{r.product(name, brand)},
		Hazards:      r.hazards(),
		Remedy: recall.Remedy{
			Types:   r.remedies(),
			Text:    lines(r.Means, r.Announcement),
			Contact: strings.Join(present(value(r.Firm), value(r.Phone)), ", "),
		},
		UnitsCount: r.unitsCount(),
		Images:     r.images(),
	}
	n.Normalise()
	day, err := strconv.ParseInt(published.Format("20060102"), 10, 64)
	if err != nil {
		return agency.Record{}, fmt.Errorf("numbering the day of recall %s: %w", native, err)
	}
	completeness := completenessList
	if r.detailed {
		completeness = completenessDetail
	}
	return agency.Record{Notice: n, SourceHash: agency.HashOf(raw), Version: day, Completeness: completeness}, nil
}

// published reads yyyyMMdd, with or without marks between its parts and with or
// without a time behind it.
func (a *Agency) published(s string) (time.Time, error) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if len(digits) != len("20060102") && len(digits) < len("200601021504") {
		return time.Time{}, fmt.Errorf("%q is no date", s)
	}
	return agency.ParseDate(digits[:len("20060102")], a.now())
}

// none are Korean ways of saying that there is nothing to say.
var none = []string{"없음", "해당없음", "해당 없음", "미상", "불명", "무", "미표기", "미표시", "표시없음", "표시 없음", "상표없음", "브랜드없음", "확인불가", "확인 불가", "미확인", "비공개"}

// value is a field's text, or "" where it says that there is none.
func value(t agency.Text) string {
	s := t.Clean()
	if slices.Contains(none, strings.Trim(s, " .()")) {
		return ""
	}
	return s
}

func firstOf(texts ...agency.Text) string {
	for _, t := range texts {
		if s := value(t); s != "" {
			return s
		}
	}
	return ""
}

func present(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

func lines(texts ...agency.Text) string {
	var kept []string
	for _, t := range texts {
		if s := value(t); s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, "\n")
}

func title(brand, name string) string {
	if brand == "" || strings.Contains(strings.ToLower(name), strings.ToLower(brand)) {
		return name
	}
	return brand + " " + name
}

// summary says what is wrong and what can be searched for besides.
func (r *row) summary() string {
	kept := present(lines(r.Harm, r.Accidents))
	for _, labelled := range []struct {
		label string
		text  agency.Text
	}{
		{"모델명", r.Model}, {"KC 인증번호", r.Certificate}, {"품목", r.Item}, {"제조사", r.Maker}, {"제조국", r.MadeIn},
		{"사업자", r.Firm}, {"해외 사업자", r.ForeignFirm},
	} {
		if s := value(labelled.text); s != "" {
			kept = append(kept, labelled.label+": "+s)
		}
	}
	return strings.Join(kept, "\n")
}

func (r *row) images() []string {
	var list []string
	for _, f := range r.Files {
		if strings.HasPrefix(string(f), "http") {
			list = append(list, string(f))
		}
	}
	return list
}

var firstNumber = regexp.MustCompile(`^(?:약 ?)?([\d,]+) ?(?:개|대|점|EA|ea|벌|켤레|세트|set)?$`)

// unitsCount reads how many units were sold, where that is one number.
func (r *row) unitsCount() []recall.UnitCount {
	said := value(r.Amount)
	m := firstNumber.FindStringSubmatch(said)
	if m == nil {
		return nil
	}
	count, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil || count == 0 {
		return nil
	}
	return []recall.UnitCount{{Country: "KR", Count: count, Approximate: strings.HasPrefix(said, "약")}}
}

// product reads the one product of a recall: its models, barcodes, and the
// units that its words limit it to.
func (r *row) product(name, brand string) recall.Product {
	codes := korean.Read(r.prose(), extract.Options{})
	p := recall.Product{Name: name, Brand: brand, Units: codes.Units}
	p.GTINs = agency.Cell{Field: "barcodeNum", Text: value(r.Barcode)}.Barcodes()
	for _, g := range codes.GTINs {
		if !slices.ContainsFunc(p.GTINs, func(have recall.PrintedGTIN) bool { return have.GTIN == g.GTIN }) {
			p.GTINs = append(p.GTINs, g)
		}
	}
	var open bool
	if p.Models, open = r.models(); open {
		p.Units = agency.Cell{Field: "recallModelName", Text: value(r.Model)}.BehindLimits(p.Units, p.Models)
	}
	return p
}

// prose are the fields that may limit a recall by codes.
func (r *row) prose() []extract.Field {
	var fields []extract.Field
	for _, f := range []struct {
		name string
		text agency.Text
	}{{"recallProductName", r.Product}, {"recallModelName", r.Model}, {"publishActionDscr", r.Announcement}} {
		if s := value(f.text); s != "" {
			fields = append(fields, extract.Field{Name: f.name, Text: s})
		}
	}
	return fields
}

var (
	allModels   = regexp.MustCompile(`^(?:전|전체|모든) ?(?:모델|제품|종)?$`)
	furtherOnes = regexp.MustCompile(`\s*외(?: ?\d+ ?(?:종|건|개|모델|품목)(?: 모델)?)?\s*$|\s+등(?: ?\d+ ?(?:종|건|개|모델))?\s*$|\.\.\.$|…$`)
	modelMark   = regexp.MustCompile(`\s*(?:[,;|\n]|\s/\s|\s및\s|\s또는\s)\s*`)
	inBrackets  = regexp.MustCompile(`\s*\([^()]*\)`)
)

// models reads the cell of models. open says that it doesn't name them all: it
// says so, or there are more by the service's own count. A sentence gives none.
func (r *row) models() (models []string, open bool) {
	const longest, mostWords = 60, 5
	cell := value(r.Model)
	if cell == "" || allModels.MatchString(cell) {
		return nil, false
	}
	named := furtherOnes.ReplaceAllString(cell, "")
	open = named != cell
	for _, m := range modelMark.Split(inBrackets.ReplaceAllString(named, ""), -1) {
		m = strings.TrimSpace(m)
		if m == "" {
			continue
		}
		if len(m) > longest || len(strings.Fields(m)) > mostWords || strings.ContainsAny(m, "~:") {
			return nil, false
		}
		if !slices.Contains(models, m) {
			models = append(models, m)
		}
	}
	counted, err := strconv.Atoi(r.ModelCount.Clean())
	return models, len(models) > 0 && (open || err == nil && counted > len(models))
}
