package recall

// UnitKind says which mark on a unit a predicate is about.
type UnitKind string

// The kinds of marks.
const (
	Lot        UnitKind = "lot"
	Batch      UnitKind = "batch"
	Serial     UnitKind = "serial"
	DateCode   UnitKind = "date_code" // a production code as printed on the unit, whatever it encodes
	Made       UnitKind = "made"      // date of manufacture
	Sold       UnitKind = "sold"      // date of sale, only where the notice limits itself by it
	BestBefore UnitKind = "best_before"
	Expiry     UnitKind = "expiry"
)

// Op says how a predicate's bounds are compared with a unit's mark.
type Op string

// The operators. Where the bounds stand:
//   - OpEquals: From and To both hold the one value.
//   - OpRange: From and To hold the ends; nil is an open end.
//   - OpPrefix, OpSuffix: From holds the text that the mark starts or ends with, To is nil.
//   - OpAll: every unit; both are nil.
//   - OpUnreadable: the notice limits itself by this mark in words that were
//     not understood (or that were cut off); both are nil. It can never exclude a unit.
const (
	OpEquals     Op = "equals"
	OpRange      Op = "range"
	OpPrefix     Op = "prefix"
	OpSuffix     Op = "suffix"
	OpAll        Op = "all"
	OpUnreadable Op = "unreadable"
)

// Predicate is one condition on a unit. A unit is covered when every predicate
// of one group holds; groups are alternatives. Dates (kinds made, sold,
// best_before, expiry) are YYYY-MM-DD, YYYY-MM or YYYY, the latter two meaning
// the whole period. Codes (lot, batch, serial, date_code) are as printed.
//
// A group that joins a code (lot, batch, date_code) with a date printed beside
// it (made, best_before, expiry) is one printed mark: either proves membership
// unless the other was given and contradicts it.
type Predicate struct {
	Group         int      `json:"group"`
	Models        []string `json:"models" doc:"limits the group to these models; empty: all of the product"`
	Kind          UnitKind `json:"kind" enum:"lot,batch,serial,date_code,made,sold,best_before,expiry"`
	Op            Op       `json:"op" enum:"equals,range,prefix,suffix,all,unreadable"`
	Except        bool     `json:"except" doc:"takes the units that it describes out of the group"`
	From          *string  `json:"from" nullable:"true"`
	To            *string  `json:"to" nullable:"true"`
	FromInclusive bool     `json:"from_inclusive"`
	ToInclusive   bool     `json:"to_inclusive"`
	// WherePrinted tells where on the product the mark stands and, where the
	// notice says so, its format: "on the label under the seat (format YYYYMMDD)".
	WherePrinted string `json:"where_printed"`
	Quote        Quote  `json:"quote"`
}

// Quote is the notice's own words that a predicate comes from.
type Quote struct {
	Text  string `json:"text"`
	Field string `json:"field" doc:"the agency's field, such as description"`
	Start int    `json:"start" doc:"offset in the field's cleaned text, in bytes of UTF-8"`
	End   int    `json:"end" doc:"offset behind the last byte"`
}

// Equals makes the predicate that a mark is this very value.
func Equals(group int, kind UnitKind, value string, quote Quote) Predicate {
	return Predicate{Group: group, Models: []string{}, Kind: kind, Op: OpEquals,
		From: &value, To: &value, FromInclusive: true, ToInclusive: true, Quote: quote}
}

// Range makes the predicate that a mark lies between two values, both
// included; an empty one is an open end.
func Range(group int, kind UnitKind, from, to string, quote Quote) Predicate {
	p := Predicate{Group: group, Models: []string{}, Kind: kind, Op: OpRange, FromInclusive: true, ToInclusive: true, Quote: quote}
	if from != "" {
		p.From = &from
	}
	if to != "" {
		p.To = &to
	}
	return p
}

// Affix makes the predicate that a mark starts (OpPrefix) or ends (OpSuffix)
// with a text.
func Affix(group int, kind UnitKind, op Op, text string, quote Quote) Predicate {
	return Predicate{Group: group, Models: []string{}, Kind: kind, Op: op, From: &text, FromInclusive: true, Quote: quote}
}

// All makes the predicate that every unit is covered, which some notices say in words.
func All(group int, kind UnitKind, quote Quote) Predicate {
	return Predicate{Group: group, Models: []string{}, Kind: kind, Op: OpAll, Quote: quote}
}

// Unreadable makes the predicate that the notice limits itself by a mark in
// words that were not understood.
func Unreadable(group int, kind UnitKind, quote Quote) Predicate {
	return Predicate{Group: group, Models: []string{}, Kind: kind, Op: OpUnreadable, Quote: quote}
}
