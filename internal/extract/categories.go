package extract

// categoryWords lead from product words to the catalogue's categories.
var categoryWords = newLexicon(
	entry[string]{"cribs", []string{"crib", "cribs", "cradle", "cradles", "lit bébé", "lit à barreaux"}},
	entry[string]{"bassinets", []string{"bassinet*", "sleeper", "sleepers", "berceau*", "couffin*", "cododo"}},
	entry[string]{"strollers", []string{"stroller*", "pram", "prams", "pushchair*", "poussette*", "landau*"}},
	entry[string]{"car-seats", []string{"car seat", "car seats", "child restraint*", "booster seat", "booster seats", "siège auto", "sièges auto", "siège-auto"}},
	entry[string]{"high-chairs", []string{"high chair", "high chairs", "highchair*", "hook-on chair*", "chaise haute", "chaises hautes"}},
	entry[string]{"bouncers-swings", []string{"bouncer*", "infant swing*", "baby swing*", "rocker", "rockers", "infant rocker*", "transat*", "balancelle*"}},
	entry[string]{"play-yards", []string{"play yard*", "playard*", "playpen*", "pack n play", "parc bébé"}},
	entry[string]{"walkers", []string{"baby walker*", "infant walker*", "walker", "walkers", "trotteur*"}},
	entry[string]{"carriers", []string{"baby carrier*", "infant carrier*", "soft carrier*", "sling carrier*", "baby sling*", "porte-bébé*", "child carrier*"}},
	entry[string]{"bath", []string{"bath seat*", "baby bath*", "infant bath*", "bathtub*", "infant bath tub*"}},
	entry[string]{"infant-formula", []string{"infant formula*", "formula", "lait infantile*", "laits infantiles", "1er âge", "2ème âge", "2e âge", "lait de croissance", "préparation pour nourrissons", "toddler formula"}},
	entry[string]{"baby-food", []string{"baby food*", "infant cereal*", "baby cereal*", "baby snack*", "puree*", "fruit pouch*", "petit pot", "petits pots", "aliment infantile", "apple sauce pouch*", "teething biscuit*"}},
	entry[string]{"feeding", []string{"baby bottle*", "feeding bottle*", "sippy*", "biberon*", "tétine*", "bib", "bibs", "feeding chair*", "bottle warmer*"}},
	entry[string]{"pacifiers-teethers", []string{"pacifier*", "teether*", "teething", "sucette de puériculture", "anneau de dentition", "attache-sucette*", "attache-tétine*"}},
	entry[string]{"toys", []string{"toy", "toys", "doll", "dolls", "plush", "rattle", "rattles", "puzzle*", "building set*", "stuffed animal*", "jouet*", "poupée*", "peluche*", "hochet*", "playset*", "magnetic balls", "action figure*", "ride-on toy*", "slime", "fidget*", "figurine*"}},
	entry[string]{"sleepwear", []string{"sleepwear", "pajama*", "pyjama*", "nightgown*", "robe", "robes", "bathrobe*", "loungewear", "nightwear", "nightdress*"}},
	entry[string]{"clothing", []string{"clothing", "jacket*", "hoodie*", "sweatshirt*", "shirt", "shirts", "dress", "dresses", "shoes", "boots", "sandals", "socks", "hat", "hats", "vêtement*", "drawstring*", "coat", "coats", "bodysuit*", "romper*", "chaussure*"}},
	entry[string]{"nursery", []string{"nursery", "crib bumper*", "sleep sack*", "swaddle*", "changing table*", "changing pad*", "baby lounger*", "infant lounger*", "nursing pillow*", "baby monitor*", "crib mattress*", "puériculture", "bed rail*", "safety gate*", "baby gate*", "baby lounger", "tour de lit", "loungers", "diaper*", "gigoteuse*", "turbulette*"}},
	entry[string]{"helmets", []string{"helmet*", "casque*"}},
	entry[string]{"bicycles-scooters", []string{"bicycle*", "bike", "bikes", "e-bike*", "scooter*", "hoverboard*", "tricycle*", "vélo*", "trottinette*", "skateboard*"}},
	entry[string]{"furniture", []string{"dresser*", "bed", "beds", "chair", "chairs", "table", "tables", "bookcase*", "furniture", "cabinet*", "chest", "chests", "sofa*", "bunk bed*", "mattress*", "desk", "desks", "stool*", "meuble*", "commode*", "wardrobe*", "bench", "benches", "nightstand*", "recliner*"}},
	entry[string]{"appliances", []string{"refrigerator*", "dishwasher*", "microwave*", "range", "ranges", "oven", "ovens", "cooktop*", "blender*", "coffee maker*", "coffeemaker*", "heater*", "dehumidifier*", "humidifier*", "dryer*", "washer*", "washing machine*", "air fryer*", "pressure cooker*", "air conditioner*", "fan", "fans", "toaster*", "kettle*", "vacuum*", "hair dryer*", "freezer*", "fryer*"}},
	entry[string]{"electronics", []string{"power bank*", "charger*", "battery pack*", "laptop*", "phone", "phones", "smartwatch*", "headphone*", "earbud*", "adapter*", "power adapter*", "power strip*", "surge protector*", "extension cord*", "lithium-ion batteries", "tablet*", "speaker*", "chargeur*"}},
	entry[string]{"tools-garden", []string{"chainsaw*", "saw", "saws", "mower*", "drill*", "ladder*", "generator*", "grill*", "pressure washer*", "trimmer*", "tondeuse*", "tool", "tools", "leaf blower*", "blower*", "snow thrower*"}},
	entry[string]{"sports", []string{"treadmill*", "trampoline*", "exercise*", "golf*", "ski", "skis", "kayak*", "climbing", "fitness", "pool", "pools", "swim*", "life jacket*", "paddle*", "utility vehicle*", "off-road*", "atv", "atvs", "off-highway*"}},
	entry[string]{"household", []string{"candle*", "lamp", "lamps", "light", "lights", "blind", "blinds", "curtain*", "rug", "rugs", "cookware", "mug", "mugs", "tumbler*", "bottle", "bottles", "drain opener*", "cleaner*", "bougie*", "window covering*", "essential oil*"}},
)

// Categories tells which of the catalogue's product categories texts name, each
// once, in order of first appearance. It is empty when they name none.
func Categories(texts ...string) []string {
	var found []string
	seen := map[string]bool{}
	for _, source := range texts {
		t := tokenise("", source)
		for i, end := 0, t.productEnd(); i < end; {
			category, span := categoryWords.at(t, i)
			if category != "" && !seen[category] {
				seen[category] = true
				found = append(found, category)
			}
			i += max(span, 1)
		}
	}
	return found
}
