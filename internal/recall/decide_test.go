package recall_test

import (
	"testing"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// The notices below are invented; each shows one way in which notices limit themselves.

func notice(id, title string, products ...recall.Product) *recall.Notice {
	n := &recall.Notice{ID: id, Agency: "us-cpsc", Title: title, PublishedAt: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC),
		Countries: []string{"US"}, Products: products}
	n.Normalise()
	return n
}

func quote(text string) recall.Quote {
	return recall.Quote{Text: text, Field: "description", End: len(text)}
}

func gtins(codes ...string) []recall.PrintedGTIN {
	var list []recall.PrintedGTIN
	for _, c := range codes {
		list = append(list, recall.PrintedGTIN{GTIN: ("00000000000000" + c)[len(c):], Printed: c, From: "ProductUPCs"})
	}
	return list
}

var (
	// A product without any code: brand and words decide.
	walker = notice("us-cpsc:30-001", "Infant Walkers Recalled Due to Fall Hazard; Sold by Zorbino",
		recall.Product{Name: "Zorbino Infant Walkers", Brand: "Zorbino"})
	// A barcode and nothing else.
	heater = notice("us-cpsc:30-002", "Kaldor Recalls Nursery Heaters", recall.Product{Name: "Kaldor WarmNook nursery heater", Brand: "Kaldor",
		GTINs: gtins("041220787340")})
	// Models.
	bassinet = notice("us-cpsc:30-003", "Plumova Recalls Bassinets", recall.Product{Name: "Plumova DreamNest convertible bassinets", Brand: "Plumova",
		Models: []string{"QX-831", "QX-844"}})
	// How models begin, and a model that the name alone holds.
	beginnings = notice("us-cpsc:30-060", "Sondril Recalls Mattresses", recall.Product{Name: "Sondril mattresses", Brand: "Sondril", Models: []string{"13QBNAT*"}})
	adapter    = notice("us-cpsc:30-061", "Ostwin Recalls Power Adapters", recall.Product{Name: "Ostwin PX-10B power adapters", Brand: "Ostwin", Models: []string{"MQ10"}})
	// A brand that is two words written as one.
	warmer = notice("ca-hc:30-062", "WarmPaws Rechargeable Paw Warmers recalled", recall.Product{Name: "WarmPaws Rechargeable Paw Warmers"})
	// Names of food: a brand with classes alone, and a sentence of them.
	meals = notice("us-fsis:30-063", "Bankar Brand Meals Recalled", recall.Product{Name: "BANKAR CHICKEN STRIPS MEAL", Brand: "Bankar"})
	drops = notice("us-fda:30-064", "Herbs Firm: Calmo Tummytea Herbal Supplement, promotes rest",
		recall.Product{Name: "Calmo Tummytea Herbal Supplement, Promotes rest, helps ease colic and upset stomach", Units: []recall.Predicate{
			recall.Equals(1, recall.Lot, "E164BS", recall.Quote{Text: "E164BS", Field: "code_info", End: 6})}})
	unread = notice("us-cpsc:30-065", "Tamura Recalls Baby Loungers", recall.Product{Name: "Tamura baby loungers", Brand: "Tamura", Models: []string{"*"}})
	packed = notice("us-fda:30-066", "Gormet Ham Sandwich", recall.Product{Name: "Gormet ham sandwich", Brand: "Gormet", Units: []recall.Predicate{
		recall.Range(1, recall.Made, "2017-02-01", "2017-02-14", recall.Quote{Text: "packed", Field: "code_info", End: 6}),
		recall.Range(1, recall.BestBefore, "2017-02-15", "2017-02-28", recall.Quote{Text: "sell", Field: "code_info", End: 4})}})
	joined = notice("us-cpsc:30-067", "Charo Recalls Trailers and Kits", recall.Product{Name: "Charo bicycle trailers and bicycle trailer conversion kits", Brand: "Charo"})
	bottle = notice("us-cpsc:30-068", "Wollo Detergent Recalled", recall.Product{Name: "Wollo Delicates detergent", Brand: "Wollo", Models: []string{"62338-7272"},
		Units: []recall.Predicate{recall.Equals(1, recall.Lot, "S24364", recall.Quote{Text: "S24364", Field: "d", End: 6})}})
	// A barcode with lots, and a range of serial numbers.
	formula = notice("us-fda:H-0001-2026", "Lactora Infant Formula", recall.Product{Name: "Lactora Gentle infant formula", Brand: "Lactora",
		GTINs: gtins("036000291452"),
		Units: []recall.Predicate{
			recall.Equals(1, recall.Lot, "A17", quote("Lot A17")), recall.Equals(1, recall.BestBefore, "2027-01-26", quote("best by 01/26/2027")),
			recall.Equals(2, recall.Lot, "B20", quote("Lot B20")), recall.Equals(2, recall.BestBefore, "2027-03", quote("best by 03/2027")),
		}})
	// Lots with and without the letter that says what they are.
	cereal = notice("us-fda:H-0003-2026", "Lactora cereal", recall.Product{Name: "Lactora first cereal", Brand: "Lactora", GTINs: gtins("4006381333948"),
		Units: []recall.Predicate{recall.Equals(1, recall.Lot, "L3307", quote("L3307")), recall.Equals(2, recall.Lot, "4408", quote("4408")),
			recall.Equals(3, recall.Lot, "10662 5112 11", quote("10662 5112 11"))}})
	stroller = notice("us-cpsc:30-004", "Velaro Recalls Strollers", recall.Product{Name: "Velaro CityGlide stroller", Brand: "Velaro",
		Units: []recall.Predicate{recall.Range(1, recall.Serial, "SR-HX13-01001", "SR-HX13-01488", quote("serial numbers from SR-HX13-01001 to SR-HX13-01488"))}})
	// Made within a window, with a date code whose format is stated.
	seat = notice("us-cpsc:30-005", "Brimley Recalls Booster Seats", recall.Product{Name: "Brimley HighRide booster seat", Brand: "Brimley",
		Units: []recall.Predicate{
			recall.Range(1, recall.Made, "2024-04-01", "2024-08-20", quote("manufactured between April 1, 2024, and August 20, 2024")),
			withWhere(recall.Range(1, recall.DateCode, "20240401", "20240820", quote("listed in YYYYMMDD format")), "on the frame (format YYYYMMDD)"),
		}})
	// Limits that could not be read.
	crib = notice("us-cpsc:30-006", "Tessling Recalls Cribs", recall.Product{Name: "Tessling Harbour crib", Brand: "Tessling",
		Units: []recall.Predicate{recall.Unreadable(1, recall.Serial, quote("see the table of serial numbers"))}})
	// All but some.
	swing = notice("us-cpsc:30-007", "Ostby Recalls Swings", recall.Product{Name: "Ostby Lullaby infant swing", Brand: "Ostby",
		Units: []recall.Predicate{except(recall.Equals(1, recall.Lot, "R9", quote("except lot R9")))}})
	// Limited by the date of sale.
	rattle = notice("us-cpsc:30-008", "Mavi Recalls Rattles", recall.Product{Name: "Mavi Clack rattle", Brand: "Mavi",
		Units: []recall.Predicate{recall.Range(1, recall.Sold, "2023-01", "2023-06", quote("only those sold from January through June 2023"))}})
	// The importer recalls; the brand stands in the product's name.
	mattress = notice("us-cpsc:30-010", "Yonder Trading Recalls LUMMI Crib Mattresses", recall.Product{Name: "LUMMI crib mattresses", Brand: "Yonder Trading"})
	// No brand anywhere, and a short model.
	hookOn = notice("us-cpsc:30-011", "Portable Hook-On Chairs Recalled", recall.Product{Name: "Portable hook-on chairs", Models: []string{"S006"}})
	bikes  = notice("us-cpsc:30-012", "Murfel Electric Bikes Recalls Bicycles", recall.Product{Name: "Electric bicycles", Brand: "Murfel Electric Bikes"})
	helmet = notice("us-cpsc:30-013", "R.X.Y Bicycle Helmets Recalled", recall.Product{Name: "R.X.Y bicycle helmets", Brand: "R.X.Y"})
	// The title names the shop; the name's last class is what it is.
	cribPad = notice("us-cpsc:30-014", "Forley Crib Mattresses Recalled; Sold Exclusively on Amazon.com", recall.Product{Name: "Forley crib mattresses", Brand: "Forley"})
	// Closed-up and capitalised names, and a model printed with another brand.
	bottles = notice("fr-rappelconso:2024-02-0007", "MIBO BabyGlassBottle", recall.Product{Name: "MIBO BabyGlassBottle", Brand: "MIBO"})
	carrier = notice("us-nhtsa:24C001000", "Granley GlideRide child restraints", recall.Product{Name: "GlideRide", Brand: "Granley", Models: []string{"GlideRide", "Aprilla A30"}})
	pajamas = notice("us-cpsc:30-015", "Klimm Body Recalls KLIMM Children's Pajama Sets", recall.Product{Name: "KLIMM children's pajama sets", Brand: "Klimm Body"})
	greens  = notice("us-fda:H-0009-2026", "Deepal Select Chauri Beans", recall.Product{Name: "Deepal Select Chauri beans frozen 12 oz", Brand: "Deepal",
		Units: []recall.Predicate{recall.Equals(1, recall.Lot, "25039", quote("25039"))}})
	earmuff = notice("us-cpsc:30-016", "Pelto Recalls X4 Earmuffs", recall.Product{Name: "Pelto X4 earmuffs", Brand: "Pelto"})
	bib     = notice("us-fda:H-0010-2026", "Beverage Base Lemonade, BIB", recall.Product{Name: "Beverage base lemonade bottle, BIB"})
	// Every unit of the models that were read, and perhaps of others.
	monitor = notice("us-cpsc:30-017", "Sondo Recalls Monitors", recall.Product{Name: "Sondo EarView baby monitors", Brand: "Sondo", Models: []string{"EV-100"},
		GTINs: gtins("4006381333955"), Units: []recall.Predicate{
			withModels(recall.All(1, recall.Lot, quote("EV-100")), "EV-100"), recall.Unreadable(2, recall.Lot, quote("and others"))}})
	withdrawn = func() *recall.Notice {
		n := notice("us-cpsc:30-009", "Zorbino Recalls Gates", recall.Product{Name: "Zorbino SafePass gate", Brand: "Zorbino", GTINs: gtins("012345678905")})
		n.Status = recall.Withdrawn
		return n
	}()
	everything = []*recall.Notice{walker, heater, bassinet, formula, cereal, stroller, seat, crib, swing, rattle, mattress, hookOn, bikes, helmet, cribPad, bottles, carrier, pajamas, greens, earmuff, bib, monitor, withdrawn, beginnings, adapter, warmer, meals, drops, unread, packed, joined, bottle}
)

func withWhere(p recall.Predicate, where string) recall.Predicate      { p.WherePrinted = where; return p }
func withModels(p recall.Predicate, models ...string) recall.Predicate { p.Models = models; return p }
func except(p recall.Predicate) recall.Predicate                       { p.Except = true; return p }

// fataler is what of testing.TB both a test and a property give.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func decide(t fataler, u recall.Unit, notices ...*recall.Notice) recall.Decision {
	t.Helper()
	q, err := recall.Read(u)
	if err != nil {
		t.Fatalf("reading %+v: %v", u, err)
	}
	return recall.Decide(&q, notices)
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name string
		unit recall.Unit
		want recall.Outcome
		need string
	}{
		{"barcode alone, no codes in the notice", recall.Unit{GTIN: "041220787340"}, recall.Affected, ""},
		{"barcode of a notice whose list of models may not be whole", recall.Unit{GTIN: "4006381333955"}, recall.Affected, ""},
		{"another model of it", recall.Unit{GTIN: "4006381333955", Model: "ZZ-900"}, recall.NeedCode, "model"},
		{"unknown barcode", recall.Unit{GTIN: "4006381333931"}, recall.NoMatch, ""},
		{"barcode of a withdrawn notice", recall.Unit{GTIN: "012345678905"}, recall.NoMatch, ""},
		{"barcode with lots, no lot given", recall.Unit{GTIN: "036000291452"}, recall.NeedCode, "lot"},
		{"barcode and lot inside", recall.Unit{GTIN: "036000291452", Lot: "a 17"}, recall.Affected, ""},
		{"barcode and lot outside", recall.Unit{GTIN: "036000291452", Lot: "C99"}, recall.NotAffected, ""},
		{"batch is another word for lot", recall.Unit{GTIN: "036000291452", Batch: "B-20"}, recall.Affected, ""},
		{"lot with a printed label", recall.Unit{GTIN: "036000291452", Lot: "LOT: A17"}, recall.Affected, ""},
		{"figures of a lot whose letter stands glued to them", recall.Unit{GTIN: "4006381333948", Lot: "3307"}, recall.Affected, ""},
		{"letter glued to a lot that the notice prints without", recall.Unit{GTIN: "4006381333948", Lot: "LOT4408"}, recall.Affected, ""},
		{"half of a printed lot", recall.Unit{GTIN: "4006381333948", Lot: "10662 5112"}, recall.NeedCode, "lot"},
		{"the whole of it", recall.Unit{GTIN: "4006381333948", Lot: "10662 5112 11"}, recall.Affected, ""},
		{"best-before date alone proves", recall.Unit{GTIN: "036000291452", BestBefore: "2027-01-26"}, recall.Affected, ""},
		{"expiry given for a best-before date", recall.Unit{GTIN: "036000291452", Expiry: "2027-01-26"}, recall.Affected, ""},
		{"lot of one pair, date of another", recall.Unit{GTIN: "036000291452", Lot: "A17", BestBefore: "2027-03"}, recall.NotAffected, ""},
		{"month that holds the day decides nothing", recall.Unit{GTIN: "036000291452", BestBefore: "2027-01"}, recall.NeedCode, "lot"},
		{"best-before date of none", recall.Unit{GTIN: "036000291452", BestBefore: "2028-01-01"}, recall.NotAffected, ""},

		{"brand and product words", recall.Unit{Brand: "Zorbino", Name: "baby walker"}, recall.Affected, ""},
		{"brand within the name of a listing", recall.Unit{Name: "ZORBINO Infant Walker foldable with music tray, grey, great condition"}, recall.Affected, ""},
		{"brand in the product's name, importer as the notice's brand", recall.Unit{Brand: "Lummi", Name: "cot mattress"}, recall.Affected, ""},
		{"misspelt brand", recall.Unit{Brand: "Zorbinno", Name: "infant walker"}, recall.Affected, ""},
		{"the brand's other product", recall.Unit{Brand: "Zorbino", Name: "high chair"}, recall.NoMatch, ""},
		{"another brand's walker", recall.Unit{Brand: "Quillby", Name: "infant walker"}, recall.NoMatch, ""},
		{"brand alone", recall.Unit{Brand: "Zorbino"}, recall.CannotTell, ""},
		{"common word alone", recall.Unit{Name: "walker"}, recall.CannotTell, ""},
		{"placeholder brand and common word", recall.Unit{Brand: "unknown", Name: "baby walker"}, recall.CannotTell, ""},
		{"lot alone", recall.Unit{Lot: "A17"}, recall.CannotTell, ""},
		{"country alone", recall.Unit{Country: "us"}, recall.CannotTell, ""},

		{"model with brand", recall.Unit{Brand: "Plumova", Model: "qx831"}, recall.Affected, ""},
		{"model alone, specific", recall.Unit{Model: "QX-831"}, recall.Affected, ""},
		{"short model with the class of product, no brand on one side", recall.Unit{Name: "hook-on chair", Model: "S006"}, recall.Affected, ""},
		{"long name of a line alone", recall.Unit{Model: "GLIDE-RIDE"}, recall.NeedCode, "name"},
		{"short model alone", recall.Unit{Model: "S006"}, recall.NoMatch, ""},
		{"brand that holds the class of product", recall.Unit{Brand: "Murfel Bikes", Name: "electric bicycle"}, recall.Affected, ""},
		{"brand of initials", recall.Unit{Brand: "RXY", Name: "kids bike helmet"}, recall.Affected, ""},
		{"shop given as the brand", recall.Unit{Brand: "Amazon", Name: "crib mattress"}, recall.NoMatch, ""},
		{"part of the product's name is another product", recall.Unit{Brand: "Forley", Name: "crib"}, recall.NoMatch, ""},
		{"closed-up name written apart", recall.Unit{Brand: "MIBO", Name: "baby glass bottle"}, recall.Affected, ""},
		{"closed-up name written apart, with a size", recall.Unit{Brand: "MIBO", Name: "Baby Glass Bottle 225ml"}, recall.Affected, ""},
		{"closed-up name in another order", recall.Unit{Brand: "MIBO", Name: "glass baby bottle 110 ml"}, recall.Affected, ""},
		{"closed-up name as printed", recall.Unit{Brand: "MIBO", Name: "babyglassbottle"}, recall.Affected, ""},
		{"a brand is no other's singular", recall.Unit{Brand: "BIBS", Name: "lemonade bottle"}, recall.NoMatch, ""},
		{"line written apart", recall.Unit{Brand: "Granley", Name: "Glide Ride"}, recall.Affected, ""},
		{"model printed behind another brand", recall.Unit{Brand: "Aprilla", Model: "A30"}, recall.Affected, ""},
		{"first word of the firm is the brand", recall.Unit{Name: "Klimm children's pajama set"}, recall.Affected, ""},
		{"another product of the line, the same lot", recall.Unit{Brand: "Deepal", Name: "Select Methi frozen 12 oz", Lot: "25039"}, recall.NoMatch, ""},
		{"perhaps another product of the line, the same lot", recall.Unit{Brand: "Deepal", Name: "Select Chauri Methi 12 oz", Lot: "25039"}, recall.NeedCode, "name"},
		{"another number of the line", recall.Unit{Brand: "Pelto", Name: "X5 earmuffs"}, recall.NoMatch, ""},
		{"brand that looks like a common word", recall.Unit{Brand: "Forlay", Name: "cot mattress"}, recall.Affected, ""},
		{"number with a letter is no size", recall.Unit{Brand: "Pelto", Name: "20B earmuffs"}, recall.NoMatch, ""},
		{"model in the name behind its brand", recall.Unit{Brand: "Aprilla", Name: "A30"}, recall.Affected, ""},
		{"model of another brand", recall.Unit{Brand: "Quillby", Model: "QX-831"}, recall.NoMatch, ""},
		{"model that no notice of the brand names", recall.Unit{Brand: "Plumova", Model: "ZZ-100"}, recall.NoMatch, ""},
		{"brand and name, no model", recall.Unit{Brand: "Plumova", Name: "DreamNest bassinet"}, recall.NeedCode, "model"},
		{"brand, name and another model", recall.Unit{Brand: "Plumova", Name: "DreamNest bassinet", Model: "QX-999"}, recall.NoMatch, ""},
		{"model within the name", recall.Unit{Name: "Plumova bassinet QX-844 white"}, recall.Affected, ""},
		{"brand written apart, name closed up", recall.Unit{Brand: "warm paws", Name: "rechargeable pawwarmers"}, recall.Affected, ""},
		{"another kind of a brand's meals", recall.Unit{Brand: "Bankar", Name: "Salisbury steak meal"}, recall.NoMatch, ""},
		{"a brand's meals", recall.Unit{Brand: "Bankar", Name: "chicken strips meal"}, recall.Affected, ""},
		{"what a long name begins with, no brand", recall.Unit{Name: "Calmo Tummytea herbal drops 2 oz"}, recall.NeedCode, "lot"},
		{"a lot, and what a long name begins with", recall.Unit{Name: "Calmo Tummytea herbal drops 2 oz", Lot: "E164BS"}, recall.Affected, ""},
		{"models that could not be read, none given", recall.Unit{Brand: "Tamura", Name: "baby lounger"}, recall.NeedCode, "model"},
		{"models that could not be read, one given", recall.Unit{Brand: "Tamura", Name: "baby lounger", Model: "TX-FQ2"}, recall.Affected, ""},
		{"packed within, best before not given", recall.Unit{Brand: "Gormet", Name: "ham sandwich", MadeOn: "2017-02-10"}, recall.Affected, ""},
		{"best before within, day of packing not given", recall.Unit{Brand: "Gormet", Name: "ham sandwich", BestBefore: "2017-02-20"}, recall.Affected, ""},
		{"best before outside", recall.Unit{Brand: "Gormet", Name: "ham sandwich", BestBefore: "2017-05-20"}, recall.NotAffected, ""},
		{"one of two products that a name joins", recall.Unit{Brand: "Charo", Name: "child bicycle trailer double"}, recall.Affected, ""},
		{"another product of the brand than the two", recall.Unit{Brand: "Charo", Name: "Flitzer bicycle"}, recall.NoMatch, ""},
		{"a lot decides, whatever the one model", recall.Unit{Brand: "Wollo", Name: "Delicates detergent"}, recall.NeedCode, "lot"},
		{"model that begins as the notice says", recall.Unit{Brand: "Sondril", Name: "mattress", Model: "13QBNAT-Q"}, recall.Affected, ""},
		{"model that begins otherwise", recall.Unit{Brand: "Sondril", Name: "mattress", Model: "14QBNAT-Q"}, recall.NoMatch, ""},
		{"model that only the product's name holds", recall.Unit{Brand: "Ostwin", Name: "power adapter", Model: "PX 10B"}, recall.Affected, ""},
		{"model cut off by a letter", recall.Unit{Brand: "Plumova", Name: "DreamNest bassinet", Model: "QX-83"}, recall.NeedCode, "model"},
		{"name of the line given as the model", recall.Unit{Brand: "Plumova", Name: "bassinet", Model: "DreamNest"}, recall.NeedCode, "model"},
		{"name of another line given as the model", recall.Unit{Brand: "Plumova", Model: "CloudHop"}, recall.NoMatch, ""},
		{"brand and class, not the line", recall.Unit{Brand: "Plumova", Name: "bassinet"}, recall.NeedCode, "model"},

		{"serial inside", recall.Unit{Brand: "Velaro", Name: "CityGlide pushchair", Serial: "srhx13-01200"}, recall.Affected, ""},
		{"serial outside", recall.Unit{Brand: "Velaro", Name: "CityGlide pushchair", Serial: "SR-HX13-02000"}, recall.NotAffected, ""},
		{"serial given as a lot", recall.Unit{Brand: "Velaro", Name: "CityGlide buggy", Lot: "SR-HX13-01001"}, recall.Affected, ""},
		{"lot of another build says nothing of serials", recall.Unit{Brand: "Velaro", Name: "CityGlide buggy", Lot: "L7"}, recall.NeedCode, "serial"},
		{"serial of another build says nothing", recall.Unit{Brand: "Velaro", Name: "CityGlide buggy", Serial: "778"}, recall.NeedCode, "serial"},
		{"no serial", recall.Unit{Brand: "Velaro", Name: "CityGlide stroller"}, recall.NeedCode, "serial"},

		{"made inside", recall.Unit{Brand: "Brimley", Name: "HighRide booster seat", MadeOn: "2024-05"}, recall.Affected, ""},
		{"made outside", recall.Unit{Brand: "Brimley", Name: "HighRide booster seat", MadeOn: "2024-09-01"}, recall.NotAffected, ""},
		{"made partly inside", recall.Unit{Brand: "Brimley", Name: "HighRide booster seat", MadeOn: "2024"}, recall.NeedCode, "made_on"},
		{"date code inside", recall.Unit{Brand: "Brimley", Name: "HighRide booster seat", DateCode: "20240701"}, recall.Affected, ""},
		{"date code given as lot", recall.Unit{Brand: "Brimley", Name: "HighRide booster seat", Lot: "PC: 2024-07-01"}, recall.Affected, ""},
		{"date code outside", recall.Unit{Brand: "Brimley", Name: "HighRide booster seat", DateCode: "20250101"}, recall.NotAffected, ""},

		{"limits that could not be read", recall.Unit{Brand: "Tessling", Name: "Harbour cot"}, recall.NeedCode, "serial"},
		{"limits that could not be read, code given", recall.Unit{Brand: "Tessling", Name: "Harbour cot", Serial: "1234"}, recall.NeedCode, "serial"},

		{"excepted lot", recall.Unit{Brand: "Ostby", Name: "Lullaby swing", Lot: "R9"}, recall.NotAffected, ""},
		{"not the excepted lot", recall.Unit{Brand: "Ostby", Name: "Lullaby swing", Lot: "R8"}, recall.Affected, ""},
		{"excepted lot not given", recall.Unit{Brand: "Ostby", Name: "Lullaby swing"}, recall.NeedCode, "lot"},

		{"bought within the window", recall.Unit{Brand: "Mavi", Name: "Clack rattle", BoughtOn: "2023-03-05"}, recall.Affected, ""},
		{"bought before the window", recall.Unit{Brand: "Mavi", Name: "Clack rattle", BoughtOn: "2022"}, recall.NotAffected, ""},
		{"bought second-hand after the window", recall.Unit{Brand: "Mavi", Name: "Clack rattle", BoughtOn: "2025"}, recall.NeedCode, "bought_on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decide(t, c.unit, everything...)
			if d.Outcome != c.want {
				t.Fatalf("outcome %s, want %s; matches %+v", d.Outcome, c.want, d.Matches)
			}
			if c.want == recall.NeedCode {
				if need := d.Matches[0].Need; need == nil || need.Identifier != c.need {
					t.Errorf("need %+v, want %s", need, c.need)
				}
			}
		})
	}
}

// A number or a common word of one notice must not stand for another product, and
// what people call a product need not be what the agency calls it.
func TestNamesAsPeopleSayThem(t *testing.T) {
	meal := notice("us-fsis:30-080", "Hazlo Firm Recalls Chicken Meals", recall.Product{Name: "Hazlo FAMILY MEAL Serving Size 1 cup Calories 500"})
	water := notice("us-fda:30-081", "Brunna Springs: 100% Natural Bottled Water", recall.Product{Name: "100% Natural Bottled Water, 16 oz"})
	muffin := notice("us-fda:30-082", "Brunna Bakery: Apple Cinnamon Muffin", recall.Product{Name: "Apple Cinnamon Muffin", Brand: "Brunna Bakery"})
	pajamas := notice("us-cpsc:30-083", "Orlo and Finn Recalls Children’s Pajamas Due to Burn Hazard", recall.Product{Name: "Orlo and Finn Children’s Two-Piece Pajama Sets", Brand: "Orlo and Finn"})
	pad := notice("us-cpsc:30-084", "Wendelo Recalls Travel Mattresses Due to Entrapment Hazard", recall.Product{Name: "Wendelo organic folding crib pad", Brand: "Wendelo"})
	exponent := notice("us-cpsc:30-085", "Velaro Recalls ZUZU³ Strollers Due to Injury Hazard", recall.Product{Name: "ZUZU³ strollers", Brand: "Velaro"})
	letter := notice("fr-rappelconso:30-086", "entremets", recall.Product{Name: "entremets vanillés", Brand: "u"})
	for _, c := range []struct {
		name string
		unit recall.Unit
		want recall.Outcome
	}{
		{"a number that a name holds", recall.Unit{Brand: "Orvalo", Name: "pushchair", Model: "500"}, recall.NoMatch},
		{"a percentage", recall.Unit{Name: "bottle", Model: "100"}, recall.NoMatch},
		{"a size", recall.Unit{Brand: "Zorblat", Name: "bottle", Model: "16 oz"}, recall.NoMatch},
		{"a food that is no brand", recall.Unit{Brand: "Apple", Name: "apple juice"}, recall.NoMatch},
		{"a model that is none", recall.Unit{Model: "none"}, recall.CannotTell},
		{"no set", recall.Unit{Brand: "Orlo and Finn", Name: "Children's Pajamas"}, recall.Affected},
		{"the title's class", recall.Unit{Brand: "Wendelo", Name: "travel mattress"}, recall.Affected},
		{"an exponent as a figure", recall.Unit{Brand: "Velaro", Name: "ZUZU3 stroller"}, recall.Affected},
		{"no exponent", recall.Unit{Brand: "Velaro", Name: "ZUZU stroller"}, recall.Affected},
		{"a brand of one letter", recall.Unit{Brand: "U", Name: "entremets vanillés"}, recall.Affected},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := decide(t, c.unit, meal, water, muffin, pajamas, pad, exponent, letter); d.Outcome != c.want {
				t.Errorf("outcome %s, want %s; matches %+v", d.Outcome, c.want, d.Matches)
			}
		})
	}
}

func TestAffectedQuotesItsEvidence(t *testing.T) {
	d := decide(t, recall.Unit{GTIN: "036000291452", Lot: "A17"}, everything...)
	if len(d.Matches) != 1 {
		t.Fatalf("%d matches, want 1", len(d.Matches))
	}
	m := d.Matches[0]
	if m.Recall.ID != "us-fda:H-0001-2026" || m.Confidence < 0.9 {
		t.Errorf("match %+v", m)
	}
	quoted := map[string]string{}
	for _, e := range m.Evidence {
		quoted[e.Identifier] = e.Quote
	}
	if quoted["gtin"] != "036000291452" || quoted["lot"] != "Lot A17" {
		t.Errorf("evidence %+v", m.Evidence)
	}
}

func TestCountryOrdersAndNeverHides(t *testing.T) {
	french := notice("fr-rappelconso:2024-01-0001", "Zorbino trotteur", recall.Product{Name: "trotteur", Brand: "zorbino"})
	french.Countries = []string{"FR"}
	for country, first := range map[string]string{"FR": french.ID, "US": walker.ID} {
		d := decide(t, recall.Unit{Brand: "Zorbino", Name: "baby walker", Country: country}, walker, french)
		if len(d.Matches) != 2 || d.Matches[0].Recall.ID != first {
			t.Errorf("country %s: matches %+v", country, d.Matches)
		}
	}
}

func TestCaseCodeIsPossibleNotExact(t *testing.T) {
	// 10036000291459 is the case of ten of 036000291452.
	caseOnly := notice("us-fda:H-0002-2026", "Gentle formula by the case", recall.Product{Name: "Lactora Gentle formula", Brand: "Lactora", GTINs: gtins("10036000291459")})
	if d := decide(t, recall.Unit{GTIN: "036000291452"}, caseOnly); d.Outcome != recall.NeedCode || d.Matches[0].Need.Identifier != "name" {
		t.Errorf("unit of a recalled case: %+v", d)
	}
	if d := decide(t, recall.Unit{GTIN: "036000291452", Brand: "Lactora", Name: "Gentle infant formula"}, caseOnly); d.Outcome != recall.Affected {
		t.Errorf("unit of a recalled case with its name: %+v", d)
	}
}
