package rappelconso_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/rappelconso"
	"github.com/crownsafe/api/internal/recall"
)

var update = flag.Bool("update", false, "write the golden files")

func now() time.Time { return time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) }

func newAgency() *rappelconso.Agency { return rappelconso.New(rappelconso.Options{Now: now}) }

func read(t *testing.T, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// parse reads a payload by what Recognise says that it is.
func parse(t *testing.T, payload []byte) (agencytest.Parsed, error) {
	t.Helper()
	a := newAgency()
	r := a.Recognise("payload", payload[:min(len(payload), agency.RecogniseBytes)])
	if r.Kind != agency.Notices {
		t.Fatalf("recognised as %+v, want notices", r)
	}
	return agencytest.Parse(t.Context(), a, r.Format, payload)
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"v2-espaces.json", "v2-explore.json", "v2-single.json", "v2-trie.json", "v2.csv", "v1-records.json", "v1-flat.json"} {
		t.Run(name, func(t *testing.T) {
			payload := read(t, name)
			first, err := parse(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parse(t, payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("a second parse differs:\n%s", diff)
			}
			for _, r := range first.Records {
				if err := recall.Lint(&r.Notice, now()); err != nil {
					t.Errorf("%s: %v", r.Notice.ID, err)
				}
			}
			got, err := json.MarshalIndent(first, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			agencytest.Golden(t, filepath.Join("testdata", "golden", name+".json"), append(got, '\n'), *update)
		})
	}
}

func TestRecognise(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    agency.Recognition
	}{
		"array of tokens":         {string(read(t, "v2-espaces.json")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatEspaces}},
		"export of strings":       {string(read(t, "v2-explore.json")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatExplore}},
		"one record":              {string(read(t, "v2-single.json")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatEspaces}},
		"row for each barcode":    {string(read(t, "v2-trie.json")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatTrie}},
		"CSV with its mark":       {string(read(t, "v2.csv")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatCSV}},
		"version 1 in envelopes":  {string(read(t, "v1-records.json")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatV1}},
		"version 1 without":       {string(read(t, "v1-flat.json")), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatV1}},
		"broken record in front":  {strings.Replace(string(read(t, "v2-espaces.json")), `"results": [`, `"results": [{"numero_fiche":[]},`, 1), agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatEspaces}},
		"cut in the first record": {string(read(t, "v2-explore.json"))[:1400], agency.Recognition{Kind: agency.Notices, Format: rappelconso.FormatExplore}},
		"no records":              {`{"total_count":0,"results":[]}`, agency.Recognition{Kind: agency.Empty, Format: rappelconso.FormatExplore}},
		"the portal's error":      {`{"error_code":"ODSQLError","message":"where is wrong"}`, agency.Recognition{Kind: agency.ErrorBody, Note: "ODSQLError: where is wrong"}},
		"a web page":              {"<html><title>Request rejected</title></html>", agency.Recognition{}},
		"another agency":          {`[{"RecallID":1,"RecallNumber":"26001"}]`, agency.Recognition{}},
		"an empty array":          {`[]`, agency.Recognition{}},
		"nothing":                 {"", agency.Recognition{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, newAgency().Recognise("file", []byte(c.payload))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The two ways of writing identification_produits give the same predicates;
// only the places of their quotes differ.
func TestFormatsAgree(t *testing.T) {
	array, err := parse(t, read(t, "v2-espaces.json"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := parse(t, read(t, "v2-explore.json"))
	if err != nil {
		t.Fatal(err)
	}
	places := cmpopts.IgnoreFields(recall.Quote{}, "Start", "End", "Text")
	for i := range text.Records {
		if diff := cmp.Diff(array.Records[i].Notice, text.Records[i].Notice, places); diff != "" {
			t.Errorf("notice %d (-array +string):\n%s", i, diff)
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, name := range []string{"v2-espaces.json", "v2-explore.json", "v2-trie.json", "v1-records.json", "v2-single.json"} {
		payload := bytes.TrimSpace(read(t, name))
		for _, cut := range []int{1, 2, 30} {
			a := newAgency()
			format := a.Recognise(name, payload).Format
			_, err := agencytest.Parse(t.Context(), a, format, payload[:len(payload)-cut])
			if !errors.Is(err, agency.ErrTruncated) {
				t.Errorf("%s without its last %d bytes: error %v, want ErrTruncated", name, cut, err)
			}
		}
	}
	payload := bytes.TrimSpace(read(t, "v2.csv"))
	p, err := parse(t, payload[:len(payload)-120])
	if !errors.Is(err, agency.ErrTruncated) || len(p.Records) != 2 {
		t.Errorf("a cut CSV gave %d records and error %v, want the 2 whole ones and ErrTruncated", len(p.Records), err)
	}
}

func TestSinkErrorStopsTheParse(t *testing.T) {
	stop := errors.New("disk full")
	for _, name := range []string{"v2-espaces.json", "v2-trie.json", "v2.csv"} {
		payload := read(t, name)
		a := newAgency()
		calls := 0
		err := a.Parse(t.Context(), a.Recognise(name, payload).Format, bytes.NewReader(payload), agency.Sink{
			Record: func(agency.Record) error { calls++; return stop },
			Reject: func(agency.Reject) error { return nil },
		})
		if err != stop || calls != 1 {
			t.Errorf("%s: error %v after %d records, want the sink's own after one", name, err, calls)
		}
	}
}

// unitsOf parses one notice with the given fields over a plain toy.
func unitsOf(t *testing.T, fields map[string]any) recall.Notice {
	t.Helper()
	record := map[string]any{
		"numero_fiche": "2026-05-0001", "rappel_guid": "g", "numero_version": 1, "date_publication": "2026-05-01T00:00:00+00:00",
		"categorie_produit": "maison-habitat", "marque_produit": "pomdapi", "libelle": "lampe", "motif_rappel": "choc",
	}
	for k, v := range fields {
		record[k] = v
	}
	payload, err := json.Marshal([]any{record})
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse(t, payload)
	if err != nil || len(p.Records) != 1 {
		t.Fatalf("%d records, rejects %v, error %v; want one record", len(p.Records), p.Rejects, err)
	}
	return p.Records[0].Notice
}

// told writes predicates shortly: group kind op from to.
func told(units []recall.Predicate) []string {
	lines := []string{}
	for _, u := range units {
		line := string(rune('0'+u.Group)) + " " + string(u.Kind) + " " + string(u.Op)
		for _, bound := range []*string{u.From, u.To} {
			if bound != nil {
				line += " " + *bound
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestIdentification(t *testing.T) {
	const code = "9521234500018"
	for name, c := range map[string]struct {
		identification any
		gtins          int
		want           []string
	}{
		"one lot":                    {code + "$a123$non concerné$$", 1, []string{"1 lot equals a123 a123"}},
		"lot and use-by date":        {code + "$a123$date limite de consommation$2026-05-01$", 1, []string{"1 lot equals a123 a123", "1 expiry equals 2026-05-01 2026-05-01"}},
		"all lots within dates":      {code + "$tous les lots$date de durabilité minimale$2026-05-01$2026-06-01", 1, []string{"1 best_before range 2026-05-01 2026-06-01"}},
		"dates the wrong way round":  {code + "$$date de consommation recommandée$2026-06-01$2026-05-01", 1, []string{"1 best_before range 2026-05-01 2026-06-01"}},
		"all lots":                   {code + "$tous les lots$non concerné$$", 1, []string{"1 lot all"}},
		"nothing but the barcode":    {code + "$$non concerné$$", 1, []string{}},
		"no barcode":                 {"$a123$non concerné$$", 0, []string{"1 lot equals a123 a123"}},
		"zeros are no barcode":       {"000000000$a123$non concerné$$", 0, []string{"1 lot equals a123 a123"}},
		"a shop's own code":          {"2000000123455$a123$non concerné$$", 0, []string{"1 lot equals a123 a123"}},
		"a wrong check digit":        {"9521234500019$a123$non concerné$$", 0, []string{"1 lot equals a123 a123"}},
		"barcode with blanks":        {"9 521234 500018$$non concerné$$", 1, []string{}},
		"several lots":               {code + "$lots n° 2014 et 21188, 33019/33020$non concerné$$", 1, []string{"1 lot equals 2014 2014", "2 lot equals 21188 21188", "3 lot equals 33019 33019", "4 lot equals 33020 33020"}},
		"slashes within a code":      {code + "$s11/25$non concerné$$", 1, []string{"1 lot equals s11/25 s11/25"}},
		"another end of a code":      {code + "$33019/20$non concerné$$", 1, []string{"1 lot unreadable"}},
		"capacities":                 {code + "$200/300/350/400ah$non concerné$$", 1, []string{"1 lot unreadable"}},
		"a range of lots":            {code + "$du lot 1200 au lot 1250$non concerné$$", 1, []string{"1 lot range 1200 1250"}},
		"ends of unlike shape":       {code + "$de 1200 à b50$non concerné$$", 1, []string{"1 lot unreadable"}},
		"prefixes":                   {code + "$lots commençant par : l 29 et 30b$non concerné$$", 1, []string{"1 lot prefix l29", "2 lot prefix 29", "3 lot prefix 30b"}},
		"a label before the lot":     {code + "$l 2401$non concerné$$", 1, []string{"1 lot equals l2401 l2401", "2 lot equals 2401 2401"}},
		"blanks between lots":        {code + "$2401 2402$non concerné$$", 1, []string{"1 lot equals 2401 2402 2401 2402", "2 lot equals 2401 2401", "3 lot equals 2402 2402"}},
		"a remark behind the lot":    {code + "$2401 (sous-vide)$non concerné$$", 1, []string{"1 lot equals 2401 2401"}},
		"prose":                      {code + "$voir affichette en magasin$non concerné$$", 1, []string{"1 lot unreadable"}},
		"prose, said twice":          {"$voir affichette$non concerné$$|$voir affichette$non concerné$$", 0, []string{"1 lot unreadable"}},
		"a date where a lot belongs": {code + "$ddm 09/12/2026$non concerné$$", 1, []string{"1 best_before equals 2026-12-09 2026-12-09"}},
		"a date of no kind":          {code + "$$non concerné$2026-05-01$", 1, []string{"1 best_before unreadable"}},
		"one group covers all":       {code + "$a123$non concerné$$|" + code + "$tous les lots$non concerné$$", 1, []string{"2 lot all"}},
		"one group names no units":   {code + "$a123$non concerné$$|" + code + "$$non concerné$$", 1, []string{}},
		"array without its lot":      {[]string{code, "non concerné"}, 1, []string{}},
		"array without its barcode":  {[]string{"12345670", "non concerné"}, 0, []string{"1 lot equals 12345670 12345670"}},
		"array with a bar in a token": {[]string{code, "a1", "date de durabilité minimale", "2026-05-01", "2026-06-01|" + code, "a2", "non concerné"}, 1,
			[]string{"1 lot equals a1 a1", "1 best_before range 2026-05-01 2026-06-01", "2 lot equals a2 a2"}},
		"nothing at all":                      {nil, 0, []string{}},
		"name and date in the lot's place":    {code + "$poudre de cumin 1.05kg DDM 09/12/2026$date de durabilité minimale$2026-12-09$", 1, []string{"1 best_before equals 2026-12-09 2026-12-09"}},
		"code and date in the lot's place":    {code + "$réf 4417 DDM 09/12/2026$non concerné$$", 1, []string{"1 lot unreadable"}},
		"two dates in the lot's place":        {code + "$DDM 09/12/2026, DDM 10/12/2026$non concerné$$", 1, []string{"1 best_before equals 2026-12-09 2026-12-09", "2 best_before equals 2026-12-10 2026-12-10"}},
		"dates in both places":                {code + "$DLC 09/12/2026$date limite de consommation$2026-12-10$", 1, []string{"1 expiry equals 2026-12-10 2026-12-10", "2 expiry equals 2026-12-09 2026-12-09"}},
		"windows of production":               {"600: 28.07.2023 - 19.12.2025\npetit ours: 25.02.2025 - 23.01.2026", 0, []string{"1 made range 2023-07-28 2025-12-19", "2 made range 2025-02-25 2026-01-23"}},
		"a window of no kind":                 {code + "$28.07.2023 - 19.12.2025$non concerné$$", 1, []string{"1 lot unreadable"}},
		"a window that ends before it starts": {"600: 19.12.2025 - 28.07.2023", 0, []string{"1 lot unreadable"}},
		"prose in no grammar":                 {"certaines unités, voir plaque", 0, []string{"1 lot unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := unitsOf(t, map[string]any{"identification_produits": c.identification})
			if len(n.Products) != 1 || len(n.Products[0].GTINs) != c.gtins {
				t.Fatalf("products %+v, want one with %d barcodes", n.Products, c.gtins)
			}
			if diff := cmp.Diff(c.want, told(n.Products[0].Units)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A lot of one barcode must not apply to another.
func TestProductForEachBarcode(t *testing.T) {
	n := unitsOf(t, map[string]any{"identification_produits": "9521234500018$a1$non concerné$$|9521234500025$b2$non concerné$$|$c3$non concerné$$"})
	got := map[string][]string{}
	for _, p := range n.Products {
		code := ""
		if len(p.GTINs) == 1 {
			code = p.GTINs[0].GTIN
		}
		got[code] = told(p.Units)
	}
	want := map[string][]string{
		"09521234500018": {"1 lot equals a1 a1"},
		"09521234500025": {"1 lot equals b2 b2"},
		"":               {"1 lot equals c3 c3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Quotes stand where they say, in the field's cleaned text.
func TestQuotes(t *testing.T) {
	const field = "9521234500018$lots n° 2014 et 21188$date limite de consommation$2026-05-01$2026-05-09|$de 1200 à 1250$non concerné$$"
	n := unitsOf(t, map[string]any{"identification_produits": field})
	checked := 0
	for _, p := range n.Products {
		for _, u := range p.Units {
			if q := u.Quote; q.Field != "identification_produits" || field[q.Start:q.End] != q.Text {
				t.Errorf("quote %+v, but the field has %q there", q, field[q.Start:q.End])
			}
			checked++
		}
	}
	if checked != 5 {
		t.Errorf("%d predicates, want 5", checked)
	}
}

func TestModels(t *testing.T) {
	for name, c := range map[string]struct {
		category, models string
		want             []string
	}{
		"codes alone":            {"maison-habitat", "mz156b 108209", []string{"mz156b", "108209"}},
		"behind a word for it":   {"maison-habitat", "lampe réf : 233254", []string{"233254"}},
		"a code in prose":        {"maison-habitat", "modèle 52502hpa3 taille 12", []string{"52502hpa3"}},
		"sizes are none":         {"maison-habitat", "lampe 225ml 12x60cm 36gelules 1.5l", []string{}},
		"a vehicle's own number": {"maison-habitat", "vin zza5fbvp6pj000425", []string{}},
		"a barcode is none":      {"maison-habitat", "9521234500018", []string{}},
		"food has none":          {"alimentation", "terrine ab1234", []string{}},
		"a lot is none":          {"maison-habitat", "lampe lot ab1234", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			n := unitsOf(t, map[string]any{"categorie_produit": c.category, "modeles_ou_references": c.models, "identification_produits": "$$non concerné$$"})
			if diff := cmp.Diff(c.want, n.Products[0].Models); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAudience(t *testing.T) {
	for name, c := range map[string]struct {
		category, sub, title string
		want                 recall.Audience
	}{
		"toys":             {"bébés-enfants (hors alimentaire)", "jouets", "puzzle de la ferme", recall.Child},
		"a baby's toy":     {"bébés-enfants (hors alimentaire)", "jouets", "hochet", recall.Infant},
		"nursery goods":    {"Bébés-Enfants (hors alimentaire)", "Articles pour enfants et puériculture", "barrière", recall.Infant},
		"infant milk":      {"alimentation", "lait et produits laitiers", "lait infantile 1er âge", recall.Infant},
		"small vegetables": {"alimentation", "fruits et légumes", "bébés carottes", recall.General},
		"a lamp":           {"maison-habitat", "luminaires", "lampe de bureau", recall.General},
	} {
		t.Run(name, func(t *testing.T) {
			n := unitsOf(t, map[string]any{"categorie_produit": c.category, "sous_categorie_produit": c.sub, "libelle": c.title})
			if n.Audience != c.want {
				t.Errorf("audience %s, want %s", n.Audience, c.want)
			}
		})
	}
}

// The hash tells edits, and nothing else, from what was there.
func TestSourceHash(t *testing.T) {
	hash := func(payload string) string {
		p, err := parse(t, []byte(payload))
		if err != nil || len(p.Records) != 1 {
			t.Fatalf("%d records, error %v", len(p.Records), err)
		}
		return p.Records[0].SourceHash
	}
	plain := `[{"numero_fiche":"2026-05-0001","rappel_guid":"g","date_publication":"2026-05-01","libelle":"lampe"}]`
	shuffled := ` [ {"libelle":"lampe ", "date_publication":"2026-05-01","rappel_guid":"g","numero_fiche":"2026-05-0001","marque_produit":null} ]`
	if hash(plain) != hash(shuffled) {
		t.Error("blanks and the order of fields change the hash")
	}
	if hash(plain) == hash(strings.Replace(plain, "lampe", "lampes", 1)) {
		t.Error("an edit doesn't change the hash")
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		payload, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(`[{"numero_fiche":"1","rappel_guid":"","date_publication":"2026-01-01","libelle":"x","identification_produits":"$lots commençant par$|é à  a ("}]`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a := newAgency()
		recognised := a.Recognise("fuzz", payload)
		for _, format := range []string{recognised.Format, rappelconso.FormatTrie, rappelconso.FormatV1, rappelconso.FormatCSV} {
			if format == "" {
				continue
			}
			p, _ := agencytest.Parse(t.Context(), a, format, payload) // any bytes may be no whole payload
			for _, r := range p.Records {
				for _, product := range r.Notice.Products {
					for _, u := range product.Units {
						if u.Quote.End-u.Quote.Start != len(u.Quote.Text) {
							t.Errorf("quote %+v is not as long as its place", u.Quote)
						}
					}
				}
				if r.Completeness <= 0 || r.Version <= 0 || r.SourceHash == "" {
					t.Errorf("record %+v lacks what orders it", r)
				}
			}
		}
	})
}

func TestWordsForNoSellerAreNoSeller(t *testing.T) {
	for list, want := range map[string][]string{
		"aucun.": nil, "Néant": nil, "Pomdapi Lyon\naucun": {"Pomdapi Lyon"}, "Aucun souci, Lyon": {"Aucun souci, Lyon"},
	} {
		if got := unitsOf(t, map[string]any{"distributeurs": list}).SoldAt; len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
			t.Errorf("%q: sold at %q, want %q", list, got, want)
		}
	}
}
