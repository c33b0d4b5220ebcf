package healthcanada_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/healthcanada"
	"github.com/crownsafe/api/internal/recall"
)

// table writes a table out of lines of cells that are separated by bars.
func table(lines ...string) string {
	var b strings.Builder
	b.WriteString("<table>")
	for i, line := range lines {
		tag := "td"
		if i == 0 {
			tag = "th"
		}
		b.WriteString("<tr>")
		for cell := range strings.SplitSeq(line, "|") {
			b.WriteString("<" + tag + ">" + strings.TrimSpace(cell) + "</" + tag + ">")
		}
		b.WriteString("</tr>")
	}
	return b.String() + "</table>"
}

func TestTablesOfEachAuthority(t *testing.T) {
	for name, test := range map[string]struct {
		affected string
		want     []string
	}{
		"a consumer product": {
			table("Product | Model number | UPC | Lot number", "Fox | F-1 | 036000291452 | L1, L2", "Owl | O-1 | | All"),
			[]string{"Fox | lot equals L1 | lot equals L2", "Owl | lot all"},
		},
		"food": {
			table("Brand | Product | Size | UPC | Codes", "Penny | Oat bars | 120 g | 036000291452 | Best before 2026 OC 14", "Penny | Bran bars | 90 g | | 26.DE.01, 26.DE.02", "Penny | Rye bars | 80 g | | L6123"),
			[]string{"Oat bars 120 g | best_before equals 2026-10-14", "Bran bars 90 g | best_before equals 2026-12-01 | best_before equals 2026-12-02", "Rye bars 80 g | lot equals L6123"},
		},
		"a drug": {
			table("Brand | Product Name | Market Authorization | Dosage Form | Strength | Lot Number | Expiry Date", "QRV | QRV Drops | DIN 02345678 | Drops | 5 mg | 4417 | 2027-01"),
			[]string{"QRV Drops | lot equals 4417 + expiry equals 2027-01"},
		},
		"a device": {
			table("Affected products | Lot or serial number | Model or catalogue number", "Saw blade | 67001 | 475630", "Saw blade | 67002 | 475630", "Saw blade | 67003 | 475635"),
			[]string{"Saw blade | lot equals 67001 | lot equals 67002", "Saw blade | lot equals 67003"},
		},
		"a vehicle": {
			table("Make | Model | Model Year(s) Affected", "CALDRY | Nestle Seat | 2024"),
			[]string{"Larkmere Wooden Blocks"},
		},
		"a row without codes covers every unit": {
			table("Product | Lot number", "Fox | 4417", "Fox | "), []string{"Fox"},
		},
		"a cell that says nothing certain": {
			table("Product | Lot number", "Fox | Various, see the label"), []string{"Fox | lot unreadable"},
		},
		"a list that goes on": {
			table("Product | Lot number", "Fox | 4417, 4418, etc."), []string{"Fox | lot equals 4417 | lot equals 4418 | lot unreadable"},
		},
		"models that are not all named": {
			table("Product | Model", "Fox | F-1 and others"), []string{"Fox | lot all | lot unreadable"},
		},
		"several codes and dates may stand together in any way": {
			table("Product | Lot | Expiry", "Fox | L1, L2 | 2027-01, 2027-02"),
			[]string{"Fox | lot equals L1 + expiry equals 2027-01 | lot equals L1 + expiry equals 2027-02 | lot equals L2 + expiry equals 2027-01 | lot equals L2 + expiry equals 2027-02"},
		},
		"no table": {"<p>The blocks have lot number 4417 on the box.</p>", []string{"Larkmere Wooden Blocks | lot equals 4417"}},
		"prose beside a table without codes": {
			"<p>They have lot number 4417.</p>" + table("Product | UPC", "Fox | 036000291452"), []string{"Fox | lot equals 4417"},
		},
		"prose beside several products": {
			"<p>They have lot number 4417.</p>" + table("Product | Colour", "Fox | red", "Owl | blue"),
			[]string{"Fox red | lot equals 4417 | lot unreadable", "Owl blue | lot equals 4417 | lot unreadable"},
		},
		"prose beside a table with codes": {
			"<p>Lot number 9999 is not the whole story.</p>" + table("Product | Lot", "Fox | 4417"), []string{"Fox | lot equals 4417"},
		},
		"a table of something else": {table("Province | Stores", "Ontario | 4"), []string{"Larkmere Wooden Blocks"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, told(onPage(t, nil, test.affected).Notice.Products)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCellsOfProducts(t *testing.T) {
	products := onPage(t, nil, table("Brand | Product | Model | UPC", "Penny | Fox | F-1, F-2 | 0 36000 29145 2", "Unbranded | Owl | | shop code 12")).Notice.Products
	type product struct {
		Brand         string
		Models, GTINs []string
	}
	var got []product
	for _, p := range products {
		gtins := []string{}
		for _, g := range p.GTINs {
			gtins = append(gtins, g.GTIN)
		}
		got = append(got, product{p.Brand, p.Models, gtins})
	}
	want := []product{{"Penny", []string{"F-1", "F-2"}, []string{"00036000291452"}}, {"Larkmere", []string{}, []string{}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhereCodesArePrinted(t *testing.T) {
	page := "<p>The serial number is on the box. The lot number is printed on the underside of the toy.</p>" + table("Product | Lot", "Fox | 4417")
	if got := onPage(t, nil, page).Notice.Products[0].Units[0].WherePrinted; got != "on the underside of the toy" {
		t.Errorf("printed %q", got)
	}
}

func TestQuotesAreTheCellsWords(t *testing.T) {
	for _, u := range onPage(t, nil, table("Product | Code(s)", "Fox | Best before 2026 OC 14", "Owl | 26 NO 03")).Notice.Products {
		for _, p := range u.Units {
			if p.Quote.Field != "Code(s)" || p.Quote.Text != "Best before 2026 OC 14" && p.Quote.Text != "26 NO 03" {
				t.Errorf("quote %+v", p.Quote)
			}
		}
	}
}

func TestSectionsAreFoundByTheirHeadings(t *testing.T) {
	const flat = `<body><h1>x</h1><h2>Affected products</h2><p>Lot number 4417.</p><h2>What you should do</h2><p>Return it for a refund.</p><p>Soon.</p>` +
		`<h2>Details</h2><p>Original published date: 2026-08-14</p></body>`
	n := parse(t, healthcanada.FormatPage, saved(row(nil), flat)).Records[0].Notice
	if got := n.Remedy.Text; got != "Return it for a refund.\nSoon." {
		t.Errorf("what to do: %q", got)
	}
	if diff := cmp.Diff([]string{"Larkmere Wooden Blocks | lot equals 4417"}, told(n.Products)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := n.PublishedAt.Format("2006-01-02"); got != "2026-08-14" || n.UpdatedAt.Format("2006-01-02") != "2026-11-20" {
		t.Errorf("published %s, updated %s", got, n.UpdatedAt)
	}
}

func TestAPageInFrench(t *testing.T) {
	const flat = `<main><h1>x</h1><h2>Produits touchés</h2><table><tr><th>Nom du produit</th><th>Numéro de lot</th></tr><tr><td>Hochet</td><td>4417</td></tr></table>` +
		`<h2>Ce que vous devriez faire</h2><p>Cesser d’utiliser le hochet.</p></main>`
	n := parse(t, healthcanada.FormatPage, saved(row(map[string]any{"URL": "https://x/fr/y"}), flat)).Records[0].Notice
	if diff := cmp.Diff([]string{"Hochet | lot equals 4417"}, told(n.Products)); diff != "" || n.Language != "fr" {
		t.Errorf("language %s, products (-want +got):\n%s", n.Language, diff)
	}
	if diff := cmp.Diff([]recall.RemedyType{recall.RemedyStopUse}, n.Remedy.Types); diff != "" {
		t.Errorf("remedy (-want +got):\n%s", diff)
	}
}

func TestWhatIsNoNoticesPageIsRejected(t *testing.T) {
	for name, html := range map[string]string{
		"an apology":        `<html><head><title>Sorry</title></head><body>later</body></html>`,
		"without a heading": `<main><h2>Affected products</h2><p>Lot 1</p></main>`,
		"without a section": `<main><h1>x</h1><p>Lot 1</p></main>`,
		"nothing":           ``,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := agencytest.Parse(t.Context(), newAgency(), healthcanada.FormatPage, []byte(saved(row(nil), html)))
			if err != nil || len(p.Records) != 0 || len(p.Rejects) != 1 || p.Rejects[0].NativeID != "90100" {
				t.Errorf("records %v, rejects %+v, error %v; want a reject of 90100", p.Records, p.Rejects, err)
			}
		})
	}
}
