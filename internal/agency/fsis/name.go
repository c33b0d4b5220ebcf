package fsis

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	quoted = regexp.MustCompile(`[“"„]\s*([^“”"„]{3,200}?)[\s,.;]*[”"]`)
	// mark is what stands before a quotation that is no name, but a date, a code
	// or a number.
	mark = regexp.MustCompile(`(?i)\b(?:by|before|date[sd]?|through|thru|codes?|numbers?|no\.?|#|lots?|est\.?|julian|stamped?|time ?stamps?|upc|on|sku|plu|between|ranging|from|frozen|packed|packaged|produced|after|until)\b[\s:.,(]*$`)
	// labelWord is a quotation of the label's own words for a code or a date.
	labelWord = regexp.MustCompile(`(?i)^(?:(?:best|use|used|sell|sold|freeze|enjoy|packed|pack|made|production|expiration|exp|lot|batch|case|product|package|julian|est|establishment|date|if|or|by|on|before|thru|through|code|number|no)\b[\s./:#-]*)+$|\b(?:19|20)\d\d$`)
	// packing is how a line without quotations begins: "12-oz. packages of".
	packing = regexp.MustCompile(`(?i)^(?:[^"“]{0,90}?)\b(?:packages?|pkgs?\.?|cases?|cartons?|boxes|box|bags?|bowls?|trays?|cans?|jars?|tubs?|containers?|pouch(?:es)?|packs?|chubs?|logs?|pieces?|cups?|rolls?|sleeves|wrappers?|pails?|clamshells?|bottles?|slabs?)(?: each)?\s*(?:\([^)]*\))?,?\s*(?:weighing [^,]+,?\s*)?(?:labell?ed as|labell?ed|identified as|containing|containers? of|consisting of|of|marked(?: as)?|with)\s+(?:the\s+|\d+\s+(?:pieces|packages|links|units) of\s+)?`)
	// weighing is a weight in front of a name: "24-oz. of", "3.5 pound".
	weighing = regexp.MustCompile(`(?i)^(?:approximately |various |varying |and |or |,\s*)*[\d.,/ -]+(?:-| )?(?:oz|ounces?|lbs?|pounds?|kg|g|grams?|count)\b\.?,?\s*(?:of\s+)?(?:individually wrapped )?`)
	// behindName begins what a line says besides the name.
	behindName = regexp.MustCompile(`(?i)[\s,;:(]+(?:(?:with|that|which|and|having|printed|marked|labell?ed|bears?|bearing|containing|includ(?:es|ing)|identified|stamped|are|were|was|is|has|have|sold|distributed|produced|packed|packaged|in|on|for|from)\s+|\(?(?:upc|lots?|case|best|use|sell|freeze|est\b|establishment|package|production|product codes?|batch|item|sku|code|date)\b)`)
	// behindQuote does so behind a quoted name that the words behind it may
	// complete: "SkyRings" with Meatballs, bearing ….
	behindQuote = regexp.MustCompile(`(?i)[;:]|[\s,(]+(?:(?:with (?:an?|the|its|identifying|various|use|best|sell|lots?|codes?|case|production|product|package|pack|batch|est|establishment|upc|expiration|julian)|that|which|having|printed|marked|labell?ed|bears?|bearing|containing|identified|stamped|are|were|was|is|has|have|sold|distributed|produced|packed|packaged|in|on|for|from|and)|(?:upc|lots?|case codes?|best (?:by|before|if)|use by|sell by|freeze|est|establishment|package codes?|production codes?|product codes?|batch|item|sku))\b|\s(?:with )?["“\d]`)
	brandBehind = regexp.MustCompile(`(?i)^[\s,]*brand(?:ed|s)?\b`)
	namedBrand  = regexp.MustCompile(`(?i)(?:^|[\s"“])((?:[\p{Lu}\d][\p{L}\p{N}'’&.-]*\s){1,4})brand\b`)
)

var (
	// otherLabel stands behind the name on the label that the product wrongly
	// carries, and mislabelled before it.
	otherLabel  = regexp.MustCompile(`(?i)^[\s,]*(?:brand )?labels?\b`)
	mislabelled = regexp.MustCompile(`(?i)\b(?:(?:mis)?label(?:l?ed)?(?: incorrectly)? as|label of another product),?\s*$`)
)

// itemNames are what a line's product is called, and what the label calls it
// that it wrongly carries: who has it at home knows that name alone.
func itemNames(line, otherwise string) []string {
	names := []string{itemName(line, otherwise)}
	for _, m := range quoted.FindAllStringSubmatchIndex(line, -1) {
		text := strings.Join(strings.Fields(line[m[2]:m[3]]), " ")
		wrong := otherLabel.MatchString(line[m[1]:]) || mislabelled.MatchString(line[:m[0]])
		if wrong && isName(text) && !strings.Contains(names[0], text) && len(names) == 1 {
			names = append(names, text)
		}
	}
	return names
}

// itemName takes from a line of the list what the product is called: what the
// label shows, which FSIS quotes, or the words behind the packing.
func itemName(line, otherwise string) string {
	if name := quotedName(line); name != "" {
		return name
	}
	name := strings.NewReplacer(`"`, "", "“", "", "”", "").Replace(line)
	if at := packing.FindStringIndex(name); at != nil {
		name = name[at[1]:]
	}
	for shorter := weighing.ReplaceAllString(name, ""); shorter != name; shorter = weighing.ReplaceAllString(name, "") {
		name = shorter
	}
	if name = upToCodes(name); letters(name) < 4 {
		return otherwise
	}
	return name
}

// quotedName returns the first quotation that is a name. One that doesn't say
// what the food is goes on in the next, or in the words behind it: “Turner Farm”,
// “GROUND BEEF” and "The Chili Station" Beef Chili.
func quotedName(line string) string {
	name, end := "", 0
	for _, m := range quoted.FindAllStringSubmatchIndex(line, -1) {
		text := strings.Join(strings.Fields(line[m[2]:m[3]]), " ")
		switch {
		case name == "" && !mark.MatchString(line[:m[0]]) && !brandBehind.MatchString(line[m[1]:]) && isName(text):
			name, end = text, m[1]
		case name != "" && !saysFood(name) && strings.Trim(line[end:m[0]], " ,;&") == "" && saysFood(text):
			return name + " " + text
		}
	}
	if name == "" || saysFood(name) {
		return name
	}
	rest := line[end:]
	if at := behindQuote.FindStringIndex(rest); at != nil {
		rest = rest[:at[0]]
	}
	if rest = strings.Join(strings.Fields(rest), " "); saysFood(rest) && !strings.ContainsAny(rest, `"“”`) {
		return name + " " + strings.Trim(rest, " .,")
	}
	return name
}

// isName tells a name from a date, a code and the label's words for them.
func isName(text string) bool {
	return letters(text) >= 4 && letters(text)*2 > len(text) && !labelWord.MatchString(text)
}

// upToCodes cuts from a name what a line says besides it.
func upToCodes(name string) string {
	if at := behindName.FindStringIndex(name); at != nil && at[0] > 2 {
		name = name[:at[0]]
	}
	return strings.Trim(strings.Join(strings.Fields(name), " "), " ,.;:-–“”\"()")
}

// saysFood tells whether a name holds a word for what a food is.
func saysFood(name string) bool {
	for word := range strings.FieldsSeq(strings.ToLower(name)) {
		if plain[strings.Trim(word, ",.®™*&()")] {
			return true
		}
	}
	return false
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// brandOf returns the brand that a name says is one or that its writing sets
// apart, else the firm: what labels show more often than not.
func (s story) brandOf(name string) string {
	if m := namedBrand.FindStringSubmatch(name); m != nil {
		return strings.TrimSpace(m[1])
	}
	if s.firm != "" && strings.HasPrefix(strings.ToLower(name), strings.ToLower(s.firm)) {
		return s.firm
	}
	if brand := setApart(name); brand != "" {
		return brand
	}
	return s.firm
}

// setApart returns the words that a label's name begins with where their writing
// ends with them: "Celebration EXTRA LEAN HAM", "LARKMERE Sweet Turkey Sausage".
func setApart(name string) string {
	const most = 3
	words := strings.Fields(name)
	n := 0
	for n < len(words) && capitals(words[n]) == capitals(words[0]) {
		n++
	}
	if n == 0 || n > most || len(words)-n < 2 {
		return ""
	}
	for _, word := range words[n:] {
		if capitals(word) == capitals(words[0]) && letters(word) > 1 {
			return ""
		}
	}
	for _, word := range words[:n] {
		if plain[strings.ToLower(strings.Trim(word, ",.®™*&"))] || !unicode.IsLetter([]rune(word)[0]) || !unicode.IsUpper([]rune(word)[0]) {
			return ""
		}
	}
	brand := strings.Trim(strings.Join(words[:n], " "), " ,.:®™")
	if letters(brand) < 4 {
		return ""
	}
	return brand
}

// capitals reports a word of capitals alone.
func capitals(word string) bool { return strings.ToUpper(word) == word }

// plain are words that say what a food is or how it is made, and are no brand.
var plain = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(`the a an and of with all fully cooked ready-to-eat ready eat rte raw fresh frozen natural uncured cured smoked
		organic premium original classic authentic imported gluten free boneless skinless bone-in sliced shredded ground grilled roasted baked fried
		breaded stuffed seasoned marinated sweet hot mild spicy honey maple black red green white italian mexican chinese polish german jamaican
		chicken beef pork turkey veal venison bison buffalo elk lamb goat duck fish catfish ham bacon sausage sausages salami prosciutto bologna jerky steak steaks patties
		nuggets wings breast breasts tenders strips meatballs meatloaf burger burgers soup stew chili pizza burrito burritos taquitos tamales
		lasagna ravioli pasta salad salads wrap wraps sandwich sandwiches dinner meal meals egg eggs cheese`) {
		set[word] = true
	}
	return set
}()
