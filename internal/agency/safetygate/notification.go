package safetygate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// Where the site shows a notification and a picture of it, whatever address it
// is asked by.
const (
	pageAddress  = DefaultBaseURL + "/screen/webReport/alertDetail/"
	imageAddress = DefaultBaseURL + "/public/api/notification/image/"
)

// coded is a value of one of the agency's lists.
type coded struct {
	Key  agency.Text `json:"key"`
	Name agency.Text `json:"name"`
}

// notification is the site's JSON. Its texts in prose stand in versions, of
// which only the language asked for is filled.
type notification struct {
	ID               agency.Text `json:"id"`
	Reference        agency.Text `json:"reference"`
	Corrigendum      agency.Text `json:"corrigendum"`
	Country          coded       `json:"country"`
	CreationDate     agency.Text `json:"creationDate"`
	PublicationDate  agency.Text `json:"publicationDate"`
	ModificationDate agency.Text `json:"modificationDate"`
	Product          struct {
		Category    coded                       `json:"productCategory"`
		Counterfeit coded                       `json:"isCounterfeit"`
		Specific    agency.Text                 `json:"nameSpecific"`
		Name        agency.Text                 `json:"name"`
		Brands      agency.List[brandEntry]     `json:"brands"`
		Models      agency.List[modelEntry]     `json:"modelTypes"`
		Batches     agency.List[batchEntry]     `json:"batchNumbers"`
		Barcodes    agency.List[barcodeEntry]   `json:"barcodes"`
		Versions    agency.List[productVersion] `json:"versions"`
		Photos      agency.List[photo]          `json:"photos"`
	} `json:"product"`
	Risk struct {
		Types    agency.List[coded]       `json:"riskType"`
		Versions agency.List[riskVersion] `json:"versions"`
	} `json:"risk"`
	Measures struct {
		Measures agency.List[measureEntry]  `json:"measures"`
		Recalls  agency.List[companyRecall] `json:"companyRecalls"`
	} `json:"measureTaken"`
	Traceability struct {
		Trader agency.Text `json:"onlineTrader"`
	} `json:"traceability"`
	Reacting agency.List[reaction] `json:"reactingCountries"`
	Listings agency.List[listing]  `json:"onlineTraderProductIdentifierReference"`
}

type (
	brandEntry struct {
		Value agency.Text `json:"brand"`
	}
	modelEntry struct {
		Value agency.Text `json:"modelType"`
	}
	batchEntry struct {
		Value agency.Text `json:"batchNumber"`
	}
	barcodeEntry struct {
		Value agency.Text `json:"barcode"`
	}
	photo struct {
		ID   agency.Text `json:"id"`
		Main bool        `json:"mainPicture"`
	}
	productVersion struct {
		Language    coded       `json:"language"`
		Name        agency.Text `json:"name"`
		Description agency.Text `json:"description"`
		Packaging   agency.Text `json:"packageDescription"`
	}
	riskVersion struct {
		Language    coded       `json:"language"`
		Description agency.Text `json:"riskDescription"`
		Legal       agency.Text `json:"legalProvision"`
		Other       agency.Text `json:"riskTypeOther"`
	}
	measureEntry struct {
		Category  coded                       `json:"measureCategory"`
		Type      coded                       `json:"measureType"`
		Since     agency.Text                 `json:"entryIntoForceDate"`
		Voluntary coded                       `json:"measureVoluntaryEconomicOperator"`
		Ordered   coded                       `json:"measureCompulsoryEconomicOperator"`
		Versions  agency.List[measureVersion] `json:"versions"`
	}
	measureVersion struct {
		Language coded       `json:"language"`
		Other    agency.Text `json:"measureCategoryOther"`
	}
	companyRecall struct {
		Link agency.Text `json:"link"`
	}
	reaction struct {
		Country coded `json:"country"`
	}
	listing struct {
		Trader     agency.Text `json:"onlineTrader"`
		Identifier agency.Text `json:"uniqueProductIdentifier"`
	}
)

func (v productVersion) language() string { return languageOf(v.Language) }
func (v riskVersion) language() string    { return languageOf(v.Language) }
func (v measureVersion) language() string { return languageOf(v.Language) }

func languageOf(c coded) string { return strings.ToLower(c.Key.Clean()) }

// inLanguage chooses the version of a text in a language, or the first.
func inLanguage[V interface{ language() string }](versions []V, language string) V {
	var none V
	for _, v := range versions {
		if v.language() == language {
			return v
		}
	}
	if len(versions) > 0 {
		return versions[0]
	}
	return none
}

// readNotification reads one notification.
func (a *Agency) readNotification(raw json.RawMessage) (alert, error) {
	var n notification
	if err := json.Unmarshal(raw, &n); err != nil {
		return alert{number: n.Reference.Clean()}, fmt.Errorf("reading notification %s: %w", n.Reference.Clean(), err)
	}
	one := alert{
		number:       n.Reference.Clean(),
		language:     n.language(),
		category:     readCategory(n.Product.Category.Key.Clean()),
		counterfeit:  n.Product.Counterfeit.Key == "option.yes",
		hash:         agency.HashOf(raw),
		completeness: completenessNotification,
		correction:   n.Corrigendum.Clean(),
	}
	if id := n.ID.Clean(); id != "" {
		one.url = pageAddress + id
	}
	if err := a.dates(&one, firstOf(n.PublicationDate.Clean(), n.CreationDate.Clean()), n.ModificationDate.Clean()); err != nil {
		return one, err
	}
	n.product(&one)
	n.risk(&one)
	n.measures(&one)
	n.places(&one)
	return one, nil
}

// language is that of the prose: English where it is there, else the first.
func (n *notification) language() string {
	v := inLanguage(n.Product.Versions, "en")
	if own := v.language(); own != "" {
		return own
	}
	return firstOf(inLanguage(n.Risk.Versions, "en").language(), "en")
}

func (n *notification) product(one *alert) {
	v := inLanguage(n.Product.Versions, one.language)
	one.generic = firstOf(v.Name.Clean(), n.Product.Name.Clean())
	one.specific = known(n.Product.Specific.Clean())
	one.description, one.packaging = v.Description.Clean(), v.Packaging.Clean()
	var brands, models, batches, barcodes []string
	for _, b := range n.Product.Brands {
		brands = append(brands, b.Value.Clean())
	}
	for _, m := range n.Product.Models {
		models = append(models, m.Value.Clean())
	}
	for _, b := range n.Product.Batches {
		batches = append(batches, b.Value.Clean())
	}
	for _, b := range n.Product.Barcodes {
		barcodes = append(barcodes, b.Value.Clean())
	}
	one.brands = brandsOf(brands)
	one.models, one.batches, one.barcodes = listOf("modelTypes", models), listOf("batchNumbers", batches), listOf("barcodes", barcodes)
	for _, main := range []bool{true, false} {
		for _, p := range n.Product.Photos {
			if id := p.ID.Clean(); id != "" && p.Main == main {
				one.images = append(one.images, imageAddress+id)
			}
		}
	}
}

func (n *notification) risk(one *alert) {
	v := inLanguage(n.Risk.Versions, one.language)
	one.danger, one.legal = v.Description.Clean(), v.Legal.Clean()
	for _, r := range n.Risk.Types {
		one.risks = append(one.risks, keyWords(r.Key.Clean(), "riskType."))
	}
	if other := v.Other.Clean(); other != "" {
		one.risks = append(one.risks, strings.ToLower(other))
	}
}

func (n *notification) measures(one *alert) {
	for _, m := range n.Measures.Measures {
		category := sentence(keyWords(m.Category.Key.Clean(), "measure.category."))
		operator := keyWords(firstOf(m.Voluntary.Key.Clean(), m.Ordered.Key.Clean()), "measure.operator.")
		if operator == "other" {
			operator = ""
		}
		day, _, _ := strings.Cut(m.Since.Clean(), "T")
		other := inLanguage(m.Versions, one.language).Other.Clean()
		one.measures = append(one.measures, newMeasure(category, other, keyWords(m.Type.Key.Clean(), "measure.type."), operator, day))
	}
	for _, r := range n.Measures.Recalls {
		one.recalls = append(one.recalls, r.Link.Clean())
	}
}

// places reads who notified, who reacted, and where the product was sold.
func (n *notification) places(one *alert) {
	one.countries = append(one.countries, isoCode(n.Country.Key.Clean()))
	for _, r := range n.Reacting {
		one.countries = append(one.countries, isoCode(r.Country.Key.Clean()))
	}
	one.sellers = append(one.sellers, known(n.Traceability.Trader.Clean()))
	for _, l := range n.Listings {
		one.sellers = append(one.sellers, known(l.Trader.Clean()))
		if id := known(l.Identifier.Clean()); strings.ContainsAny(id, "0123456789") {
			one.listings = append(one.listings, id)
		} else {
			one.sellers = append(one.sellers, id) // a shop that the list of traders doesn't have
		}
	}
}

// keyWords turns a key of one of the agency's lists into words.
func keyWords(key, prefix string) string {
	return strings.ToLower(plainKeys.Replace(strings.TrimPrefix(key, prefix)))
}

// sentence begins words with a capital, as the agency prints them.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// brandsOf drops the words for having no brand.
func brandsOf(names []string) []string {
	var brands []string
	for _, name := range names {
		for _, brand := range strings.Split(name, ";") {
			brands = append(brands, known(strings.TrimSpace(brand)))
		}
	}
	return unique(brands)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// dates reads the day of publication and of the last change.
func (a *Agency) dates(one *alert, published, modified string) error {
	var err error
	if published != "" {
		if one.published, err = agency.ParseDate(published, a.now()); err != nil {
			return fmt.Errorf("reading the date of notice %s: %w", strconv.Quote(one.number), err)
		}
	}
	if modified != "" {
		if one.modified, err = agency.ParseDate(modified, a.now()); err != nil {
			return fmt.Errorf("reading the last change of notice %s: %w", strconv.Quote(one.number), err)
		}
	}
	return nil
}
