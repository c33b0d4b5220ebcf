package rappelconso

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

// record makes the canonical notice out of a row.
func (a *Agency) record(r row, format string) (agency.Record, error) {
	native := nativeID(r["numero_fiche"])
	if native == "" {
		return agency.Record{}, fmt.Errorf("the record has no numero_fiche")
	}
	version, err := strconv.ParseInt(strings.TrimSuffix(r["numero_version"], ".0"), 10, 32)
	if r["numero_version"] != "" && (err != nil || version < 0) {
		return agency.Record{}, fmt.Errorf("reading numero_version %q of notice %s: it is no version number", r["numero_version"], native)
	}
	published, err := a.published(r)
	if err != nil {
		return agency.Record{}, fmt.Errorf("reading the date of notice %s: %w", native, err)
	}
	v1 := format == FormatV1
	list, shop := products(r, v1)
	n := recall.Notice{
		ID:           Code + ":" + native,
		Agency:       Code,
		URL:          page(r),
		Language:     "fr",
		Title:        title(r, list[0].Name),
		Summary:      summary(r, list[0].Name, shop),
		PublishedAt:  published,
		Status:       recall.Active,
		AgencyStatus: r["nature_juridique_rappel"],
		Countries:    []string{"FR"},
		Audience:     audience(r),
		Categories:   categories(r),
		Products:     list,
		Hazards:      hazards(r),
		Remedy: recall.Remedy{
			Types:   remedies(r),
			Text:    paragraphs(sentences(r["conduites_a_tenir_par_le_consommateur"]), sentences(r["modalites_de_compensation"]), r["informations_complementaires_publiques"]),
			Contact: r["numero_contact"],
		},
		SoldAt:  sellers(r["distributeurs"]),
		Images:  addresses(r["liens_vers_les_images"]),
		Aliases: aliases(r, native),
	}
	n.Normalise()
	return agency.Record{
		Notice:       n,
		SourceHash:   agency.HashOf(r),
		Version:      version + 1, // Safety Gate's imports start at 0, which says "no version" in a Record
		Completeness: completeness(format),
	}, nil
}

func completeness(format string) int {
	switch format {
	case FormatV1:
		return completenessV1
	case FormatTrie:
		return completenessTrie
	}
	return completenessV2
}

// nativeID returns a number in lower case with dashes for slashes, or "" when
// it holds what no number of RappelConso holds.
func nativeID(number string) string {
	number = strings.ToLower(number)
	for i := range len(number) {
		switch c := number[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '/', c == '_', c == '.':
		default:
			return ""
		}
	}
	return strings.ReplaceAll(number, "/", "-")
}

// published reads the date of publication. Version 1 has none: its notices
// count as published on the first day of the month that their number names.
func (a *Agency) published(r row) (time.Time, error) {
	if day := r["date_publication"]; day != "" {
		return agency.ParseDate(day, a.now())
	}
	for _, month := range []string{r["date_ref"], r["numero_fiche"]} {
		if len(month) < len("2006-01") {
			continue
		}
		if t, err := agency.ParseDate(month[:len("2006-01")]+"-01", a.now()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("there is neither a date of publication nor a month in its number")
}

// page returns the notice's page. Version 1 links only the poster, whose
// address holds the number of the page.
func page(r row) string {
	if link := r["lien_vers_la_fiche_rappel"]; link != "" {
		return link
	}
	poster := r["lien_vers_affichette_pdf"]
	if _, after, ok := strings.Cut(strings.ToLower(poster), "/affichettepdf/"); ok {
		return "https://rappel.conso.gouv.fr/fiche-rappel/" + after
	}
	return poster
}

// title names brand and product, the brand once.
func title(r row, product string) string {
	name := r["libelle"]
	if name == "" {
		name = product
	}
	if brand := brandOf(r); brand != "" && !containsFold(name, brand) {
		return brand + " " + name
	}
	return name
}

// summary joins what the notice says of the product and of what is wrong.
// Codes that name no product everywhere can still be searched for in it.
func summary(r row, name string, shop []string) string {
	models := r["modeles_ou_references"]
	if strings.EqualFold(models, name) {
		models = ""
	}
	codes := ""
	if len(shop) > 0 {
		codes = "code interne : " + strings.Join(unique(shop), ", ")
	}
	return paragraphs(models, r["motif_rappel"], r["description_complementaire_risque"], r["informations_complementaires"], r["conditionnements"], codes)
}

// aliases links an import from Safety Gate to the notice that it repeats.
func aliases(r row, native string) []recall.Alias {
	if !strings.HasSuffix(strings.ToLower(page(r)), "/rapex") || !isSafetyGateNumber(r["numero_fiche"]) {
		return nil
	}
	return []recall.Alias{{ID: "eu-safety-gate:" + strings.ToUpper(native), Kind: recall.Declared}}
}

// isSafetyGateNumber tells numbers such as SR/00842/26 and A12/01234/20.
func isSafetyGateNumber(number string) bool {
	kind, rest, ok := strings.Cut(number, "/")
	serial, year, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || kind == "" || kind[0]|0x20 < 'a' || kind[0]|0x20 > 'z' || len(year) != 2 || len(serial) < 3 {
		return false
	}
	return closed(serial) == serial && closed(year) == year
}

func paragraphs(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n")
}

// sentences turns the marks between the choices of a list into punctuation.
func sentences(list string) string {
	return strings.Join(choices(list), " ; ")
}

// choices returns the choices of a list, which version 2 separates by |.
func choices(list string) []string {
	var kept []string
	for c := range strings.SplitSeq(list, "|") {
		if c = strings.TrimSpace(c); c != "" {
			kept = append(kept, c)
		}
	}
	return kept
}

// sellers returns the shops of a list, without the words for having none.
func sellers(list string) []string {
	return slices.DeleteFunc(lines(list), func(shop string) bool { return isOneOf(strings.Trim(shop, " .,;"), noSeller) })
}

var noSeller = []string{"", "aucun", "aucune", "néant", "non concerné", "non communiqué", "non renseigné", "sans objet", "inconnu", "nc", "n/a"}

func lines(s string) []string {
	var kept []string
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	return kept
}

// addresses returns the web addresses of a list, separated by | or blanks.
func addresses(list string) []string {
	var kept []string
	for _, a := range strings.FieldsFunc(list, func(r rune) bool { return r == '|' || r == ' ' || r == '\n' }) {
		if strings.HasPrefix(a, "http://") || strings.HasPrefix(a, "https://") {
			kept = append(kept, a)
		}
	}
	return kept
}

func unique(list []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	return kept
}
