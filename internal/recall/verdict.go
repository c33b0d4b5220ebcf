package recall

import "time"

// Outcome is the answer to "is this very unit recalled?".
type Outcome string

// The outcomes. There is no "safe": NoMatch says only that nothing was found
// in what was looked at.
const (
	Affected    Outcome = "affected"
	NeedCode    Outcome = "need_code"
	NotAffected Outcome = "not_affected"
	NoMatch     Outcome = "no_match"
	CannotTell  Outcome = "cannot_tell"
)

// Unit is what somebody knows of the one unit in front of them, as they typed it.
type Unit struct {
	GTIN       string `json:"gtin,omitempty" doc:"barcode in any printed form"`
	Scan       string `json:"scan,omitempty" doc:"what a scanner read: a barcode, a GS1 element string or a GS1 Digital Link"`
	Brand      string `json:"brand,omitempty"`
	Name       string `json:"name,omitempty" doc:"product name"`
	Model      string `json:"model,omitempty"`
	Lot        string `json:"lot,omitempty"`
	Batch      string `json:"batch,omitempty" doc:"another word for lot"`
	Serial     string `json:"serial,omitempty"`
	DateCode   string `json:"date_code,omitempty"`
	MadeOn     string `json:"made_on,omitempty" doc:"YYYY-MM-DD, YYYY-MM or YYYY"`
	BoughtOn   string `json:"bought_on,omitempty" doc:"YYYY-MM-DD, YYYY-MM or YYYY"`
	BestBefore string `json:"best_before,omitempty" doc:"YYYY-MM-DD, YYYY-MM or YYYY"`
	Expiry     string `json:"expiry,omitempty" doc:"YYYY-MM-DD, YYYY-MM or YYYY"`
	Country    string `json:"country,omitempty" doc:"ISO 3166-1 alpha-2; orders the matches, never hides one"`
}

// Rewrite tells how something that was typed was read.
type Rewrite struct {
	From string `json:"from"`
	To   string `json:"to"`
	Rule string `json:"rule"`
}

// Summary is what a match tells of its notice.
type Summary struct {
	ID          string    `json:"id"`
	Agency      string    `json:"agency"`
	Title       string    `json:"title"`
	URL         string    `json:"url"`
	PublishedAt time.Time `json:"published_at"`
	Hazards     []Hazard  `json:"hazards"`
	Remedy      Remedy    `json:"remedy"`
}

// Evidence is one identifier that agreed or disagreed, with the notice's words.
type Evidence struct {
	Identifier string `json:"identifier" doc:"in the request's field names"`
	Quote      string `json:"quote"`
	Field      string `json:"field"`
}

// Need is the one identifier that would decide.
type Need struct {
	Identifier   string `json:"identifier" doc:"in the request's field names"`
	WherePrinted string `json:"where_printed"`
}

// Match is one notice that covers the product, and what it says of the unit.
type Match struct {
	Recall     Summary    `json:"recall"`
	Verdict    Outcome    `json:"verdict" enum:"affected,need_code,not_affected"`
	Confidence float64    `json:"confidence" minimum:"0" maximum:"1"`
	MatchedOn  []string   `json:"matched_on"`
	Evidence   []Evidence `json:"evidence"`
	Need       *Need      `json:"need" nullable:"true"`
}

// Coverage tells what was looked at in one agency's notices.
type Coverage struct {
	Agency       string  `json:"agency"`
	State        string  `json:"state" enum:"ok,stale,partial,failing,never"`
	AgeSeconds   *int64  `json:"age_seconds" nullable:"true" doc:"since the last success; null when there was none"`
	Notices      int     `json:"notices"`
	BarcodeShare float64 `json:"barcode_share" doc:"share of the notices that carry a barcode, 0 to 1"`
	CouldMatch   bool    `json:"could_match" doc:"whether these notices carry what was asked by"`
}

// Verdict is the whole answer for one unit.
type Verdict struct {
	Verdict  Outcome    `json:"verdict" enum:"affected,need_code,not_affected,no_match,cannot_tell"`
	Query    Unit       `json:"query" doc:"the question as it was read"`
	Rewrites []Rewrite  `json:"rewrites"`
	Flags    []string   `json:"flags"`
	Readings []string   `json:"readings,omitempty" doc:"the GTINs that the code can stand for, where it is ambiguous"`
	Matches  []Match    `json:"matches"`
	Coverage []Coverage `json:"coverage"`
	Advice   string     `json:"advice"`
	AsOf     time.Time  `json:"as_of"`
	Serial   int64      `json:"serial"`
}
