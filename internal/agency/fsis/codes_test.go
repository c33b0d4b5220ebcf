package fsis_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/recall"
)

// told writes a product's predicates, those of one group on one line.
func told(p recall.Product) []string {
	lines := []string{}
	for i, u := range p.Units {
		text := string(u.Kind) + " " + string(u.Op)
		if u.From != nil {
			text += " " + *u.From
		}
		if u.To != nil && u.Op == recall.OpRange {
			text += ".." + *u.To
		}
		if i > 0 && p.Units[i-1].Group == u.Group {
			lines[len(lines)-1] += " + " + text
			continue
		}
		lines = append(lines, text)
	}
	return lines
}

func TestQuotedLabels(t *testing.T) {
	for line, want := range map[string][]string{
		`“X HAM” with a “USE BY” date of “MAR 11 2019” and lot code 4417`:       {"lot equals 4417 + best_before equals 2019-03-11"},
		`"X HAM" with "Sell By" dates from 03/11/18 to 4/26/18`:                 {"best_before range 2018-03-11..2018-04-26"},
		`“X HAM” with “Best by/Use by” dates of 12/07/2017 with lot code 93023`: {"lot equals 93023 + best_before equals 2017-12-07"},
		`“X HAM” with “Best By” or “Use By” dates of 7/16/2015 and 7/18/2015`:   {"best_before equals 2015-07-16", "best_before equals 2015-07-18"},
		`“X HAM” with “Enjoy by” dates of 7/16-7/26 stamped on it`:              {"best_before unreadable"},
		`“X HAM” with a use by date of 09/2022`:                                 {"best_before equals 2022-09"},
		`“X HAM” with no dates`:                                                 {},
	} {
		t.Run(line, func(t *testing.T) {
			p := one(t, map[string]any{"field_product_items": line}).Notice.Products[0]
			if diff := cmp.Diff(want, told(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if p.Name != "X HAM" {
				t.Errorf("name %q", p.Name)
			}
			for _, u := range p.Units {
				if line[u.Quote.Start:u.Quote.End] != u.Quote.Text {
					t.Errorf("the quote %+v doesn't stand there", u.Quote)
				}
			}
		})
	}
}

func TestAProductWithAnotherOnesLabel(t *testing.T) {
	products := one(t, map[string]any{"field_product_items": `4-lb. tubs containing “Larch Minestrone Soup” with a “Larch Beef Soup” label with lot code 4417.`}).Notice.Products
	var names []string
	for _, p := range products {
		names = append(names, p.Name)
		if diff := cmp.Diff([]string{"lot equals 4417"}, told(p)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
	if diff := cmp.Diff([]string{"Larch Minestrone Soup", "Larch Beef Soup"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheReleaseCompletesACutLine(t *testing.T) {
	line := "12-oz. packages of “LARCH SOUP” " + strings.Repeat("in a very plain package ", 10) + "with lot codes 4417 and 4418."
	fields := map[string]any{"field_product_items": "•\t" + string([]rune(line)[:255])}
	if diff := cmp.Diff([]string{}, told(one(t, fields).Notice.Products[0])); diff != "" {
		t.Errorf("without the release it covers every unit (-want +got):\n%s", diff)
	}
	fields["field_summary"] = "<p>Larkmere Foods is recalling soup.</p><ul><li>" + line + "</li><li>Another.</li></ul>"
	n := one(t, fields).Notice
	if diff := cmp.Diff([]string{"lot equals 4417", "lot equals 4418"}, told(n.Products[0])); diff != "" {
		t.Errorf("with it (-want +got):\n%s", diff)
	}
	if q := n.Products[0].Units[0].Quote; q.Field != "field_summary" || n.Summary[q.Start:q.End] != q.Text {
		t.Errorf("quote %+v", q)
	}
}
