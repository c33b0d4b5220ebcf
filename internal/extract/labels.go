package extract

import "github.com/crownsafe/api/internal/recall"

// label is what a word announces: "lot", "UPC", "best by".
type label uint8

const (
	noLabel label = iota
	labelGTIN
	labelModel     // model and its like, with or without "number" behind it
	labelWeakModel // item, style, part: a model only with "number" or a sign behind it
	labelLot
	labelBatch
	labelSerial
	labelDateCode
	labelWeakDateCode // PC, production, tracking: only with "code" or a sign behind it
	labelBestBefore
	labelExpiry
	labelMade
	labelSold
	labelNothing // words that hold a label's word and announce nothing
)

var labels = newLexicon(
	entry[label]{labelGTIN, []string{"upc", "upcs", "upc-a", "ean", "eans", "ean-13", "gtin", "gtins", "gtin-14", "gtin-12", "gtin-13", "barcode*", "bar code", "bar codes", "bar-code*", "universal product code*", "universal product", "code-barres", "code barre*", "codes-barres", "gencod*", "gencode*"}},
	entry[label]{labelModel, []string{"model", "models", "model/style", "model’s", "sku", "skus", "asin", "asins", "fnsku", "fnskus", "modèle", "modèles", "référence", "références", "product model", "mpn", "case code", "case codes", "package code", "package codes", "packaging code", "packaging codes"}},
	entry[label]{labelWeakModel, []string{"item", "items", "style", "styles", "part", "parts", "product", "article", "catalog", "catalogue", "réf", "ref", "reference", "series"}},
	entry[label]{labelLot, []string{"lot", "lots", "lote", "lotes", "lot/batch", "n° de lot", "manufacturing lot", "production lot", "production lots", "lot code date", "heat code", "heat codes", "heat number", "heat numbers"}},
	entry[label]{labelBatch, []string{"batch", "batches", "cohort", "cohorts", "production batch", "tracking batch"}},
	entry[label]{labelSerial, []string{"serial", "serials", "s / n", "s/n", "sn", "vin", "vins", "numéro de série", "numéros de série", "n° de série", "vehicle identification", "product serial"}},
	entry[label]{labelDateCode, []string{"date code", "date codes", "datecode*", "date-code", "date-codes", "date coded", "production code", "production codes", "production date code", "production date codes", "manufacturing code", "manufacturing codes", "manufacture code", "manufacturer code", "manufacturer codes", "manufacturing date code", "manufacturing date codes", "manufacture date code", "manufacture date codes", "julian date", "julian dates", "julian code", "julian codes", "code date", "code dates", "mfg code", "batch code date", "time code", "bb code", "bb codes", "date stamp", "date stamps", "date of manufacture code", "date of manufacture codes"}},
	entry[label]{labelWeakDateCode, []string{"pc", "tracking", "code", "codes", "identification", "id"}},
	entry[label]{labelBestBefore, []string{"best by", "best-by", "best before", "best-before", "best used by", "best if used by", "best if used before", "best when used by", "best if used or frozen by", "better if used by", "best if sold by", "best if enjoyed by", "use by", "use-by", "used by", "use before", "use or freeze by", "use / freeze by", "freeze by", "sell by", "sell-by", "enjoy by", "enjoy before", "fresh thru", "fresh through", "sell thru", "sell through", "best thru", "use thru", "use through", "freshest before", "use or discard by", "discard by", "guaranteed fresh", "bb", "bbd", "bbe", "bby", "bib", "biub", "bestby", "useby", "sellby", "best buy date", "best by/freeze", "pull date*", "de préférence avant", "ddm", "dluo", "date de durabilité minimale"}},
	entry[label]{labelExpiry, []string{"exp", "exp*date", "expdate", "expiry", "expiries", "expires", "expire", "expiring", "expired", "expiration", "expirations", "dlc", "date limite de consommation", "date de péremption", "péremption", "date d’expiration", "date d'expiration"}},
	entry[label]{labelMade, []string{"manufactured", "manufacture", "manufacturing", "made", "produced", "production", "built", "mfg", "mfd", "mfr date", "date of manufacture", "dates of manufacture", "dom", "fabriqué", "fabriqués", "fabriquée", "fabriquées", "fabrication", "manufactured date", "manufacture date", "manufacture dates", "manufacturing date", "manufacturing dates", "production date", "production dates", "pack date*", "packaging date*", "packed on", "packaged on", "packed", "made on", "cut on", "cut date*", "handcrafted daily", "handcrafted on", "date manufactured"}},
	entry[label]{labelSold, []string{"sold", "purchase", "purchases", "purchased", "bought", "vendu", "vendus", "vendues", "sale dates"}},
	entry[label]{labelNothing, []string{"model year", "model years", "model kit*", "a lot of", "parking lot", "items such", "part of", "parts of", "made of", "made with", "made to", "sold by", "sold at", "sold in", "sold as", "sold with", "sold for", "best buy", "use by children", "use by consumers", "use by the", "qr code", "qr codes", "zip code", "zip codes", "area code", "dress code", "color code", "color codes", "building code", "color-code", "plant code", "plant codes", "promo code", "code of", "u . s . code", "federal regulation*", "ref # 1", "exp 1"}},
)

// kind is the predicate's kind that a label announces.
func (l label) kind() recall.UnitKind {
	switch l {
	case labelLot:
		return recall.Lot
	case labelBatch:
		return recall.Batch
	case labelSerial:
		return recall.Serial
	case labelDateCode, labelWeakDateCode:
		return recall.DateCode
	case labelBestBefore:
		return recall.BestBefore
	case labelExpiry:
		return recall.Expiry
	case labelMade:
		return recall.Made
	case labelSold:
		return recall.Sold
	}
	return ""
}

func (l label) code() bool {
	return l == labelLot || l == labelBatch || l == labelSerial || l == labelDateCode || l == labelWeakDateCode
}

func (l label) date() bool {
	return l == labelBestBefore || l == labelExpiry || l == labelMade || l == labelSold
}

// mention is a label where it stands in a text, with the words that belong to
// it ("number", "#", "codes").
type mention struct {
	label  label
	first  int  // its first token
	next   int  // the token behind it
	strong bool // "number", "code", "#" or ":" belongs to it
	plural bool
	colon  bool
}

// findMentions finds all the text's labels.
func (t *text) findMentions() {
	for i := 0; i < len(t.tokens); {
		if m, ok := t.mentionAt(i); ok {
			t.mentions = append(t.mentions, m)
			i = m.next
		} else {
			i++
		}
	}
}

// mentionAt reads the label at token i; ok is false when none stands there.
func (t *text) mentionAt(i int) (m mention, ok bool) {
	l, span := labels.at(t, i)
	if span == 0 {
		return m, false
	}
	m = mention{label: l, first: i, next: i + span}
	if l == labelNothing {
		return m, true
	}
	last := t.tokens[m.next-1].lower
	m.plural = last[len(last)-1] == 's' && last != "s"
	t.labelTail(&m)
	if m.label == labelDateCode || m.label == labelMade || m.label == labelLot || m.label == labelBatch {
		t.joinTwinLabel(&m)
	}
	switch {
	case l == labelWeakModel && !m.strong && !m.plural && t.isPlainModel(m.next):
		m.label = labelModel // "Style 816TR"
	case (l == labelWeakModel || l == labelWeakDateCode) && !m.strong:
		return m, false
	case l == labelWeakModel:
		m.label = labelModel
	case l == labelWeakDateCode:
		m.label = labelDateCode
	}
	return m, true
}

// isPlainModel tells whether token i is a code that can hardly be anything but a
// model's: letters and digits, four at least.
func (t *text) isPlainModel(i int) bool {
	const least = 4
	if i >= len(t.tokens) {
		return false
	}
	tok := &t.tokens[i]
	return tok.word && tok.digits >= 2 && tok.letters >= 1 && !tok.lowercase && tok.end-tok.start >= least && !standards[tok.lower] && !t.isAmount(i)
}

// labelTail moves behind "number(s)", "no.", "#", "code" and ":".
func (t *text) labelTail(m *mention) {
	for m.next < len(t.tokens) && m.next < m.first+10 {
		tok := &t.tokens[m.next]
		switch tok.lower {
		case "number", "no", "num", "nbr", "code", "id", "name", "numéro", "nr":
			m.strong = true
		case "numbers", "nos", "codes", "ids", "names", "numéros":
			m.strong, m.plural = true, true
		case ":":
			m.strong, m.colon = true, true
		case "#", "n°", "º", "=", "#’s", "#'s", "##":
			m.strong = true
		case "date", "dates", "stamp":
			if m.label == labelLot || m.label == labelBatch || m.label.date() || m.label == labelDateCode {
				m.plural = m.plural || tok.lower == "dates"
			} else {
				return
			}
		case ".":
			if prev := t.tokens[m.next-1].lower; prev != "no" && prev != "nos" && prev != "exp" && prev != "mfg" && prev != "réf" && prev != "ref" && prev != "sn" {
				return
			}
		case "(":
			if m.next+2 < len(t.tokens) && t.tokens[m.next+2].lower == ")" && (t.tokens[m.next+1].lower == "s" || t.tokens[m.next+1].lower == "es") {
				m.plural = true
				m.next += 2
			} else if m.next+2 < len(t.tokens) && t.tokens[m.next+2].lower == ")" && t.tokens[m.next+1].digits == 0 && !t.tokens[m.next+1].lowercase && t.tokens[m.next+1].word {
				m.next += 2 // an abbreviation: (VIN)
			} else {
				return
			}
		case "s", "'s", "’":
			if tok.gap != adjacent && t.tokens[m.next-1].lower != "#" {
				return
			}
			m.plural = true
		default:
			return
		}
		m.next++
	}
}

// joinTwinLabel moves behind the second word of "lot/batch number".
func (t *text) joinTwinLabel(m *mention) {
	if m.next+1 >= len(t.tokens) || t.tokens[m.next].lower != "/" && t.tokens[m.next].lower != "(" {
		return
	}
	l, span := labels.at(t, m.next+1)
	if !l.code() {
		return
	}
	twin := mention{label: l, first: m.next + 1, next: m.next + 1 + span}
	t.labelTail(&twin)
	if t.tokens[m.next].lower == "(" && twin.next < len(t.tokens) && t.tokens[twin.next].lower == ")" {
		twin.next++
	}
	if m.label == labelMade {
		m.label = l
	}
	m.next, m.strong, m.plural = twin.next, true, m.plural || twin.plural
	t.labelTail(m)
}
