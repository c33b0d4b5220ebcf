package extract

import "github.com/crownsafe/api/internal/recall"

// audienceWords are words of products, never of victims: a dresser that tips
// over onto a child is not a child's product.
var audienceWords = newLexicon(
	entry[recall.Audience]{recall.Infant, []string{
		"baby", "babies", "baby’s", "baby's", "infant", "infants", "infant’s", "infant's", "newborn*", "toddler", "toddlers", "toddler’s", "toddler's", "nursery", "nursing pillow*",
		"crib", "cribs", "bassinet*", "cradle", "cradles", "stroller", "strollers", "pram", "prams", "pushchair*", "buggy", "high chair", "high chairs", "highchair*",
		"car seat", "car seats", "child restraint*", "booster seat", "booster seats", "bouncer", "bouncers", "bouncer seat*", "infant swing*", "sleeper", "sleepers", "inclined sleeper*", "swaddle*", "onesie*", "bodysuit*", "romper", "rompers",
		"pacifier", "pacifiers", "pacifier clip*", "teether*", "teething", "rattle", "rattles", "bib", "bibs", "diaper*", "changing table*", "changing pad*", "bath seat*", "play yard*", "playard*", "playpen*", "playyard*", "pack n play", "pack-n-play*", "pack and play*", "walker", "walkers", "activity center*",
		"activity gym*", "formula", "infant formula", "baby food", "baby monitor*", "bed rail*", "baby carrier*", "infant carrier*", "soft carrier*", "sling carrier*", "child carrier*", "soother*", "baby gym*", "sippy", "feeding bottle*", "baby bottle*", "burp cloth*", "crib bumper*", "crib mattress*", "sleep sack*", "sleepsack*", "layette*", "potty",
		"bébé", "bébés", "nourrisson*", "biberon*", "tétine*", "sucette de puériculture", "poussette*", "berceau*", "lit bébé", "hochet*", "landau", "puériculture", "infantile*", "lait infantile", "siège auto", "chaise haute", "tour de lit", "turbulette*", "gigoteuse*", "1er âge", "2ème âge", "2e âge", "couches", "body",
		"sleepsuit*", "hook-on chair*", "busy book*", "baby lounger*", "infant lounger*", "nursing pillow*", "safety gate*", "baby gate*", "pediatric*",
	}},
	entry[recall.Audience]{recall.Child, []string{
		"child", "child’s", "child's", "children", "children’s", "children's", "childrens", "kid", "kids", "kids’", "kid’s", "kid's", "kids'", "toy", "toys", "doll", "dolls", "plush", "stuffed animal*", "youth", "youths", "boys", "girls", "boy’s", "girl’s", "boys’", "girls’", "boys'", "girls'",
		"playset*", "play set*", "building blocks", "puzzle*", "juvenile", "bunk bed*", "trampoline*", "magnetic balls", "building set*", "slime", "craft kit*", "loft bed*", "ride-on*", "balance bike*", "school", "sleepwear", "nightgown*", "pajama*", "robes", "jouet*", "enfant", "enfants", "poupée*", "peluche*", "jeu", "jeux", "déguisement*", "figurine*", "crayons", "finger paint*", "dress-up", "costume*", "swing set*", "swingset*", "playground*", "play tent*", "tricycle*", "scooters for children", "activity table*", "board game*", "pounding game*", "fishing game*", "chess game*", "water balloon*", "fingerpaint*", "coloring set*", "play purse*", "action figure*", "figures", "magnetic bead*", "slot car*", "fidget*", "learning tower*",
	}},
	entry[recall.Audience]{recall.General, []string{
		"keep out of reach of children", "adult", "adults", "adult portable bed rail*", "adult bed rail*", "bed assist rail*", "hand bed rail*", "bed handle*", "men’s", "women’s", "men's", "women's", "pet", "pets", "dog", "dogs", "cat food", "dog food", "puppy", "baby back", "baby spinach", "baby carrot*", "baby carrots", "baby kale", "baby lima*", "baby arugula", "baby portabella*", "baby bella*", "baby corn", "baby greens", "baby leaf", "baby potato*", "baby swiss", "baby clam*", "baby romaine", "baby spring", "baby octopus", "baby shrimp",
		"child-resistant", "child resistant", "child-resistance", "infant deaths", "chat", "chien", "vegetable formula", "dietary formula", "formula 1", "aircraft carrier", "carrier bag*", "jeu de", "tool carrier", "cargo carrier", "plate carrier", "baby oil", "buggy bumper", "garage", "swaddle of",
	}},
)

// adultWords make a product one for grown-ups, whatever else its name says.
var adultWords = newLexicon(
	entry[bool]{true, []string{"adult", "adults", "men’s", "women’s", "men's", "women's"}},
)

// names tells whether a word of the lexicon stands before token end.
func (t *text) names(words *lexicon[bool], end int) bool {
	for i := range end {
		if _, span := words.at(t, i); span > 0 {
			return true
		}
	}
	return false
}

// productEnd is the token behind a title's words for the product: what follows
// "due to" or a semicolon speaks of hazards, victims and shops.
func (t *text) productEnd() int {
	for i := range t.tokens {
		switch t.tokens[i].lower {
		case "due":
			if i+1 < len(t.tokens) && t.tokens[i+1].lower == "to" {
				return i
			}
		case ";":
			return i
		case "because", "tip-over", "posing":
			if i > 0 {
				return i
			}
		}
	}
	return len(t.tokens)
}

// AudienceOf tells for whom a product is made by the words of its own name.
// Hand it titles and product names, and descriptions only behind them: the
// youngest audience that the first text with a word for one names is the
// answer, and General when none names any. Of a title, what follows "due to"
// doesn't count.
func AudienceOf(texts ...string) recall.Audience {
	for _, source := range texts {
		t := tokenise("", source)
		audience, end := recall.Audience(""), t.productEnd()
		if t.names(adultWords, end) {
			return recall.General
		}
		for i := 0; i < end; {
			a, span := audienceWords.at(t, i)
			switch a {
			case recall.Infant:
				return recall.Infant
			case recall.Child:
				audience = recall.Child
			}
			i += max(span, 1)
		}
		if audience != "" {
			return audience
		}
	}
	return recall.General
}
