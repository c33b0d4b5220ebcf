package ledger

import "github.com/crownsafe/api/internal/store"

// standing is how an id stands when a further copy comes in.
type standing struct {
	contentHash  string // of the current revision
	version      int64  // the highest that vouched for that content; 0: none did
	completeness int    // likewise; 0: a starter entry
}

// past says whether a record was offered for a notice before.
type past int

const (
	neverOffered  past = iota
	offeredForNow      // the present revision stands on it, or it confirmed that
	offeredBefore      // it stood for another revision, or was older when it came
)

// judge says what becomes of a copy of a notice that is stored already: rules
// 2 to 7 of store.Notices.Apply, and those of replayed copies. contentHash is
// that of the copy, offered tells of its SourceHash.
func judge(current standing, in *store.Incoming, contentHash string, offered past) store.Effect {
	starter := in.Completeness == 0
	switch {
	case contentHash == current.contentHash:
		return store.Unchanged
	case current.completeness == 0 && !starter:
		return store.Revised
	case current.completeness > 0 && starter:
		return store.Older
	case in.Replayed:
		return judgeReplayed(current, in, offered)
	case in.Live && !(current.richerThan(in) && in.Version > 0 && in.Version == current.version):
		return store.Revised
	case current.newerThan(in):
		return store.Older
	case current.version > 0 && in.Version > current.version:
		return store.Revised
	case current.richerThan(in), offered == offeredBefore:
		return store.Older
	}
	return store.Revised
}

func judgeReplayed(current standing, in *store.Incoming, offered past) store.Effect {
	outranked := current.newerThan(in) || current.richerThan(in)
	switch {
	case offered == offeredForNow && !outranked:
		return store.Revised
	case offered == neverOffered && (in.Live || !outranked):
		return store.Unheard
	}
	return store.Older
}

// newerThan is rule 5's: by the agency's own word, where both have one.
func (s standing) newerThan(in *store.Incoming) bool {
	return in.Version > 0 && s.version > in.Version
}

// richerThan is rule 6's.
func (s standing) richerThan(in *store.Incoming) bool { return in.Completeness < s.completeness }

// after returns how the id stands once a copy had its effect.
func (s standing) after(effect store.Effect, in *store.Incoming, contentHash string) standing {
	switch effect {
	case store.Added:
		return standing{contentHash, in.Version, in.Completeness}
	case store.Revised:
		if in.Version > 0 {
			s.version = in.Version
		}
		return standing{contentHash, s.version, in.Completeness}
	case store.Unchanged:
		if s.completeness == 0 {
			return s
		}
		// Lent by a poorer copy to content without a version, one would let in
		// what was too poor when it first came.
		if s.version > 0 || in.Completeness >= s.completeness {
			s.version = max(s.version, in.Version)
		}
		s.completeness = max(s.completeness, in.Completeness)
	}
	return s
}
