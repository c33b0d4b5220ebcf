package opss_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/opss"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *opss.Agency { return opss.New(opss.Options{Now: now}) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func parse(t *testing.T, payload []byte) (agencytest.Parsed, error) {
	t.Helper()
	a := newAgency()
	r := a.Recognise("payload", payload[:min(len(payload), agency.RecogniseBytes)])
	if r.Kind != agency.Notices {
		t.Fatalf("recognised as %+v, want notices", r)
	}
	return agencytest.Parse(t.Context(), a, r.Format, payload)
}

// item writes an item of the content API with a body and further fields.
func item(body string, fields map[string]any) []byte {
	all := map[string]any{
		"base_path":          "/product-safety-alerts-reports-recalls/product-recall-zorbino-lamp-2609-0911",
		"document_type":      "product_safety_alert_report_recall",
		"content_id":         "00000000-0000-4000-8000-000000000911",
		"title":              "Product Recall: Zorbino Lamp (2609-0911)",
		"description":        "Product Recall for Zorbino Lamp presenting a risk of fire.",
		"first_published_at": "2026-09-10T09:00:00Z",
		"public_updated_at":  "2026-09-11T09:00:00Z",
		"details":            map[string]any{"body": body},
	}
	for name, value := range fields {
		if value == nil {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err) // strings and maps are always JSON
	}
	return raw
}

// table writes a body with one product's table, from pairs of label and value.
func table(pairs ...string) string {
	var b strings.Builder
	b.WriteString("<h2>Product information</h2><table><thead><tr><th>Type</th><th>Lamps</th></tr></thead><tbody>")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td></tr>", pairs[i], pairs[i+1])
	}
	return b.String() + "</tbody></table>"
}

func one(t *testing.T, payload []byte) agency.Record {
	t.Helper()
	p, err := parse(t, payload)
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	if err := recall.Lint(&p.Records[0].Notice, now()); err != nil {
		t.Fatal(err)
	}
	return p.Records[0]
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"content.json", "search.json"} {
		t.Run(name, func(t *testing.T) {
			first, err := parse(t, read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			again, err := parse(t, read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("reading twice gives two results (-first +again):\n%s", diff)
			}
			got, err := json.MarshalIndent(first, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			agencytest.Golden(t, filepath.Join("testdata", name+".golden"), append(got, '\n'), *update)
		})
	}
}

func TestRecognise(t *testing.T) {
	const ours = "/product-safety-alerts-reports-recalls/"
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"an item":                        {`{"base_path":"` + ours + `x","details":{},"document_type":"product_safety_alert_report_recall"}`, agency.Recognition{Kind: agency.Notices, Format: opss.FormatItem}},
		"an item whose body is cut":      {`{"base_path":"` + ours + `x","details":{"body":"<p>`, agency.Recognition{Kind: agency.Notices, Format: opss.FormatItem}},
		"several items":                  {`[{"base_path":"` + ours + `x","details":{}}]`, agency.Recognition{Kind: agency.Notices, Format: opss.FormatItem}},
		"where a renamed notice was":     {`{"base_path":"` + ours + `x","document_type":"redirect","redirects":[],"schema_name":"redirect"}`, agency.Recognition{Kind: agency.Empty, Format: opss.FormatItem, Note: "the notice has moved or was taken down"}},
		"another agency's item":          {`{"base_path":"/drug-device-alerts/x","details":{},"document_type":"medical_safety_alert"}`, agency.Recognition{}},
		"the finder's own page":          {`{"base_path":"/product-safety-alerts-reports-recalls","filter":{},"facets":[]}`, agency.Recognition{}},
		"another kind at our address":    {`{"base_path":"` + ours + `email-signup","document_type":"finder_email_signup"}`, agency.Recognition{}},
		"search results":                 {`{"results":[{"link":"` + ours + `x","document_type":"product_safety_alert_report_recall"}],"total":1}`, agency.Recognition{Kind: agency.Notices, Format: opss.FormatSearch}},
		"results of another kind":        {`{"results":[{"link":"/drug-device-alerts/x"}],"total":1}`, agency.Recognition{}},
		"no results":                     {`{"results":[],"total":0,"suggested_queries":[]}`, agency.Recognition{Kind: agency.Empty, Format: opss.FormatSearch}},
		"another service's empty answer": {`{"results":[],"total":0}`, agency.Recognition{}},
		"a web page":                     {`<!DOCTYPE html><title>Sorry</title>`, agency.Recognition{}},
		"nothing":                        {``, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNativeIDs(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		fields map[string]any
		want   string
		former []string
	}{
		"from the title":     {fields: map[string]any{"title": "Product Recall: Lamp (PSD 2503-0912A)"}, want: "uk-opss:2503-0912a", former: []string{"uk-opss:00000000-0000-4000-8000-000000000911"}},
		"from the body":      {body: "<p>PSD notification number: 2101-0913</p>", fields: map[string]any{"title": "Product Recall: Lamp", "base_path": "/product-safety-alerts-reports-recalls/lamp"}, want: "uk-opss:2101-0913", former: []string{"uk-opss:00000000-0000-4000-8000-000000000911"}},
		"from the address":   {fields: map[string]any{"title": "Product Recall: Lamp"}, want: "uk-opss:2609-0911", former: []string{"uk-opss:00000000-0000-4000-8000-000000000911"}},
		"years are none":     {fields: map[string]any{"title": "Product Recall: Lamp (2019-2021)", "base_path": "/product-safety-alerts-reports-recalls/lamp-2019-2021"}, want: "uk-opss:00000000-0000-4000-8000-000000000911"},
		"without a number":   {fields: map[string]any{"title": "Product Recall: Lamp", "base_path": "/product-safety-alerts-reports-recalls/lamp"}, want: "uk-opss:00000000-0000-4000-8000-000000000911"},
		"a renamed address":  {fields: map[string]any{"base_path": "/product-safety-alerts-reports-recalls/renamed"}, want: "uk-opss:2609-0911", former: []string{"uk-opss:00000000-0000-4000-8000-000000000911"}},
		"without content_id": {fields: map[string]any{"content_id": nil}, want: "uk-opss:2609-0911"},
	} {
		t.Run(name, func(t *testing.T) {
			r := one(t, item(test.body, test.fields))
			if diff := cmp.Diff(test.former, r.FormerIDs); diff != "" || r.Notice.ID != test.want {
				t.Errorf("id %s, want %s; former ids (-want +got):\n%s", r.Notice.ID, test.want, diff)
			}
		})
	}
}

func TestWithdrawn(t *testing.T) {
	for name, test := range map[string]struct {
		notice any
		want   recall.Status
	}{
		"stands":               {map[string]any{}, recall.Active},
		"null":                 {nil, recall.Active},
		"taken back":           {map[string]any{"explanation": "<p>Published in error.</p>", "withdrawn_at": "2026-09-12T10:00:00Z"}, recall.Withdrawn},
		"taken back, no words": {map[string]any{"withdrawn_at": "2026-09-12T10:00:00Z"}, recall.Withdrawn},
	} {
		if got := one(t, item("", map[string]any{"withdrawn_notice": test.notice})).Notice.Status; got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// ask answers a question from one notice.
func ask(t *testing.T, n recall.Notice, u recall.Unit) recall.Outcome {
	t.Helper()
	q, err := recall.Read(u)
	if err != nil {
		t.Fatal(err)
	}
	return recall.Decide(&q, []*recall.Notice{&n}).Outcome
}

func TestVerdictsOfCells(t *testing.T) {
	unit := func(lot string) recall.Unit { return recall.Unit{Brand: "Zorbino", Name: "lamp", Lot: lot} }
	for name, test := range map[string]struct {
		cells []string
		unit  recall.Unit
		want  recall.Outcome
	}{
		"a batch of the list":                  {[]string{"Batches", "70101, 70102"}, unit("70102"), recall.Affected},
		"another batch":                        {[]string{"Batches", "70101, 70102"}, unit("80999"), recall.NotAffected},
		"no batch given":                       {[]string{"Batches", "70101, 70102"}, unit(""), recall.NeedCode},
		"another batch where all are":          {[]string{"Batches", "70101, 70102 (All batches)"}, unit("80999"), recall.Affected},
		"all, in a word":                       {[]string{"Batch number", "All"}, unit("80999"), recall.Affected},
		"unknown batches limit nothing":        {[]string{"Batches", "Unknown"}, unit("80999"), recall.Affected},
		"a list that goes on":                  {[]string{"Batches", "70101 and others"}, unit("80999"), recall.NeedCode},
		"a remark that says nothing of lots":   {[]string{"Batches", "see packaging"}, unit("80999"), recall.NeedCode},
		"a serial number":                      {[]string{"Serial number", "SN7001 to SN7050"}, recall.Unit{Brand: "Zorbino", Name: "lamp", Serial: "SN7020"}, recall.Affected},
		"a barcode among remarks":              {[]string{"Barcode", "4006381333931 (white), item 88231"}, recall.Unit{GTIN: "4006381333931"}, recall.Affected},
		"a model of several":                   {[]string{"Model", "ZL-410 and ZL-411"}, recall.Unit{Brand: "Zorbino", Model: "ZL411"}, recall.Affected},
		"another model":                        {[]string{"Model", "ZL-410 and ZL-411", "Barcode", "4006381333931"}, recall.Unit{GTIN: "4006381333931", Model: "QX-900"}, recall.NotAffected},
		"another model of a list that goes on": {[]string{"Model", "ZL-410, ZL-411 and others", "Barcode", "4006381333931"}, recall.Unit{GTIN: "4006381333931", Model: "QX-900"}, recall.NeedCode},
		"a number of the shop":                 {[]string{"SKU", "ZL410"}, recall.Unit{Brand: "Zorbino", Model: "ZL410"}, recall.Affected},
	} {
		t.Run(name, func(t *testing.T) {
			n := one(t, item(table(append([]string{"Brand", "Zorbino"}, test.cells...)...), nil)).Notice
			if got := ask(t, n, test.unit); got != test.want {
				t.Errorf("%s, want %s (products %+v)", got, test.want, n.Products)
			}
		})
	}
}

func TestTablesOfSeveralProducts(t *testing.T) {
	for name, body := range map[string]string{
		"a column for each": `<table><tr><th>Type</th><th>Lamp</th><th>Lamp</th></tr><tr><td>Brand</td><td>Zorbino</td><td>Zorbino</td></tr><tr><td>Barcode</td><td>4006381333931</td><td>036000291452</td></tr></table>`,
		"a row for each":    `<table><tr><th>Brand</th><th>Colour</th><th>Barcode</th></tr><tr><td>Zorbino</td><td>red</td><td>4006381333931</td></tr><tr><td>Zorbino</td><td>blue</td><td>036000291452</td></tr></table>`,
		"a table for each":  table("Brand", "Zorbino", "Barcode", "4006381333931") + table("Brand", "Zorbino", "Barcode", "036000291452"),
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range one(t, item(body, nil)).Notice.Products {
				for _, g := range p.GTINs {
					got = append(got, p.Brand+" "+g.GTIN)
				}
			}
			if diff := cmp.Diff([]string{"Zorbino 04006381333931", "Zorbino 00036000291452"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFurtherNotificationsOfOneNotice(t *testing.T) {
	n := one(t, item(table("Brand", "Zorbino", "2609-0912", "Twirl 4 table lamp"), nil)).Notice
	if len(n.Products) != 2 || n.Products[1].Name != "Twirl 4 table lamp" || n.Products[1].Brand != "Zorbino" {
		t.Errorf("products %+v, want the second notification's too", n.Products)
	}
}

func TestProseWithoutATable(t *testing.T) {
	n := one(t, item(`<h2>Hazard</h2><p>The lamp overheats.</p><h2>Corrective action</h2><p>Only lamps with batch number 70101 are affected.</p>`, nil)).Notice
	if got := ask(t, n, recall.Unit{Brand: "Zorbino", Name: "lamp", Lot: "70101"}); got != recall.Affected {
		t.Errorf("%s, want affected (%+v)", got, n.Products)
	}
}

func TestChangedBytesWithEqualContent(t *testing.T) {
	before := one(t, item(table("Brand", "Zorbino"), nil))
	after := one(t, item(table("Brand", "Zorbino"), map[string]any{"updated_at": "2026-11-01T00:00:00Z", "publishing_request_id": "other", "links": map[string]any{"x": 1}, "public_updated_at": "2026-11-01T00:00:00Z"}))
	if before.SourceHash != after.SourceHash {
		t.Error("what GOV.UK changes whenever it republishes changes the hash")
	}
	if edited := one(t, item(table("Brand", "Zorbina"), nil)); edited.SourceHash == before.SourceHash {
		t.Error("an edit doesn't change the hash")
	}
}

func TestBadRecordsAreRejectedAlone(t *testing.T) {
	good := string(item("", nil))
	for name, test := range map[string]struct{ record, reason string }{
		"no date":        {string(item("", map[string]any{"first_published_at": nil, "public_updated_at": nil})), "neither product_recall_alert_date"},
		"a date to come": {string(item("", map[string]any{"first_published_at": "2031-01-01T00:00:00Z", "public_updated_at": nil})), "outside 1967"},
		"no id":          {string(item("", map[string]any{"title": "Lamp", "content_id": nil, "base_path": "/product-safety-alerts-reports-recalls/lamp"})), "neither a number"},
		"no object":      {`7`, "reading the item"},
		"an abyss":       {string(item(strings.Repeat("<div>", 5000), nil)), "reading the body"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := parse(t, []byte("["+good+","+test.record+","+good+"]"))
			if err != nil || len(p.Records) != 2 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, test.reason) || p.Rejects[0].Position != 2 {
				t.Errorf("%d records, rejects %+v, error %v", len(p.Records), p.Rejects, err)
			}
		})
	}
}

func TestOtherDocumentsAreNoFault(t *testing.T) {
	p, err := parse(t, []byte(`[`+string(item("", nil))+`,{"base_path":"/drug-device-alerts/x","document_type":"medical_safety_alert"}]`))
	if err != nil || len(p.Records) != 1 || len(p.Rejects) != 0 {
		t.Errorf("%d records, rejects %v, error %v; want the one notice", len(p.Records), p.Rejects, err)
	}
}

func TestParseStops(t *testing.T) {
	stop := errors.New("stop")
	err := newAgency().Parse(t.Context(), opss.FormatItem, strings.NewReader(string(item("", nil))), agency.Sink{Record: func(agency.Record) error { return stop }})
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want the sink's", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := agencytest.Parse(ctx, newAgency(), opss.FormatItem, item("", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if _, err := agencytest.Parse(t.Context(), newAgency(), opss.FormatSearch, read(t, "search.json")[:900]); !errors.Is(err, agency.ErrTruncated) {
		t.Errorf("error %v, want one of a cut payload", err)
	}
	if _, err := agencytest.Parse(t.Context(), newAgency(), "pdf", nil); err == nil {
		t.Error("a format that the agency hasn't was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"content.json", "search.json"} {
		f.Add(read(f, name))
	}
	f.Add([]byte(`{"title":"Lamp (2001-0001)","link":"/product-safety-alerts-reports-recalls/x","product_recall_alert_date":"2020-01-10"}`)) // no public_timestamp
	f.Add(item(table("Batches", "1 to 2 (All", "Barcode", "(("), nil))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, format := range []string{opss.FormatItem, opss.FormatSearch} {
			p, _ := agencytest.Parse(t.Context(), newAgency(), format, payload)
			for _, r := range p.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil && r.Notice.Title != "" {
					t.Errorf("%v: %+v", err, r.Notice)
				}
			}
		}
	})
}

func TestWhomToTurnToStandsInOnePlace(t *testing.T) {
	for name, test := range map[string]struct{ action, text, contact string }{
		"its own paragraph": {
			"<p>Stop using the lamp and return it.</p><p>Contact Zorbino on 0555 0100.</p>",
			"Stop using the lamp and return it.", "Contact Zorbino on 0555 0100.",
		},
		"in the middle of a paragraph": {
			"<p>Stop using the lamp. Email care@zorbino.example for a label. The shop gives the price back.</p>",
			"Stop using the lamp. The shop gives the price back.", "Email care@zorbino.example for a label.",
		},
		"behind an abbreviation": {
			"<p>Unplug the lamp. Contact Zorbino Ltd. Unit 5, Lampton.</p>",
			"Unplug the lamp.", "Contact Zorbino Ltd. Unit 5, Lampton.",
		},
		"nothing else": {"<p>Stop using the lamp and contact the shop.</p>", "", "Stop using the lamp and contact the shop."},
		"nobody":       {"<p>Stop using the lamp.</p>", "Stop using the lamp.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := one(t, item(table("Brand", "Zorbino")+"<h2>Corrective action</h2>"+test.action, nil)).Notice
			if n.Remedy.Text != test.text || n.Remedy.Contact != test.contact {
				t.Errorf("text %q, contact %q; want %q and %q", n.Remedy.Text, n.Remedy.Contact, test.text, test.contact)
			}
		})
	}
}
