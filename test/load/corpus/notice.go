package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/gtin"
)

// queryStream is the random stream of Queries; a notice's is its index.
const queryStream = 1 << 32

// How many of a hundred notices carry each kind of code, about as the agency's
// own do. Barcodes are more frequent than there (5 in 100), so that several
// thousand different hits can be asked for.
const (
	withModels     = 55
	withSerials    = 18
	withLots       = 12
	withDateCodes  = 20
	withMade       = 25
	withBarcodes   = 25
	withLongTable  = 3
	withTwoNames   = 8
	withCanada     = 30
	unitsSoldAbout = 100_000
)

// draft is a notice while it is being written.
type draft struct {
	*rand.Rand
	index       int
	class       class
	brand, firm string
	published   time.Time
	models      []string
}

// at writes the notice at an index.
func at(seed uint64, index int) Recall {
	d := &draft{Rand: rand.New(rand.NewPCG(seed, uint64(index))), index: index}
	d.class = pick(d.Rand, classes)
	d.brand = brandName(d.Rand)
	d.firm = d.brand + " " + pick(d.Rand, firmForms)
	year := firstYear + index%years
	// A fiscal year begins in October of the year before.
	d.published = time.Date(year-1, time.October, 1+d.IntN(365), 0, 0, 0, 0, time.UTC)
	d.models = d.modelNumbers()

	danger := hazards[pick(d.Rand, d.class.hazards)]
	fix := pick(d.Rand, remedies)
	date := d.published.Format("2006-01-02T15:04:05")
	r := Recall{
		RecallID: 500_000 + index, RecallNumber: fmt.Sprintf("%02d%03dx", year%100, index/years+1),
		RecallDate: date, LastPublishDate: date,
		Title:           fmt.Sprintf("%s Recalls %ss Due to %s", d.brand, d.class.one, danger.title),
		URL:             fmt.Sprintf("https://www.cpsc.gov/Recalls/%d/%s-Recalls-%s-%d", d.published.Year(), d.brand, strings.ReplaceAll(d.class.one, " ", "-"), index),
		ConsumerContact: fmt.Sprintf("%s toll-free at 800-555-%04d from 9 a.m. to 5 p.m. ET Monday through Friday, or online at www.example.com/%s and click on Recalls for more information.", d.brand, d.IntN(10000), strings.ToLower(d.brand)),
		Products:        d.products(), ProductUPCs: d.barcodes(),
		Inconjunctions: []struct{ URL string }{}, Distributors: []Name{}, Retailers: []Name{{Name: d.soldAt()}},
		Injuries:      []Name{{Name: d.incidents()}},
		Manufacturers: []Name{{Name: fmt.Sprintf("%s Manufacturing %s, of %s", pick(d.Rand, brandHeads), pick(d.Rand, firmForms), pick(d.Rand, countries))}},
		Importers:     []Name{{Name: d.firm + ", of " + pick(d.Rand, cities)}},
		Hazards:       []Hazard{{Name: fmt.Sprintf("The %s %s, %s.", d.class.part, pick(d.Rand, faults), danger.sentence)}},
		Remedies:      []Name{{Name: fmt.Sprintf(fix.sentence, d.class.many, d.brand, d.class.part)}},
	}
	r.ManufacturerCountries = append(r.ManufacturerCountries, struct{ Country string }{pick(d.Rand, countries)})
	r.RemedyOptions = append(r.RemedyOptions, struct{ Option string }{fix.option})
	r.Images = d.images()
	r.Description = d.description(r.ProductUPCs)
	return r
}

// chance is true in so many of a hundred cases.
func (d *draft) chance(percent int) bool { return d.IntN(100) < percent }

func (d *draft) modelNumbers() []string {
	if !d.chance(withModels) {
		return nil
	}
	n := 1 + d.IntN(5)
	if d.chance(withLongTable) {
		n = 20 + d.IntN(40)
	}
	series := strings.ToUpper(d.brand[:2]) + string(rune('A'+d.IntN(26)))
	first := 100 + d.IntN(800)
	models := make([]string, n)
	for i := range models {
		models[i] = fmt.Sprintf("%s-%d%c", series, first+10*i, 'A'+d.IntN(26))
	}
	return models
}

func (d *draft) products() []Product {
	units := fmt.Sprintf("About %s", thousands(100+d.IntN(unitsSoldAbout)))
	if d.chance(withCanada) {
		units += fmt.Sprintf(" (in addition, about %s were sold in Canada)", thousands(50+d.IntN(5000)))
	}
	products := []Product{{Name: d.brand + " " + d.class.one + "s", NumberOfUnits: units}}
	if d.chance(withTwoNames) {
		products = append(products, Product{Name: fmt.Sprintf("%s Deluxe %ss", d.brand, d.class.one)})
	}
	return products
}

// barcodes gives every notice that has some its own numbers: five digits of the
// firm, five of the article.
func (d *draft) barcodes() []UPC {
	upcs := []UPC{}
	if !d.chance(withBarcodes) {
		return upcs
	}
	const most = 2
	for i := range 1 + d.IntN(most) {
		digits := fmt.Sprintf("8%05d%05d", d.IntN(100_000), (d.index*most+i)%100_000)
		check, _ := gtin.CheckDigit(digits) // eleven digits always have one
		upcs = append(upcs, UPC{digits + string(check)})
	}
	return upcs
}

func (d *draft) images() []Image {
	images := make([]Image, 1+d.IntN(3))
	for i := range images {
		images[i] = Image{
			URL:     fmt.Sprintf("https://www.cpsc.gov/s3fs-public/%s_%d_%d.png", strings.ToLower(d.brand), d.index, i+1),
			Caption: fmt.Sprintf("Recalled %s %s in %s", d.brand, d.class.one, pick(d.Rand, colours)),
		}
	}
	return images
}

func (d *draft) incidents() string {
	words := pick(d.Rand, incidents)
	if !strings.Contains(words, "%") {
		return words
	}
	return fmt.Sprintf(words, 2+d.IntN(90), d.brand, d.class.part)
}

func (d *draft) soldAt() string {
	from, to := d.window(36)
	return fmt.Sprintf("%s and %s nationwide and online at www.example.com from %s through %s for between $%d and $%d.",
		capital(pick(d.Rand, shops)), pick(d.Rand, shops), from, to, 15+d.IntN(80), 100+d.IntN(400))
}

// description writes what the agency puts into one blob of text: what the
// product looks like, and every code that limits the recall.
func (d *draft) description(upcs []UPC) string {
	s := []string{fmt.Sprintf("This recall involves %s %s. The %s measure about %d inches long by %d inches wide and were sold in %s and %s.",
		d.brand, d.class.many, d.class.many, 10+d.IntN(50), 8+d.IntN(30), pick(d.Rand, colours), pick(d.Rand, colours))}
	add := func(format string, args ...any) { s = append(s, fmt.Sprintf(format, args...)) }
	switch {
	case len(d.models) == 1:
		add("The model number %s is printed %s.", d.models[0], pick(d.Rand, places))
	case len(d.models) > 1:
		add("Only the following model numbers are included: %s and %s. The model number is %s.",
			strings.Join(d.models[:len(d.models)-1], ", "), d.models[len(d.models)-1], pick(d.Rand, places))
	}
	if d.chance(withSerials) {
		first := 100_000 + d.IntN(800_000)
		add("The recalled units have serial numbers from %s%d through %s%d, which stand %s.", d.brand[:1], first, d.brand[:1], first+d.IntN(9000), pick(d.Rand, places))
	}
	if d.chance(withLots) {
		lot := 10_000 + d.IntN(80_000)
		add("Lot numbers %d, %d and %d are affected.", lot, lot+7, lot+19)
	}
	if d.chance(withDateCodes) {
		y := d.published.Year() % 100
		add("Only units with date codes from %02d%02d through %02d%02d are included; the four-digit date code is %s.",
			(y+99)%100, 1+d.IntN(26), (y+99)%100, 27+d.IntN(25), pick(d.Rand, places))
	}
	if d.chance(withMade) {
		from, to := d.window(24)
		add("They were manufactured between %s and %s.", from, to)
	}
	for i, u := range upcs {
		if i == 0 {
			add("UPC %s is on the packaging.", u.UPC)
			continue
		}
		add("Some were packed under UPC %s %s %s %s.", u.UPC[:1], u.UPC[1:6], u.UPC[6:11], u.UPC[11:])
	}
	add("The %s is made of steel, fabric and plastic and comes in sizes %s. The name %s appears %s, together with the words \"keep these instructions\" and the address of the importer. "+
		"The %s came fully assembled in a cardboard carton with a carrying handle, an instruction booklet in English and Spanish, and a registration card.",
		d.class.part, pick(d.Rand, shirtSizes), d.brand, pick(d.Rand, places), d.class.many)
	add("Owners who bought the %s second hand or received them as a gift are included. No other %s by %s are part of this recall.", d.class.many, d.class.many, d.brand)
	return strings.Join(s, " ")
}

// window returns two months, the later one some time before publication, at
// most so many months apart.
func (d *draft) window(most int) (from, to string) {
	end := d.published.AddDate(0, -1-d.IntN(6), 0)
	start := end.AddDate(0, -2-d.IntN(most-2), 0)
	name := func(t time.Time) string { return fmt.Sprintf("%s %d", months[t.Month()-1], t.Year()) }
	return name(start), name(end)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
