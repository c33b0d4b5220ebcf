package fsa

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// language is that of the alerts: dates in numbers have the day first.
const language = "en-GB"

// units reads a product's batches, which are alternatives.
func units(batches []batch) []recall.Predicate {
	var groups [][]recall.Predicate
	for i := range batches {
		groups = append(groups, batches[i].groups()...)
	}
	return agency.NumberGroups(groups)
}

// groups reads one batch: its codes and the dates that are printed with them.
func (b *batch) groups() [][]recall.Predicate {
	codes := cell("batchCode", b.BatchCode.Clean()).Codes(recall.Batch)
	codes = append(codes, cell("lotNumber", b.LotNumber.Clean()).Codes(recall.Lot)...)
	dates := dateGroups("bestBeforeDescription", b.BestBefore, "bestBeforeDate", b.BestDate, recall.BestBefore)
	dates = append(dates, dateGroups("useByDescription", b.UseBy, "useByDate", b.UseByDate, recall.Expiry)...)
	groups := join(codes, dates)
	if text := b.Text.Clean(); len(groups) == 0 || speaksOfCodes.MatchString(text) {
		groups = append(groups, cell("batchTextDescription", text).Codes(recall.Batch)...)
	}
	return groups
}

// speaksOfCodes tells a remark that limits the batches from one that doesn't.
var speaksOfCodes = regexp.MustCompile(`(?i)\b(?:batch|lot|codes?|dates?|best before|use by|all)\b`)

func cell(field, text string) agency.Cell {
	return agency.Cell{Field: field, Text: text, Language: language}
}

// dateGroups reads what is said of a date, or else the dates themselves.
func dateGroups(field string, said words, dateField string, days []agency.Text, kind recall.UnitKind) [][]recall.Predicate {
	if text := said.Clean(); text != "" {
		return cell(field, text).Dates(kind)
	}
	var groups [][]recall.Predicate
	for _, day := range days {
		text, _, _ := strings.Cut(day.Clean(), "T")
		groups = append(groups, cell(dateField, text).Dates(kind)...)
	}
	return groups
}

// mostPairs bounds the groups that one batch can make.
const mostPairs = 400

// join makes pairs of codes and of the dates that are printed beside them. "All"
// of the one leaves the other to decide.
func join(codes, dates [][]recall.Predicate) [][]recall.Predicate {
	some := func(groups [][]recall.Predicate) [][]recall.Predicate {
		return slices.DeleteFunc(slices.Clone(groups), func(g []recall.Predicate) bool { return len(g) == 1 && g[0].Op == recall.OpAll })
	}
	limitingCodes, limitingDates := some(codes), some(dates)
	switch {
	case len(limitingCodes) == 0 && len(limitingDates) == 0:
		return slices.Concat(codes, dates)[:min(1, len(codes)+len(dates))]
	case len(limitingCodes) == 0:
		return dates
	case len(limitingDates) == 0:
		return codes
	case len(codes)*len(dates) > mostPairs:
		return slices.Concat(codes, dates)
	}
	if len(limitingCodes) < len(codes) { // named batches, and all others: the dates decide
		return dates
	}
	if len(limitingDates) < len(dates) {
		return codes
	}
	var pairs [][]recall.Predicate
	for _, c := range codes {
		for _, d := range dates {
			pairs = append(pairs, slices.Concat(c, d))
		}
	}
	return pairs
}
