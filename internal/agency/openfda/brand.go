package openfda

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
)

var (
	namedBrand = regexp.MustCompile(`(?:^|[\s(,;:"])((?:[\p{Lu}\d&][\p{L}\p{N}'’&.-]*[ ]){1,4}|[\p{L}\p{N}'’&.-]+-)(?i:brand(?:ed)?)\b`)
	brandField = regexp.MustCompile(`(?i)\bbrand(?: name)?\s*:\s*([^,;.\n]{2,40})`)
)

// brand takes the brand that the description names as one, that of the drug's
// label, or the firm where the product carries its name. A contract packer's
// name is on no shelf: better no brand than his.
func (w wireReport) brand(part, description string) string {
	for _, text := range []string{part, description} {
		if !strings.Contains(strings.ToLower(text), "brand") {
			continue
		}
		for _, pattern := range []*regexp.Regexp{brandField, namedBrand} {
			if m := pattern.FindStringSubmatch(text); m != nil {
				if brand := strings.Trim(m[1], " -\""); !agency.Placeholder(brand) {
					return brand
				}
			}
		}
	}
	for _, name := range w.OpenFDA.BrandName {
		if brand := name.Clean(); !agency.Placeholder(brand) {
			return brand
		}
	}
	firm := extract.BrandFromTitle(string(w.RecallingFirm)+" Recalls "+part, "")
	if firm != "" && !agency.Placeholder(firm) {
		brand := carriedName(firm, description)
		if words := strings.Fields(brand); len(words) > 2 || tellsBrand(words) {
			return brand
		}
	}
	return leadingBrand(part, string(w.RecallingFirm))
}

// carriedName returns the firm's name, or its beginning, as the description
// repeats it. One word of several is too little ("Peanut" Processors), unless
// the description says that something is its ("Zarlengo's").
func carriedName(firm, description string) string {
	lower := strings.ToLower(description)
	words := strings.Fields(firm)
	for n := len(words); n > 0; n-- {
		name := strings.Trim(strings.Join(words[:n], " "), " ,.&")
		repeated := strings.ToLower(name)
		if n == 1 && len(words) > 1 {
			repeated = strings.TrimSuffix(repeated, "'s") + "'s"
		}
		if len(name) > 2 && strings.Contains(lower, repeated) {
			return name
		}
	}
	return ""
}

// leadingBrand returns the brand that a description begins with, as far as more
// than its place speaks for it: the firm's name begins so too, its last word is
// one for a business ("Dairy House", "Lucky Foods"), or capitals stand inside
// the first word ("ByHeart"). What a product is begins most descriptions, and
// taken for a brand would tell the product from itself.
func leadingBrand(description, firm string) string {
	words := leadingWords(description)
	if len(words) == 0 {
		return ""
	}
	for name := range strings.SplitSeq(businessName.ReplaceAllString(firm, "\n"), "\n") {
		if n := commonStart(words, strings.Fields(name)); n > 0 && tellsBrand(words[:n]) {
			return strings.Join(words[:n], " ")
		}
	}
	for n := 2; n <= min(len(words), 4); n++ {
		if last := strings.ToLower(words[n-1]); businesses[last] && (n == len(words) || !manners[strings.ToLower(words[n])]) &&
			(n > 2 || last == "house" || !plainWords[strings.ToLower(words[0])]) {
			return strings.Join(words[:n], " ")
		}
	}
	if innerCapital(words[0]) {
		return words[0]
	}
	return ""
}

// businessName stands before the name under which a firm trades.
var businessName = regexp.MustCompile(`(?i),? (?:dba|d/b/a|aka)\.?:? `)

// leadingWords are the capitalised words that a text begins with, up to a mark.
func leadingWords(text string) []string {
	const most = 5
	var words []string
	for word := range strings.FieldsSeq(text) {
		bare := strings.TrimRight(word, ",;:.*®™-–")
		first, inner := []rune(bare + " ")[0], strings.ContainsAny(bare, "0123456789()[]#%\"/")
		if inner || !unicode.IsUpper(first) || len(words) == most {
			break
		}
		if words = append(words, bare); bare != word {
			break
		}
	}
	return words
}

// commonStart returns how many words two texts begin with alike.
func commonStart(words, firm []string) int {
	n := 0
	for n < len(words) && n < len(firm) && nameWord(words[n]) == nameWord(firm[n]) {
		n++
	}
	return n
}

// nameWord is a word as it is compared: "Ukrop's" is "UKROPS".
func nameWord(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
}

// tellsBrand tells whether words of a firm's name are more than what it makes
// ("Peanut" of a firm Peanut Processors).
func tellsBrand(words []string) bool {
	for _, w := range words {
		if w = strings.ToLower(w); !plainWords[w] && !manners[w] && len(w) > 1 {
			return true
		}
	}
	return false
}

// innerCapital tells whether a word is written as brands alone are: ByHeart.
func innerCapital(word string) bool {
	small := false
	for i, r := range word {
		if small && unicode.IsUpper(r) {
			return i > 1 && len(word) >= 5 && !strings.ContainsAny(word, "-'’")
		}
		small = unicode.IsLower(r)
	}
	return false
}

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

var (
	// businesses are words that end a business's name.
	businesses = wordSet(`house farm farms foods kitchen kitchens bakery bakeries bros brothers creamery market markets naturals orchard orchards
		mills gardens company dairies cellars roasters provisions confections seafoods`)
	// manners tell how something is made; a business's word before them is none:
	// "Farm Raised".
	manners = wordSet(`raised fresh style grown made caught fed baked fried smoked roasted inspired recipe cut`)
	// plainWords say what a food is, and are no brand by themselves.
	plainWords = wordSet(`the a an all and of with for in assorted various fresh frozen raw cooked dried dry whole half sliced diced chopped shredded
		ground grated smoked roasted baked fried grilled organic natural pure premium original classic gourmet homemade deluxe super jumbo large small
		mini medium extra light dark sweet sour spicy hot mild salted unsalted red green white black yellow blue brown golden wild free range
		cinnamon pepper salt spice spices herb herbs garlic onion ginger turmeric curry cumin paprika vanilla chocolate cocoa coffee tea sugar honey
		syrup candy gum cookie cookies cake cakes pie pies bread buns bagel bagels muffin muffins cracker crackers granola cereal oats oat rice pasta
		noodle noodles flour corn wheat bean beans lentil soy tofu nut nuts peanut peanuts almond almonds cashew cashews walnut walnuts pecan pecans
		pistachio hazelnut seed seeds sesame sunflower apple apples banana bananas berry berries strawberry blueberry raspberry blackberry cherry peach
		peaches pear pears plum mango pineapple grape grapes orange lemon lime melon cantaloupe watermelon fruit fruits vegetable vegetables potato
		potatoes tomato tomatoes carrot carrots cucumber cucumbers lettuce spinach kale broccoli cabbage celery mushroom mushrooms salad salads slaw
		kimchi pickle pickles sauce sauces salsa dip hummus soup soups stew broth dressing mayonnaise mustard ketchup vinegar oil butter margarine
		milk cream yogurt yoghurt cheese cheddar mozzarella queso cottage dairy ice gelato sorbet egg eggs meat beef pork chicken turkey ham sausage
		bacon fish salmon tuna shrimp crab lobster oyster oysters clams seafood sandwich sandwiches wrap wraps burrito taco pizza meal meals snack
		snacks bar bars chips popcorn pretzel pretzels juice juices water drink drinks beverage smoothie shake powder powdered formula infant baby
		dietary supplement supplements vitamin vitamins protein capsule capsules tablet tablets liquid product products food foods ingredient
		american italian mexican chinese indian thai japanese french greek german cuban southern farm garden home store ocean`)
)
