package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Outcome is what a verdict says of a unit.
type Outcome string

// The outcomes. There is none that means "safe".
const (
	// Unanswered is the zero value: nobody has said anything. No verdict that a call
	// returns has it.
	Unanswered Outcome = ""
	// Affected: a notice covers this very unit.
	Affected Outcome = "affected"
	// NeedCode: a notice covers this product; whether it covers this unit turns on a code
	// that was not given. Until it is, treat the unit as affected.
	NeedCode Outcome = "need_code"
	// NotAffected: notices cover this product, and the codes given prove that this unit
	// lies outside all of them.
	NotAffected Outcome = "not_affected"
	// NoMatch: nothing in the catalogue matches. It says nothing about the product; see
	// [Verdict.Coverage] for what was looked at.
	NoMatch Outcome = "no_match"
	// CannotTell: the catalogue is empty, or nothing given can name a product.
	CannotTell Outcome = "cannot_tell"
)

// ErrUnknownOutcome means that the server's verdict is a word that this package
// doesn't know. Treat it as no answer.
var ErrUnknownOutcome = errors.New("the outcome is unknown")

// UnmarshalText implements encoding.TextUnmarshaler. It refuses words that it doesn't
// know, so that none falls through a caller's switch.
func (o *Outcome) UnmarshalText(text []byte) error {
	switch word := Outcome(text); word {
	case Affected, NeedCode, NotAffected, NoMatch, CannotTell:
		*o = word
		return nil
	}
	return fmt.Errorf("%w: %.40q", ErrUnknownOutcome, text)
}

// String implements fmt.Stringer.
func (o Outcome) String() string {
	if o == Unanswered {
		return "unanswered"
	}
	return string(o)
}

// Verdict is the server's answer about one unit.
type Verdict struct {
	Outcome  Outcome    `json:"verdict"`
	Query    Unit       `json:"query"`
	Rewrites []Rewrite  `json:"rewrites"`
	Readings []string   `json:"readings,omitempty"`
	Flags    []string   `json:"flags"`
	Matches  []Match    `json:"matches"`
	Coverage []Coverage `json:"coverage"`
	// Advice is what to do now, in words for the person who holds the unit.
	Advice string `json:"advice"`
	// AsOf is up to when the answer is known to hold.
	AsOf time.Time `json:"as_of"`
	// Serial is that of the catalogue that the answer was read from.
	Serial int64 `json:"serial"`
}

// verdictFields has Verdict's fields and not its UnmarshalJSON.
type verdictFields Verdict

// UnmarshalJSON implements json.Unmarshaler. JSON that holds no verdict is an error.
func (v *Verdict) UnmarshalJSON(raw []byte) error {
	var fields verdictFields
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("a verdict: %w", err)
	}
	if fields.Outcome == Unanswered || fields.AsOf.IsZero() {
		return errors.New("a verdict: there is none")
	}
	*v = Verdict(fields)
	return nil
}

// StopUsing reports that a notice covers this unit, or may cover it for all that is
// known. False does not mean that the unit may be used: see Conclusive.
func (v *Verdict) StopUsing() bool { return v.Outcome == Affected || v.Outcome == NeedCode }

// Conclusive reports that the verdict decides about the unit: a notice covers it, or
// notices of the product don't, and no agency was out of reach or out of date that could
// have known of another. It is false for NeedCode and CannotTell, and always for NoMatch:
// most notices print no barcode, and names are spelt in many ways. Name the agencies that
// matter where the unit was sold and used; without any, all of them do.
func (v *Verdict) Conclusive(agencies ...string) bool {
	switch v.Outcome {
	case Affected:
		return true
	case NotAffected:
		return len(v.Blind(agencies...)) == 0
	}
	return false
}

// Blind lists the agencies, of those named or of all, that the answer could not rest on:
// their notices are out of date, or were read in part or never. It looks at State alone:
// CouldMatch is false too where there are no notices to match with.
func (v *Verdict) Blind(agencies ...string) []Coverage {
	var blind []Coverage
	for _, c := range v.Coverage {
		if c.State != "ok" && (len(agencies) == 0 || slices.Contains(agencies, c.Agency)) {
			blind = append(blind, c)
		}
	}
	return blind
}

// Need is the one code that would decide, in [Unit]'s field names, and where on the
// product it is printed.
type Need struct {
	Identifier   string `json:"identifier"`
	WherePrinted string `json:"where_printed"`
}
