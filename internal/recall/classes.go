package recall

import "strings"

// classTable brings the words for one class of product to one word. It is
// built once from productClasses.
type classTable struct {
	single map[string]string    // folded singular word → class
	pairs  map[[2]string]string // two adjacent words → one class or joined word
	triple map[[3]string]string // three adjacent words
	class  map[string]bool      // every canonical class word
	first  map[string]bool      // words that begin a pair or a triple
}

// productClasses lists, by canonical word, the words that people and agencies
// use for one class of product, in English (both sides of the ocean), French and
// German.
// A phrase of two or three words becomes the one word.
var productClasses = map[string]string{
	"crib":        "crib, cot, baby crib, baby cot, cotbed, cot bed, lit bebe, lit de bebe, lit a barreaux, kinderbett, gitterbett, babybett, beistellbett",
	"bassinet":    "bassinet, moses basket, bedside sleeper, bedside crib, berceau, couffin, cododo, side sleeper, stubenwagen",
	"cradle":      "cradle, wiege",
	"stroller":    "stroller, pushchair, buggy, pram, baby carriage, push chair, poussette, landau, jogger stroller, kinderwagen",
	"pacifier":    "pacifier, soother, dummy, tetine, sucette, binky, schnuller, nuckel",
	"diaper":      "diaper, nappy, couche, windel",
	"highchair":   "highchair, high chair, chaise haute, feeding chair, hochstuhl, kinderhochstuhl",
	"carseat":     "carseat, car seat, child seat, child restraint, booster seat, child safety seat, baby seat, siege auto, infant carrier seat, child restraint system, kindersitz, autositz, autokindersitz, babyschale",
	"playyard":    "playyard, play yard, playpen, play pen, travel cot, parc bebe, lit parapluie, packnplay, pack n play, pack and play, pack play, laufstall, laufgitter, reisebett",
	"walker":      "walker, baby walker, trotteur, youpala, lauflernhilfe",
	"bouncer":     "bouncer, bouncy seat, baby bouncer, bouncer seat, transat, balancelle, babywippe",
	"swing":       "swing, balancoire, schaukel",
	"carrier":     "carrier, baby carrier, sling, porte bebe, echarpe de portage, babytrage, tragetuch",
	"bottle":      "bottle, biberon, babybottle, baby bottle, feeding bottle, nursing bottle, flasche, babyflasche, trinkflasche",
	"formula":     "formula, infant formula, baby formula, formula milk, lait infantile, infant milk, lait 1er age, lait 2eme age, preparation pour nourrisson, sauglingsnahrung, sauglingsmilch, babymilch, anfangsmilch, folgemilch",
	"babyfood":    "babyfood, baby food, petit pot, toddler food, infant food, babynahrung, babybrei, babykost",
	"toy":         "toy, jouet, spielzeug",
	"rattle":      "rattle, hochet, rassel, babyrassel",
	"teether":     "teether, teething ring, teething toy, anneau de dentition, beissring",
	"doll":        "doll, poupee, puppe",
	"plush":       "plush, peluche, stuffed toy, stuffed animal, soft toy, plush toy, teddy bear, doudou, pluschtier, kuscheltier, stofftier",
	"sleepwear":   "sleepwear, pajama, pyjama, nightgown, nightwear, nightdress, loungewear, sleeper pajama, robe, bathrobe, dressing gown, schlafanzug, nachthemd",
	"sleepsack":   "sleepsack, sleep sack, sleeping bag, gigoteuse, turbulette, wearable blanket, schlafsack, babyschlafsack",
	"blanket":     "blanket, couverture, quilt, decke, babydecke",
	"dresser":     "dresser, chest of drawer, clothing storage unit, commode, chest drawer, bureau, wickelkommode",
	"bedrail":     "bedrail, bed rail, bed guard, barriere de lit, bed handle, bettgitter",
	"gate":        "gate, baby gate, safety gate, stair gate, barriere de securite, child gate, turschutzgitter, treppenschutzgitter",
	"bathseat":    "bathseat, bath seat, bath ring, siege de bain, bath tub seat",
	"bathtub":     "bathtub, baby bath, baignoire, badewanne, babybadewanne",
	"helmet":      "helmet, casque, helm, fahrradhelm",
	"bicycle":     "bicycle, bike, velo, fahrrad, kinderfahrrad",
	"scooter":     "scooter, trottinette",
	"monitor":     "monitor, babyphone, baby monitor",
	"lounger":     "lounger, baby lounger, infant lounger, nest, baby nest, reducteur de lit",
	"mattress":    "mattress, matelas, matratze, babymatratze",
	"bumper":      "bumper, crib bumper, tour de lit, cot bumper",
	"atv":         "atv, all terrain vehicle, quad bike, quad",
	"bunkbed":     "bunkbed, bunk bed, lit superpose, etagenbett, hochbett",
	"magnet":      "magnet, magnetic ball, magnet ball, aimant, bille magnetique, magnetic toy, magnetspielzeug",
	"flashlight":  "flashlight, torch, lampe de poche",
	"faucet":      "faucet, tap, robinet",
	"airfryer":    "airfryer, air fryer, friteuse a air, heissluftfritteuse",
	"vacuum":      "vacuum, vacuum cleaner, hoover, aspirateur",
	"charger":     "charger, chargeur",
	"powerbank":   "powerbank, power bank, portable charger, batterie externe",
	"heater":      "heater, space heater, radiateur, chauffage, heizgerat, heizlufter",
	"lamp":        "lamp, lampe, leuchte",
	"nightlight":  "nightlight, night light, veilleuse, nachtlicht",
	"candle":      "candle, bougie, kerze",
	"chair":       "chair, chaise, stuhl",
	"stool":       "stool, step stool, tabouret, kitchen tower, learning tower, toddler tower, hocker",
	"shoe":        "shoe, chaussure, sneaker, trainer, schuh",
	"slipper":     "slipper, chausson",
	"dress":       "dress, robe enfant",
	"jacket":      "jacket, coat, veste, manteau, jacke",
	"hoodie":      "hoodie, sweatshirt, hooded sweatshirt, sweat a capuche",
	"necklace":    "necklace, collier, halskette",
	"bracelet":    "bracelet, wristband, armband",
	"balloon":     "balloon, ballon, luftballon",
	"milk":        "milk, lait, milch",
	"cheese":      "cheese, fromage, kase",
	"cookie":      "cookie, biscuit, keks",
	"sausage":     "sausage, saucisse, saucisson, wurst",
	"spreader":    "spreader",
	"trampoline":  "trampoline",
	"umbrella":    "umbrella, parapluie",
	"truck":       "truck, lorry, camion",
	"thermometer": "thermometer, thermometre",
	"medicine":    "medicine, medication, medicament, arzneimittel",
}

var classes = buildClasses(productClasses)

func buildClasses(table map[string]string) classTable {
	t := classTable{single: map[string]string{}, pairs: map[[2]string]string{}, triple: map[[3]string]string{}, class: map[string]bool{}, first: map[string]bool{}}
	for class, list := range table {
		t.class[class] = true
		for phrase := range strings.SplitSeq(list, ",") {
			words := Tokens(phrase)
			for i, w := range words {
				words[i] = Singular(w)
			}
			switch len(words) {
			case 1:
				t.single[words[0]] = class
			case 2:
				t.pairs[[2]string{words[0], words[1]}] = class
				t.first[words[0]] = true
			case 3:
				t.triple[[3]string{words[0], words[1], words[2]}] = class
				t.first[words[0]] = true
			}
		}
	}
	return t
}

// rewrite replaces phrases and words by their class, longest phrase first, in place.
func (t *classTable) rewrite(words []string) []string {
	out := words[:0]
	for i := 0; i < len(words); i++ {
		w := words[i]
		if t.first[w] {
			if i+2 < len(words) {
				if class, ok := t.triple[[3]string{w, words[i+1], words[i+2]}]; ok {
					out, i = append(out, class), i+2
					continue
				}
			}
			if i+1 < len(words) {
				if class, ok := t.pairs[[2]string{w, words[i+1]}]; ok {
					out, i = append(out, class), i+1
					continue
				}
			}
		}
		if class, ok := t.single[w]; ok {
			w = class
		}
		out = append(out, w)
	}
	return out
}

// IsClass reports whether a word of Words names a class of product.
func IsClass(word string) bool { return classes.class[word] || productNouns[word] }

// Filler reports whether a word of Words carries no meaning for a search or a
// match: it neither finds nor excludes anything.
func Filler(word string) bool { return len(word) == 1 && !hasDigit(word) || fillers[word] }

// Common reports whether a word of Words is too common to name one product:
// a class, a colour, a material, a size or sales talk. A match never rests on
// common words alone.
func Common(word string) bool {
	return Filler(word) || IsClass(word) || commonWords[word]
}

// NamesProduct reports whether a text holds a word that could name one product:
// one that is neither a filler nor common, with two letters at least.
func NamesProduct(text string) bool {
	for _, w := range Words(text) {
		if !Common(w) && len(w) > 1 {
			return true
		}
	}
	return false
}

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
		set[Singular(w)] = true
	}
	return set
}

var fillers = wordSet(`the a an and or of for in on at to with without from by is are was were be been this that these those it its
my our your their me we you i he she do does did has have had am as if so than then there here what which who how why when where
recall recalled recalling recalls notice alert warning affected product item brand new used old please help check safe unsafe
due hazard risk sold exclusively about any all some no not yes can could would should will may might
ate eat bought buy buying got get have baby's kid's son daughter
le la les un une des du de et ou au aux en dans pour par sur avec sans ce cette ces son sa ses mon ma mes notre nos votre vos
rappel produit marque article est sont
der die das den dem des und oder mit ohne fur von vom im zum zur aus bei ein eine einer eines ist sind ruckruf warnung produkt artikel
inc llc ltd co corp company gmbh sarl sas sa limited corporation incorporated plc usa`)

// productNouns are words for kinds of product that have no synonyms to fold.
var productNouns = wordSet(`range microwave oven sleeper basketball pad cooktop stove jumper iphone phone steamer pillowcase towel washcloth booster
table desk bench bed couch sofa shelf bookcase cabinet rack basket tent canopy cover bag backpack
suitcase cup mug plate bowl spoon fork knife pan pot kettle blender mixer oven stove grill toaster fryer cooker refrigerator freezer
dishwasher washer dryer fan humidifier dehumidifier purifier conditioner furnace generator mower trimmer saw drill ladder tool hammer
battery cable adapter plug outlet strip cord switch light bulb fixture chandelier sconce speaker headphone phone laptop tablet computer
camera drone robot clock watch jewelry ring earring
shirt t tshirt pant trouser short sock glove mitten hat cap scarf sweater boot sandal costume mask romper onesie bodysuit legging
ball puzzle game block book crayon marker paint clay slime kit set bundle pack car train boat kayak canoe ski skateboard skate
tricycle treadmill elliptical exerciser dumbbell trailer vehicle atv utv motorcycle snowmobile golf cart tire wheel seat belt
pool slide ladder float vest jacket raft sprinkler hose mat rug carpet curtain blind shade pillow cushion sheet comforter
soap shampoo lotion cream powder oil spray cleaner detergent bleach
bread cake candy chocolate cereal snack chip cracker nut peanut almond fruit vegetable salad meat beef pork chicken turkey fish
salmon tuna shrimp egg yogurt butter ice sauce soup spice juice water tea coffee drink supplement vitamin tablet capsule syrup
pepper onion cucumber lettuce spinach pasta rice noodle pizza sandwich dip hummus dressing mix
dispenser extinguisher alarm detector lighter firework torch stand holder hook hanger lock latch handle mount frame mirror glass
mobile gym activity center playset playhouse sandbox swingset jumper rocker glider recliner ottoman nursery changing station
meal entree dinner patty nugget burger steak wing
boudin jambon pate viande poulet poisson legume glace gateau huile sucre sel pain
vehicule voiture moto automobile tee pull pantalon chemise
brot kuchen schokolade nuss mandel obst gemuse salat fleisch rindfleisch hackfleisch schinken hahnchen fisch lachs thunfisch ei joghurt sosse suppe gewurz
wasser tee kaffee saft nudel reis mehl honig marmelade chips saatgut`)

var commonWords = wordSet(`over under top slide built baby infant toddler newborn child children kid boy girl adult women men woman man unisex family home house kitchen
bathroom bedroom garden outdoor indoor portable folding foldable adjustable convertible electric electronic cordless wireless rechargeable
wooden wood metal steel stainless plastic glass ceramic cotton fabric leather rubber silicone bamboo aluminum iron carbon fiber
white black red blue green yellow pink purple grey gray brown orange beige gold silver clear multicolor color colour
small medium large big mini extra xl size inch inches cm mm ft foot feet oz ounce ounces lb lbs kg g ml l liter litre gallon pound pounds count ct pc pcs piece pieces
double single triple twin full queen king long short high low light heavy duty soft hard hot cold warm cool fresh frozen dried dry raw organic natural
multicolored multicoloured colored coloured colours fl fluid footed hooded sleeve sleeved zip zipper print printed striped floral fleece
road mountain racing hybrid commuter triathlon touring cruiser branded modal spandex polyester blended youth junior juvenile teen multi purpose multipurpose digital automatic standard height commercial residential smart mounted rear front wall handheld lightweight
free style model type version edition series line classic original premium deluxe pro plus ultra super best good great nice condition gift
2 3 4 5 6 7 8 9 10 one two three four five six
summer winter spring fall holiday christmas halloween birthday party school travel sport sports safety security
food drink feeding sleeping play playing musical educational interactive learning sensory
bebe enfant enfants nourrisson fille garcon homme femme maison cuisine jardin bois plastique metal verre tissu coton
lebensmittel spielwaren baby kinder garten holz metall weiss schwarz rot blau grun gelb bio natur frisch getrocknet tiefgekuhlt
blanc noir rouge bleu vert jaune rose gris marron violet petit grand lot taille couleur modele bio nature naturel frais
toddlers babies store online amazon walmart target ebay temu shein`)
