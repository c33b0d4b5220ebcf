package recall

// Decision is the pure part of a verdict: the outcome and the notices that it
// rests on, strongest first.
type Decision struct {
	Outcome Outcome
	Matches []Match
}
