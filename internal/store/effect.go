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
	}
	return fmt.Sprintf("effect %d", int(e))
}

// Standing is how an id stands in a store when a further copy comes in.
type Standing struct {
	ContentHash  string // of the current revision
	Version      int64  // the highest that vouched for that content; 0: none did
	Completeness int    // likewise; 0: a starter entry
}

// Judge says what becomes of a copy of a notice that is stored already: rules
// 2 to 7 of Notices.Apply, for the adapters to share. contentHash is that of
// the copy; outdated answers rule 7, whether its SourceHash was offered before
// other than for the present revision, and is asked only if it comes to that.
func Judge(current Standing, in Incoming, contentHash string, outdated func() (bool, error)) (Effect, error) {
	starter := in.Completeness == 0
	switch {
	case contentHash == current.ContentHash:
		return Unchanged, nil
	case current.Completeness == 0 && !starter:
		return Revised, nil
	case current.Completeness > 0 && starter:
		return Older, nil
	case in.Live:
		return Revised, nil
	case in.Version > 0 && current.Version > in.Version:
		return Older, nil
	case current.Version > 0 && in.Version > current.Version:
		return Revised, nil
	case in.Completeness < current.Completeness:
		return Older, nil
	}
	switch old, err := outdated(); {
	case err != nil:
		return 0, err
	case old:
		return Older, nil
	}
	return Revised, nil
}

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
