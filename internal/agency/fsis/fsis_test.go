package fsis_test

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
	"github.com/crownsafe/api/internal/agency/fsis"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *fsis.Agency { return fsis.New(fsis.Options{Now: now}) }

func parse(t *testing.T, payload string) agencytest.Parsed {
	t.Helper()
	p, err := agencytest.Parse(t.Context(), newAgency(), fsis.FormatRecalls, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// row writes an English row that has everything that a notice needs, and fields.
func row(fields map[string]any) string {
	all := map[string]any{
		"field_title": "Larkmere Foods Recalls Beef Stew Products Due to Possible Listeria Contamination", "field_recall_number": "901-2026",
		"field_recall_date": "2026-01-05", "field_recall_type": "Recall", "field_active_notice": "True", "langcode": "English",
		"field_summary": "WASHINGTON, Jan. 5, 2026 – Larkmere Foods, an Ohio establishment, is recalling beef stew.",
	}
	for name, value := range fields {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err) // maps of strings, booleans and lists are always JSON
	}
	return string(raw)
}

func rows(list ...string) string { return "[" + strings.Join(list, ",") + "]" }

func one(t *testing.T, fields map[string]any) agency.Record {
	t.Helper()
	p := parse(t, rows(row(fields)))
	if len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v; want one record", len(p.Records), p.Rejects)
	}
	return p.Records[0]
}

func TestGolden(t *testing.T) {
	const name = "recalls.json"
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if r := newAgency().Recognise(name, payload); r.Kind != agency.Notices || r.Format != fsis.FormatRecalls {
		t.Fatalf("recognised as %+v", r)
	}
	p := parse(t, string(payload))
	for _, r := range p.Records {
		if err := recall.Lint(&r.Notice, now()); err != nil {
			t.Errorf("%s: %v", r.Notice.ID, err)
		}
	}
	got, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	agencytest.Golden(t, filepath.Join("testdata", name+".golden"), append(got, '\n'), *update)
}

func TestRecognise(t *testing.T) {
	whole := rows(row(nil), row(nil))
	notices := agency.Recognition{Kind: agency.Notices, Format: fsis.FormatRecalls}
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"an answer":                  {whole, notices},
		"the beginning of an answer": {whole[:len(whole)-40], notices},
		"a broken row in front":      {rows(`{"field_year":"2020"}`, row(nil)), notices},
		"one bare row":               {row(nil), agency.Recognition{}},
		"another agency's array":     {`[{"RecallID":1,"RecallNumber":"26901"}]`, agency.Recognition{}},
		"an empty list is anybody's": {`[]`, agency.Recognition{}},
		"a web page":                 {`<html></html>`, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("whatever", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOneNoticeForBothLanguages(t *testing.T) {
	english := row(nil)
	spanish := row(map[string]any{"langcode": "Spanish", "field_title": "Larkmere Foods Retira Guiso de Res Debido a Listeria"})
	spanishOnly := row(map[string]any{"langcode": "Spanish", "field_recall_number": "902-2026", "field_title": "Larkmere Foods Retira Guiso de Res Debido a Listeria"})
	for name, test := range map[string]struct {
		payload string
		want    []string
	}{
		"English first":             {rows(english, spanish), []string{"us-fsis:901-2026 en"}},
		"Spanish first":             {rows(spanish, english), []string{"us-fsis:901-2026 en"}},
		"Spanish alone":             {rows(spanish), []string{"us-fsis:901-2026 es"}},
		"Spanish twice":             {rows(spanish, spanish), []string{"us-fsis:901-2026 es"}},
		"Spanish of another notice": {rows(spanishOnly, english), []string{"us-fsis:901-2026 en", "us-fsis:902-2026 es"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range parse(t, test.payload).Records {
				got = append(got, r.Notice.ID+" "+r.Notice.Language)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if en, es := one(t, nil), parse(t, rows(spanish)).Records[0]; en.Completeness <= es.Completeness {
		t.Errorf("completeness: English %d, Spanish %d; a translation must never replace the original", en.Completeness, es.Completeness)
	}
}

func TestNumbers(t *testing.T) {
	for number, want := range map[string]struct {
		id      string
		aliases []recall.Alias
	}{
		"040-2022":             {"us-fsis:040-2022", []recall.Alias{}},
		" 034-2024 ":           {"us-fsis:034-2024", []recall.Alias{}},
		"PHA-10072025-01":      {"us-fsis:PHA-10072025-01", []recall.Alias{}},
		"050-2011-EXP":         {"us-fsis:050-2011-EXP", []recall.Alias{{ID: "us-fsis:050-2011", Kind: recall.Declared}}},
		"027-2016 expansion-3": {"us-fsis:027-2016-expansion-3", []recall.Alias{{ID: "us-fsis:027-2016", Kind: recall.Declared}}},
		"014-2015(Original)":   {"us-fsis:014-2015(Original)", []recall.Alias{{ID: "us-fsis:014-2015", Kind: recall.Declared}}},
		"pha-051617-exp":       {"us-fsis:pha-051617-exp", []recall.Alias{{ID: "us-fsis:pha-051617", Kind: recall.Declared}}},
	} {
		t.Run(number, func(t *testing.T) {
			n := one(t, map[string]any{"field_recall_number": number}).Notice
			if n.ID != want.id {
				t.Errorf("id %q, want %q", n.ID, want.id)
			}
			if diff := cmp.Diff(want.aliases, n.Aliases); diff != "" {
				t.Errorf("aliases (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpellingsOfAValue(t *testing.T) {
	manual := map[string]any{
		"field_states": "Ohio, Maine", "field_active_notice": "True", "field_archive_recall": "False", "field_qty_recovered": "12",
		"field_recall_reason": "Misbranding, Unreported Allergens",
	}
	others := map[string]any{
		"field_states": []string{"Ohio", "Maine"}, "field_active_notice": "True", "field_archive_recall": "False", "field_qty_recovered": 12,
		"field_recall_reason": []string{"Misbranding", "Unreported Allergens"}, "field_labels": nil, "field_distro_list": "",
	}
	a, b := one(t, manual), one(t, others)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("a list as a string and as an array (-string +array):\n%s", diff)
	}
	if c := one(t, map[string]any{"field_active_notice": "False"}); c.Notice.AgencyStatus != "Closed Recall" || c.SourceHash == a.SourceHash {
		t.Errorf("a closed recall: status %q, same content: %v", c.Notice.AgencyStatus, c.SourceHash == a.SourceHash)
	}
	if d := one(t, map[string]any{"field_active_notice": true}); d.Notice.AgencyStatus != "Active Recall" {
		t.Errorf("a bare true: status %q", d.Notice.AgencyStatus)
	}
}

func TestStatus(t *testing.T) {
	for name, test := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"active":                       {nil, "Active Recall"},
		"active with a closing date":   {map[string]any{"field_closed_date": "2026-02-01"}, "Active Recall"},
		"archived":                     {map[string]any{"field_active_notice": "False", "field_archive_recall": "True"}, "Archived Recall"},
		"the live service's own words": {map[string]any{"field_recall_type": "Closed Recall"}, "Closed Recall"},
		"an alert by its risk level":   {map[string]any{"field_risk_level": "Public Health Alert"}, "Public Health Alert"},
	} {
		t.Run(name, func(t *testing.T) {
			n := one(t, test.fields).Notice
			if n.AgencyStatus != test.want || n.Status != recall.Active {
				t.Errorf("status %q, agency's %q; want active, %q", n.Status, n.AgencyStatus, test.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for line, want := range map[string][2]string{
		`12-oz. packages of “VELLORA GRILLED STRIPS” with lot code 4417`:             {"VELLORA GRILLED STRIPS", "Larkmere Foods"},
		`Packages with “use by” date “01/02/27” and “Vellora GRILLED HAM STRIPS”`:    {"Vellora GRILLED HAM STRIPS", "Vellora"},
		`5-lb. boxes of "Vellora" brand boneless beef shanks with case code 12`:      {"Vellora brand boneless beef shanks", "Vellora"},
		`one pound packages containing “Turnway Farm”, “GROUND BEEF” and lot 2412`:   {"Turnway Farm GROUND BEEF", "Turnway Farm"},
		`3-oz. packages containing Vellora Maple Links, with lot codes 1 and 2`:      {"Vellora Maple Links", "Larkmere Foods"},
		`12-oz. cans of "SkyRings" with Meatballs (Cars), bearing product code "U5"`: {"SkyRings with Meatballs (Cars)", "Larkmere Foods"},
		`“MADE ON” date of “01/02/27” and “Vellora GRILLED HAM STRIPS”`:              {"Vellora GRILLED HAM STRIPS", "Vellora"},
		`“01/02/27”`: {"Beef Stew Products", "Larkmere Foods"},
	} {
		t.Run(line, func(t *testing.T) {
			p := one(t, map[string]any{"field_product_items": "•\t" + line}).Notice.Products[0]
			if got := [2]string{p.Name, p.Brand}; got != want {
				t.Errorf("name and brand %q, want %q", got, want)
			}
		})
	}
}

func TestNamesFromTitlesAndReleases(t *testing.T) {
	for name, test := range map[string]struct {
		title, summary, establishment string
		product, brand                string
	}{
		"a firm":                      {"Larkmere Foods, Inc. Recalls Pork Pie Products Due to Misbranding", "", "", "Pork Pie Products", "Larkmere Foods"},
		"a firm that has other names": {"Larkmere Foods LLC, dba Penny Pies, Recalls Pork Pies Produced Without Inspection", "", "", "Pork Pies", "Larkmere Foods"},
		"a nameless firm":             {"Ohio Firm Recalls Pork Pie Products Due to Misbranding", "WASHINGTON, May 3, 2011 - Larkmere Foods, a Dell, Ohio, establishment, is recalling 12 pounds of pies.", "", "Pork Pie Products", "Larkmere Foods"},
		"an establishment":            {"Ohio Firm Recalls Pork Pies Due to Misbranding", "", "Larkmere Foods Corp.", "Pork Pies", "Larkmere Foods"},
		"an alert":                    {"FSIS Issues Public Health Alert for Imported Duck Due to Import Violation", "WASHINGTON, May 3, 2021 – The U.S. Department of Agriculture’s FSIS is issuing it.", "", "Imported Duck", ""},
		"a report":                    {"Recall Notification Report 928-2015 (Bratwurst)", "", "Larkmere", "Bratwurst", "Larkmere"},
		"a report without more":       {"Recall Notification Report", "WASHINGTON, Feb. 5, 2011 - Larkmere, a Dell firm, is recalling approximately 87 pounds of cheese dip products because they hold milk.", "", "cheese dip products", "Larkmere"},
	} {
		t.Run(name, func(t *testing.T) {
			p := one(t, map[string]any{"field_title": test.title, "field_summary": test.summary, "field_establishment": test.establishment}).Notice.Products[0]
			if p.Name != test.product || p.Brand != test.brand {
				t.Errorf("name %q, brand %q; want %q, %q", p.Name, p.Brand, test.product, test.brand)
			}
		})
	}
}

func TestCodesBelongToTheirLine(t *testing.T) {
	n := one(t, map[string]any{"field_product_items": "•\t“ALDER HAM” with lot code 4417.\n•\t“BIRCH HAM” with lot code 5528.\n•\t“CEDAR HAM”"}).Notice
	var got []string
	for _, p := range n.Products {
		codes := p.Name + ":"
		for _, u := range p.Units {
			codes += " " + *u.From
			if quoted := n.Summary; !strings.Contains(quoted, u.Quote.Text) {
				t.Errorf("the quote %q is not in the notice's words", u.Quote.Text)
			}
		}
		got = append(got, codes)
	}
	if diff := cmp.Diff([]string{"ALDER HAM: 4417", "BIRCH HAM: 5528", "CEDAR HAM:"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQuotesStandInTheWholeField(t *testing.T) {
	list := "•\t“ALDER HAM” with lot code 4417.\n•\t“BIRCH HAM” with lot code 5528."
	cleaned := agency.Clean(list)
	for _, p := range one(t, map[string]any{"field_product_items": list}).Notice.Products {
		for _, u := range p.Units {
			if got := cleaned[u.Quote.Start:u.Quote.End]; got != u.Quote.Text {
				t.Errorf("at %d to %d stands %q, the quote says %q", u.Quote.Start, u.Quote.End, got, u.Quote.Text)
			}
		}
	}
}

func TestTheReleaseLimitsWhereNoLineDoes(t *testing.T) {
	summary := "WASHINGTON, Jan. 5, 2026 – Larkmere Foods, an Ohio establishment, is recalling ham. The ham has lot code 4417."
	for name, test := range map[string]struct {
		list string
		want []recall.Op
	}{
		"one line":      {"•\t“ALDER HAM”", []recall.Op{recall.OpEquals}},
		"several lines": {"•\t“ALDER HAM”\n•\t“BIRCH HAM”", []recall.Op{recall.OpEquals, recall.OpUnreadable}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range one(t, map[string]any{"field_product_items": test.list, "field_summary": summary}).Notice.Products {
				var ops []recall.Op
				for _, u := range p.Units {
					ops = append(ops, u.Op)
				}
				if diff := cmp.Diff(test.want, ops); diff != "" {
					t.Errorf("%s (-want +got):\n%s", p.Name, diff)
				}
			}
		})
	}
}

func TestCutTextBoundsNothing(t *testing.T) {
	cutLine := "“ALDER HAM” with lot code 4417 " + strings.Repeat("printed on the label ", 20)
	for name, fields := range map[string]map[string]any{
		"a line cut at its longest":        {"field_product_items": "•\t" + cutLine[:255+len("“”")-2*len("\"")]},
		"a line that ends in a small word": {"field_product_items": "•\t“ALDER HAM” with lot code 4417 on the"},
		"a release with an ellipsis":       {"field_summary": "WASHINGTON, Jan. 5, 2026 – Larkmere Foods recalls ham with lot code 4417 and..."},
	} {
		t.Run(name, func(t *testing.T) {
			record := one(t, fields)
			open := false
			for _, u := range record.Notice.Products[0].Units {
				open = open || u.Op == recall.OpUnreadable
			}
			if !open {
				t.Errorf("units %+v: nothing says that the list may go on", record.Notice.Products[0].Units)
			}
			if whole := one(t, nil); record.Completeness >= whole.Completeness {
				t.Errorf("completeness %d, a whole copy has %d", record.Completeness, whole.Completeness)
			}
		})
	}
}

func TestHazards(t *testing.T) {
	for name, test := range map[string]struct {
		fields map[string]any
		want   []recall.HazardType
	}{
		"of the title": {nil, []recall.HazardType{recall.HazardMicrobial}},
		"of the reason": {map[string]any{"field_title": "Larkmere Recalls Ham", "field_recall_reason": "Misbranding, Unreported Allergens"},
			[]recall.HazardType{recall.HazardMislabelled, recall.HazardAllergen}},
		"none of the taxonomy": {map[string]any{"field_title": "Larkmere Recalls Ham", "field_recall_reason": "Import Violation"}, []recall.HazardType{recall.HazardOther}},
		"a place is no hazard": {map[string]any{"field_summary": "WASHINGTON, May 1, 2020 – Larkmere, a Chippewa Falls, Wis. firm, is recalling beef cuts."}, []recall.HazardType{recall.HazardMicrobial}},
		"in Spanish":           {map[string]any{"langcode": "Spanish", "field_title": "Larkmere Retira Jamón Debido a Alérgenos No Declarados"}, []recall.HazardType{recall.HazardAllergen}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []recall.HazardType
			for _, h := range one(t, test.fields).Notice.Hazards {
				got = append(got, h.Type)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRemedy(t *testing.T) {
	const release = "WASHINGTON, Jan. 5, 2026 – Larkmere Foods, an Ohio establishment, is recalling stew.\n" +
		"Consumers who bought it are urged not to eat it. It should be thrown away or returned to the place of purchase.\n" +
		"Consumers with questions can call Larkmere at 555-010-0100. Media may call somebody else."
	want := recall.Remedy{
		Types:   []recall.RemedyType{recall.RemedyStopUse, recall.RemedyDispose, recall.RemedyReturn},
		Text:    "Consumers who bought it are urged not to eat it. It should be thrown away or returned to the place of purchase.",
		Contact: "Consumers with questions can call Larkmere at 555-010-0100.",
	}
	fields := map[string]any{"field_summary": release, "field_company_media_contact": "\n Company Media Contact\n Ada\n555-010-0199"}
	if diff := cmp.Diff(want, one(t, fields).Notice.Remedy); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	delete(fields, "field_summary")
	if got := one(t, fields).Notice.Remedy.Contact; got != "Ada\n555-010-0199" {
		t.Errorf("contact %q, want the one that the firm names", got)
	}
}

func TestIncidents(t *testing.T) {
	number := func(n int) *int { return &n }
	for text, want := range map[string]recall.Incidents{
		"There have been no confirmed reports of adverse reactions.":                    {Reports: number(0)},
		"FSIS received 3 consumer complaints. 11 illnesses and 2 deaths were reported.": {Reports: number(3), Injuries: number(11), Deaths: number(2)},
		"The alert is due to illnesses. On March 20, 2012, FSIS determined a change.":   {},
	} {
		t.Run(text, func(t *testing.T) {
			if diff := cmp.Diff(want, one(t, map[string]any{"field_summary": text}).Notice.Incidents); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAudience(t *testing.T) {
	for name, want := range map[string]recall.Audience{
		"Baby Food Products":              recall.Infant,
		"Toddler Chicken Dinners":         recall.Infant,
		"Kids' Meals with Chicken":        recall.Child,
		"Baby Rope Sausage Products":      recall.General,
		"Shake Rattle & Bowl Salad Bowls": recall.General,
		"Old School Salami Products":      recall.General,
	} {
		t.Run(name, func(t *testing.T) {
			if got := one(t, map[string]any{"field_title": "Larkmere Recalls " + name + " Due to Misbranding"}).Notice.Audience; got != want {
				t.Errorf("audience %q, want %q", got, want)
			}
		})
	}
}

func TestRejects(t *testing.T) {
	for name, test := range map[string]struct{ row, reason string }{
		"no number":            {row(map[string]any{"field_recall_number": ""}), "no field_recall_number"},
		"no title":             {row(map[string]any{"field_title": "N/A"}), "no field_title"},
		"no date":              {row(map[string]any{"field_recall_date": ""}), "field_recall_date"},
		"a date in the future": {row(map[string]any{"field_recall_date": "2031-01-01"}), "outside"},
		"an object in a field": {row(map[string]any{"field_summary": map[string]string{"a": "b"}}), "field_summary"},
		"no row":               {`"text"`, "reading the row"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, rows(test.row, row(map[string]any{"field_recall_number": "999-2026"})))
			if len(p.Rejects) != 1 || len(p.Records) != 1 || !strings.Contains(p.Rejects[0].Reason, test.reason) || p.Rejects[0].Position != 1 {
				t.Errorf("%d records, rejects %+v; want one of each and a reason that says %q", len(p.Records), p.Rejects, test.reason)
			}
		})
	}
}

func TestParseOfABrokenPayload(t *testing.T) {
	whole := rows(row(map[string]any{"langcode": "Spanish", "field_recall_number": "902-2026"}), row(nil), row(nil))
	p, err := agencytest.Parse(t.Context(), newAgency(), fsis.FormatRecalls, []byte(whole[:len(whole)-30]))
	if !errors.Is(err, agency.ErrTruncated) || len(p.Records) != 2 {
		t.Errorf("%d records, error %v; want the two that came whole and ErrTruncated", len(p.Records), err)
	}
	if _, err := agencytest.Parse(t.Context(), newAgency(), "other", nil); err == nil {
		t.Error("an unknown format was read")
	}
}

func TestSinkAndContextStopTheParse(t *testing.T) {
	full := errors.New("full")
	calls := 0
	err := newAgency().Parse(t.Context(), fsis.FormatRecalls, strings.NewReader(rows(row(map[string]any{"langcode": "Spanish", "field_recall_number": "9"}), row(nil), row(nil))), agency.Sink{
		Record: func(agency.Record) error { calls++; return full },
	})
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error %v after %d records, want the sink's after one", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := agencytest.Parse(ctx, newAgency(), fsis.FormatRecalls, []byte(rows(row(nil)))); !errors.Is(err, context.Canceled) || len(p.Records) != 0 {
		t.Errorf("%d records, error %v; want none and context.Canceled", len(p.Records), err)
	}
}

func FuzzParse(f *testing.F) {
	payload, err := os.ReadFile(filepath.Join("testdata", "recalls.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Add([]byte(rows(row(map[string]any{"field_product_items": "•\t•\t“A” with “B” brand\n•"}))))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		a.Recognise("", payload)
		p, _ := agencytest.Parse(context.Background(), a, fsis.FormatRecalls, payload)
		for _, r := range p.Records {
			if !strings.HasPrefix(r.Notice.ID, "us-fsis:") || r.Notice.PublishedAt.IsZero() || len(r.Notice.Products) == 0 || r.SourceHash == "" || r.Completeness < 1 {
				t.Errorf("half a record: %s", fmt.Sprintf("%+v", r))
			}
		}
	})
}
