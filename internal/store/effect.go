package store

import "fmt"

// String names the effect for people.
func (e Effect) String() string {
	switch e {
	case Added:
		return "added"
	case Revised:
		return "revised"
	case Unchanged:
		return "unchanged"
	case Older:
		return "older"
	case Unheard:
		return "unheard"
	}
	return fmt.Sprintf("effect %d", int(e))
}

// Standing is how an id stands in a store when a further copy comes in.
type Standing struct {
	ContentHash  string // of the current revision
	Version      int64  // the highest that vouched for that content; 0: none did
	Completeness int    // likewise; 0: a starter entry
}

// Offer says whether a record was offered for a notice before.
type Offer int

// The offers.
const (
	NeverOffered  Offer = iota
	OfferedForNow       // the present revision stands on it, or it confirmed that
	OfferedBefore       // it stood for another revision, or was older when it came
)

// Judge says what becomes of a copy of a notice that is stored already: rules
// 2 to 7 of Notices.Apply, and those of replayed copies, for the adapters to
// share. contentHash is that of the copy; offered tells of its SourceHash and is
// asked only if it comes to that.
func Judge(current Standing, in Incoming, contentHash string, offered func() (Offer, error)) (Effect, error) {
	starter := in.Completeness == 0
	switch {
	case contentHash == current.ContentHash:
		return Unchanged, nil
	case current.Completeness == 0 && !starter:
		return Revised, nil
	case current.Completeness > 0 && starter:
		return Older, nil
	case in.Replayed:
		return judgeReplayed(current, in, offered)
	case in.Live && !(current.richerThan(in) && in.Version > 0 && in.Version == current.Version):
		return Revised, nil
	case current.newerThan(in):
		return Older, nil
	case current.Version > 0 && in.Version > current.Version:
		return Revised, nil
	case current.richerThan(in):
		return Older, nil
	}
	switch offer, err := offered(); {
	case err != nil:
		return 0, err
	case offer == OfferedBefore:
		return Older, nil
	}
	return Revised, nil
}

func judgeReplayed(current Standing, in Incoming, offered func() (Offer, error)) (Effect, error) {
	offer, err := offered()
	if err != nil {
		return 0, err
	}
	outranked := current.newerThan(in) || current.richerThan(in)
	switch {
	case offer == OfferedForNow && !outranked:
		return Revised, nil
	case offer == NeverOffered && (in.Live || !outranked):
		return Unheard, nil
	}
	return Older, nil
}

// newerThan is rule 5's: by the agency's own word, where both have one.
func (s Standing) newerThan(in Incoming) bool { return in.Version > 0 && s.Version > in.Version }

// richerThan is rule 6's.
func (s Standing) richerThan(in Incoming) bool { return in.Completeness < s.Completeness }

// After returns how the id stands once a copy had its effect.
func (s Standing) After(effect Effect, in Incoming, contentHash string) Standing {
	switch effect {
	case Added:
		return Standing{contentHash, in.Version, in.Completeness}
	case Revised:
		if in.Version > 0 {
			s.Version = in.Version
		}
		return Standing{contentHash, s.Version, in.Completeness}
	case Unchanged:
		if s.Completeness == 0 {
			return s
		}
		// Lent by a poorer copy to content without a version, one would let in
		// what was too poor when it first came.
		if s.Version > 0 || in.Completeness >= s.Completeness {
			s.Version = max(s.Version, in.Version)
		}
		s.Completeness = max(s.Completeness, in.Completeness)
	}
	return s
}
