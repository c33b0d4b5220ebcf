package extract

// leadIn is the run of words between a label and its values: what it says
// about them, and where they begin.
type leadIn struct {
	next           int
	between        bool // from, between, ranging
	headed         bool // "range": may be a column's head
	prefix, suffix bool
	upper, lower   bool // "prior to X", "after X"
	exclusive      bool
	announced      bool // a colon or "following": values must come
	awkward        bool // a condition on single characters of the code
	located        bool // tells where the mark stands, not what it is
}

// leadInLength is how many tokens may stand between a label and its values.
const leadInLength = 18

// fillerWords may stand there and say nothing about the values.
var fillerWords = wordSet(`two-letter three-letter four-letter combination combinations sequence is are was were of include includes including included the in
with that which either both one as " “ ‘ ' ( have has having a an and/or these bearing bear by listed identified numbers number
codes code date dates numerals letters digits characters to and or , can be each their de par le les est sont marked stamped reads read reading printed no
nos . # if all et affected recalled may on product products at ’ identify sequential » « specific same possible this recall units involved series only any s requiring replacement
) * - – • ” n`)

// readLeadIn moves from token i to the first thing that may be a value.
func (t *text) readLeadIn(i int) leadIn {
	in := leadIn{next: i}
	for ; in.next < len(t.tokens) && in.next < i+leadInLength; in.next++ {
		if in.meaningful(t) {
			continue
		}
		if in.located || !t.skipsInLeadIn(&in) {
			return in
		}
	}
	return in
}

// meaningful takes in a word that says how the values are meant.
func (in *leadIn) meaningful(t *text) bool {
	switch t.tokens[in.next].lower {
	case ":", "=", "following", "below":
		in.announced = true
	case "range", "ranges":
		in.between, in.headed = true, true
	case "from", "between", "ranging", "entre", "du", "within", "span":
		in.between = true
	case "begin", "begins", "beginning", "start", "starts", "starting", "commençant", "commence", "prefix", "prefixes":
		in.prefix = true
	case "end", "ends", "ending", "finissant", "terminant", "suffix":
		in.suffix = true
	case "prior", "before":
		in.upper, in.exclusive = true, true
	case "after":
		in.lower, in.exclusive = true, true
	case "through", "thru", "until":
		in.upper = true
	case "running", "run", "runs":
		in.between = true
	case "up":
		if in.next+1 >= len(t.tokens) || t.tokens[in.next+1].lower != "to" {
			return false
		}
		in.upper = true
	case "letter", "digit", "character":
		in.awkward = in.awkward || !in.prefix && !in.suffix
	case "second", "third", "fourth", "fifth", "middle", "position", "contain", "contains", "containing":
		in.awkward = true
	case "located", "found", "appears", "appear", "situated", "molded", "engraved", "etched", "sewn", "affixed", "attached":
		if behind := t.behindPlace(in.next); behind > 0 { // "…, which are located under the gauge: 200003"
			in.next, in.announced = behind, true
			return true
		}
		in.located = true
		return false
	default:
		return false
	}
	return true
}

// behindPlace finds the colon with which a sentence goes on to the values behind
// the place where they stand, and nothing but words before it; 0: there is none.
func (t *text) behindPlace(i int) int {
	const reach = 14
	for k := i + 1; k+1 < len(t.tokens) && k < i+reach; k++ {
		switch tok := &t.tokens[k]; {
		case tok.lower == ":":
			return k
		case tok.digits > 0, tok.lower == ".":
			return 0
		}
		if l, _ := labels.at(t, k); l != noLabel && l != labelNothing {
			return 0
		}
	}
	return 0
}

// skipsInLeadIn tells whether the token at in.next belongs to the lead-in
// without a meaning of its own, and moves to the last token that does.
func (t *text) skipsInLeadIn(in *leadIn) bool {
	tok := &t.tokens[in.next]
	l, span := labels.at(t, in.next)
	switch {
	case l == noLabel, l == labelNothing, l == labelWeakModel, l == labelWeakDateCode:
	case in.prefix || in.suffix: // "which begins with S/N 61"
		in.next += span - 1
		return l == labelSerial || l == labelLot
	default:
		return false // the values of another mark come
	}
	switch {
	case tok.lower == ".":
		before := t.tokens[max(in.next-1, 0)].lower
		return before == "no" || before == "nos"
	case tok.lower == "-" && tok.gap == adjacent && in.suffix:
		return false
	case tok.lower == "(" && t.tellsLength(in.next):
		in.next = t.skipBrackets(in.next) - 1
		return true
	case fillerWords[tok.lower], tok.word && t.isFormat(in.next):
		return true
	}
	if verb := t.verbAhead(in.next); verb > 0 { // "date codes for doors range from 1 to 9"
		in.between = in.between || t.tokens[verb].lower != "is" && t.tokens[verb].lower != "are"
		in.next = verb
		return true
	}
	return false
}

// tellsLength tells whether a remark in brackets says how long a code is:
// "(14 digits)".
func (t *text) tellsLength(i int) bool {
	if i+3 >= len(t.tokens) || t.tokens[i+1].digits == 0 || t.tokens[i+3].lower != ")" {
		return false
	}
	switch t.tokens[i+2].lower {
	case "digits", "characters", "numbers", "letters":
		return true
	}
	return false
}

// verbAhead finds the verb that brings a code, among the next words, none of
// which is a code or a label; 0 when there is none.
func (t *text) verbAhead(i int) int {
	const reach = 6
	for k := i; k+1 < len(t.tokens) && k < i+reach; k++ {
		switch tok := &t.tokens[k]; {
		case tok.lower == "is" || tok.lower == "are" || tok.lower == "range" || tok.lower == "ranges":
			next := k + 1
			for next+1 < len(t.tokens) && (t.tokens[next].lower == "from" || t.tokens[next].lower == "between" || isQuote(t.tokens[next].lower)) {
				next++
			}
			if t.tokens[next].digits > 0 {
				return k
			}
			return 0
		case !tok.word || tok.digits > 0:
			return 0
		}
		if l, _ := labels.at(t, k); l != noLabel {
			return 0
		}
	}
	return 0
}
