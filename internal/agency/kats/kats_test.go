package kats_test

import (
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
	"github.com/crownsafe/api/internal/agency/kats"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

const key = "k3y-of-ours"

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *kats.Agency { return kats.New(kats.Options{Key: key, Now: now}) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func answer(records ...string) string {
	return `{"resultCode":"2000","resultMsg":"SUCCESS","resultData":[` + strings.Join(records, ",") + `]}`
}

func parse(t *testing.T, records ...string) agencytest.Parsed {
	t.Helper()
	p, err := agencytest.Parse(t.Context(), newAgency(), kats.FormatRecalls, []byte(answer(records...)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one is the notice of a recall with some fields.
func one(t *testing.T, fields string) recall.Notice {
	t.Helper()
	p := parse(t, `{"recallUid":"1","recallProductName":"램프","recallBrandName":"달콩","publishDate":"20260105",`+fields+`}`)
	if len(p.Records) != 1 {
		t.Fatalf("rejected: %+v", p.Rejects)
	}
	return p.Records[0].Notice
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"list.json", "detail.json"} {
		t.Run(name, func(t *testing.T) {
			payload := read(t, name)
			if r := newAgency().Recognise(name, payload); r.Kind != agency.Notices || r.Format != kats.FormatRecalls {
				t.Fatalf("recognised as %+v", r)
			}
			parsed, err := agencytest.Parse(t.Context(), newAgency(), kats.FormatRecalls, payload)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range parsed.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil {
					t.Errorf("%s: %v", r.Notice.ID, err)
				}
			}
			got, err := json.MarshalIndent(parsed, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			agencytest.Golden(t, filepath.Join("testdata", name+".golden"), append(got, '\n'), *update)
		})
	}
}

func TestDescribe(t *testing.T) {
	if d := newAgency().Describe(); d.Withheld != "" || d.Republish {
		t.Errorf("with a key: %+v", d)
	}
	d := kats.New(kats.Options{Key: "  "}).Describe()
	if !strings.Contains(d.Withheld, "CROWNSAFE_KEY_KR_KATS is not set") || !strings.Contains(d.Withheld, "safetykorea.kr") {
		t.Errorf("without a key, withheld says %q; want what is missing and how to get it", d.Withheld)
	}
}

func TestRecognise(t *testing.T) {
	notices := agency.Recognition{Kind: agency.Notices, Format: kats.FormatRecalls}
	for name, test := range map[string]struct {
		head string
		want agency.Recognition
	}{
		"a list":                     {answer(`{"recallUid":"1","recallProductName":"x"}`), notices},
		"the beginning of one":       {`{"resultCode":"2000","resultMsg":"SUCCESS","resultData":[{"recallUid":"1","recallProductName":"x","recal`, notices},
		"data before the code":       {`{"resultData":[{"recallUid":"1","publishDate":"20260101"}],"resultCode":"20`, notices},
		"behind a broken record":     {answer(`{"a":1}`, `{"recallUid":"1","publishDate":"20260101"}`), notices},
		"a detail":                   {`{"resultCode":2000,"resultMsg":"SUCCESS","resultData":{"recallUid":"1","recallProductName":"x"}}`, notices},
		"an empty list":              {answer(), agency.Recognition{Kind: agency.Empty, Format: kats.FormatRecalls}},
		"no data":                    {`{"resultCode":"2000","resultMsg":"SUCCESS","resultData":null}`, agency.Recognition{Kind: agency.Empty, Format: kats.FormatRecalls}},
		"an error":                   {`{"resultCode":"4001","resultMsg":"인증키 k3y-of-ours 오류"}`, agency.Recognition{Kind: agency.ErrorBody, Note: "4001: 인증키 (the key) 오류"}},
		"foreign recalls":            {answer(`{"fRecallUid":"1","violateDscr":"x"}`), agency.Recognition{}},
		"another service's envelope": {`{"resultCode":"2000","data":[]}`, agency.Recognition{}},
		"an array":                   {`[{"recallUid":"1","recallProductName":"x"}]`, agency.Recognition{}},
		"a web page":                 {`<html><title>점검</title>`, agency.Recognition{}},
		"nothing":                    {``, agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newAgency().Recognise("", []byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestModels(t *testing.T) {
	for fields, test := range map[string]struct {
		models []string
		units  string
	}{
		`"recallModelName":"DK-100, DK-200","recallModelCnt":"2"`:       {[]string{"DK-100", "DK-200"}, ""},
		`"recallModelName":"DK-100 및 DK-200"`:                           {[]string{"DK-100", "DK-200"}, ""},
		`"recallModelName":"DK-100(빨강)"`:                                {[]string{"DK-100"}, ""},
		`"recallModelName":"DK-100 외 3종"`:                               {[]string{"DK-100"}, "lot all . .; lot unreadable . ."},
		`"recallModelName":"DK-100 등"`:                                  {[]string{"DK-100"}, "lot all . .; lot unreadable . ."},
		`"recallModelName":"DK-100","recallModelCnt":4`:                 {[]string{"DK-100"}, "lot all . .; lot unreadable . ."},
		`"recallModelName":"전 모델","recallModelCnt":"4"`:                 {[]string{}, ""},
		`"recallModelName":"없음"`:                                        {[]string{}, ""},
		`"recallModelName":null`:                                        {[]string{}, ""},
		`"recallModelName":"DK-100 ~ DK-900"`:                           {[]string{}, ""},
		`"recallModelName":"DK-100 등","publishActionDscr":"LOT 번호: A1"`: {[]string{"DK-100"}, "lot equals A1 A1; lot unreadable . ."},
	} {
		t.Run(fields, func(t *testing.T) {
			p := one(t, fields).Products[0]
			if diff := cmp.Diff(test.models, p.Models); diff != "" {
				t.Errorf("models (-want +got):\n%s", diff)
			}
			if got := describe(p.Units); got != test.units {
				t.Errorf("units %q, want %q", got, test.units)
			}
		})
	}
}

func TestKoreanUnits(t *testing.T) {
	for text, want := range map[string]string{
		"제조일자: 2026.03.05":           "made equals 2026-03-05 2026-03-05",
		"제조년월: 2025년 3월 ~ 2025년 5월":  "made range 2025-03 2025-05",
		"제조일자 2026년 1월부터 2026년 5월까지": "made range 2026-01 2026-05",
		"제조일자 2026년 3월부터 5월까지":       "made unreadable . .",
		"제조일자 2026.03.05 이후 생산품":     "made range 2026-03-05 .",
		"제조일자 2024년 3월 5일 이전":        "made range . 2024-03-05",
		"유통기한: 2027-01-31까지":         "expiry equals 2027-01-31 2027-01-31",
		"LOT 번호: A2401, A2402":       "lot equals A2401 A2401; lot equals A2402 A2402",
		"로트번호: L1 등":                 "lot equals L1 L1; lot unreadable . .",
		"일련번호 1000~2000":             "serial range 1000 2000",
		"모든 로트":                      "lot all . .",
		"구입처에서 환불받으시기 바랍니다.":         "",
	} {
		t.Run(text, func(t *testing.T) {
			units := one(t, fmt.Sprintf(`"publishActionDscr":%q`, text)).Products[0].Units
			if got := describe(units); got != want {
				t.Errorf("units %q, want %q", got, want)
			}
			for _, u := range units {
				if u.Quote.Field != "publishActionDscr" || text[u.Quote.Start:u.Quote.End] != u.Quote.Text {
					t.Errorf("quote %+v is not the field's words", u.Quote)
				}
			}
		})
	}
}

// describe writes groups apart by ; and their predicates by &.
func describe(units []recall.Predicate) string {
	bound := func(s *string) string {
		if s == nil {
			return "."
		}
		return *s
	}
	var b strings.Builder
	for i, u := range units {
		if i > 0 && u.Group == units[i-1].Group {
			b.WriteString(" & ")
		} else if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s %s %s %s", u.Kind, u.Op, bound(u.From), bound(u.To))
	}
	return b.String()
}

func TestBarcodes(t *testing.T) {
	for cell, want := range map[string][]string{
		"8801234567893":                {"08801234567893"},
		"8801234567893, 4012345678901": {"08801234567893", "04012345678901"},
		"8801234567893 / B-77":         {"08801234567893"},
		"8801234567890":                {}, // fails its check
		"2012345678900":                {}, // a shop's own
		"-":                            {},
		"없음":                           {},
		"0000000000000":                {},
	} {
		got := []string{}
		for _, g := range one(t, fmt.Sprintf(`"barcodeNum":%q`, cell)).Products[0].GTINs {
			got = append(got, g.GTIN)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", cell, diff)
		}
	}
	n := one(t, `"barcodeNum":8801234567893`)
	if len(n.Products[0].GTINs) != 1 {
		t.Errorf("a number for a barcode gave %+v", n.Products[0].GTINs)
	}
}

func TestTaxonomy(t *testing.T) {
	for fields, want := range map[string]string{
		`"harmDscr":"작은 부품이 떨어져 질식 위험이 있음"`:       "[choking suffocation] general",
		`"harmDscr":"총 납 함유량 기준치 초과"`:             "[lead] general",
		`"harmDscr":"반납 절차 안내"`:                   "[other] general",
		`"harmDscr":"감전 및 화재의 우려"`:                "[electric_shock fire] general",
		`"harmDscr":null,"categoryName":"어린이>완구"`: "[] child",
		`"productItemName":"유아용 의자"`:              "[] infant",
	} {
		n := one(t, fields)
		types := []recall.HazardType{}
		for _, h := range n.Hazards {
			types = append(types, h.Type)
		}
		if got := fmt.Sprintf("%v %s", types, n.Audience); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	n := one(t, `"recallMeans":"수거 및 환불","publishActionDscr":"사용을 중지하십시오"`)
	if got := fmt.Sprint(n.Remedy.Types); got != "[refund return stop_use]" {
		t.Errorf("remedies %s", got)
	}
}

func TestDates(t *testing.T) {
	for written, want := range map[string]string{
		"20261105": "2026-11-05", "2026-11-05": "2026-11-05", "2026.11.05": "2026-11-05", "2026-11-05 10:30:00": "2026-11-05", "20261105103000": "2026-11-05",
	} {
		p := parse(t, fmt.Sprintf(`{"recallUid":"1","recallProductName":"x","publishDate":%q}`, written))
		if len(p.Records) != 1 || p.Records[0].Notice.PublishedAt.Format(time.DateOnly) != want {
			t.Errorf("%s: %+v, want %s", written, p, want)
		}
	}
}

func TestBadRecordsAreRejectedAlone(t *testing.T) {
	const good = `{"recallUid":"2","recallProductName":"x","publishDate":"20260105"}`
	for name, test := range map[string]struct{ record, reason string }{
		"no number":      {`{"recallProductName":"x","publishDate":"20260105"}`, "no number"},
		"a path":         {`{"recallUid":"a/b","recallProductName":"x","publishDate":"20260105"}`, "no number"},
		"no date":        {`{"recallUid":"1","recallProductName":"x"}`, "publishDate"},
		"half a date":    {`{"recallUid":"1","recallProductName":"x","publishDate":"202601"}`, "no date"},
		"a date to come": {`{"recallUid":"1","recallProductName":"x","publishDate":"20360105"}`, "outside 1967"},
		"no product":     {`{"recallUid":"1","publishDate":"20260105"}`, "names no product"},
		"no object":      {`"x"`, "cannot unmarshal"},
		"a list":         {`{"recallUid":"1","recallProductName":[],"publishDate":"20260105"}`, "where a text belongs"},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, test.record, good)
			if len(p.Records) != 1 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, test.reason) {
				t.Errorf("%d records, rejects %+v; want one each, the reason with %q", len(p.Records), p.Rejects, test.reason)
			}
		})
	}
}

func TestPayloadsThatCantBeRead(t *testing.T) {
	whole := read(t, "list.json")
	p, err := agencytest.Parse(t.Context(), newAgency(), kats.FormatRecalls, whole[:len(whole)-len(whole)/5])
	if !errors.Is(err, agency.ErrTruncated) || len(p.Records) != 1 {
		t.Errorf("cut: %d records, error %v; want the one before the cut", len(p.Records), err)
	}
	for name, payload := range map[string]string{
		"an error":      `{"resultCode":"4001","resultMsg":"no"}`,
		"without data":  `{"resultCode":"2000","resultMsg":"SUCCESS"}`,
		"no object":     `[]`,
		"two documents": answer() + `{}`,
	} {
		if _, err := agencytest.Parse(t.Context(), newAgency(), kats.FormatRecalls, []byte(payload)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	full := errors.New("full")
	err = newAgency().Parse(t.Context(), kats.FormatRecalls, strings.NewReader(string(whole)), agency.Sink{
		Record: func(agency.Record) error { return full }, Reject: func(agency.Reject) error { return nil },
	})
	if !errors.Is(err, full) {
		t.Errorf("error = %v, want the sink's", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(read(f, "list.json"))
	f.Add(read(f, "detail.json"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, _ := agencytest.Parse(t.Context(), newAgency(), kats.FormatRecalls, payload)
		for _, r := range p.Records {
			if err := recall.Lint(&r.Notice, now()); err != nil {
				t.Errorf("%s: %v", r.Notice.ID, err)
			}
		}
	})
}
