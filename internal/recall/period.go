package recall

import (
	"fmt"
	"time"
)

// Period is a span of whole days, both ends included. The zero Period is no
// date at all.
type Period struct {
	First, Last time.Time // midnight UTC; zero First or Last in a known period: open
	known       bool
}

// Known reports whether the period holds a date.
func (p Period) Known() bool { return p.known }

// ParsePeriod reads YYYY-MM-DD, YYYY-MM or YYYY, the latter two meaning the
// whole month or year.
func ParsePeriod(s string) (Period, error) {
	switch len(s) {
	case 10:
		if t, err := time.Parse("2006-01-02", s); err == nil {
			return Period{First: t, Last: t, known: true}, nil
		}
	case 7:
		if t, err := time.Parse("2006-01", s); err == nil {
			return Period{First: t, Last: t.AddDate(0, 1, -1), known: true}, nil
		}
	case 4:
		if t, err := time.Parse("2006", s); err == nil {
			return Period{First: t, Last: t.AddDate(1, 0, -1), known: true}, nil
		}
	}
	return Period{}, fmt.Errorf("is no date; give YYYY-MM-DD, YYYY-MM or YYYY")
}

// window is the period that a predicate describes: an open end is a zero time.
// ok is false when a bound is no date.
func (p *Predicate) window() (w Period, ok bool) {
	w.known = true
	if p.From != nil {
		from, err := ParsePeriod(*p.From)
		if err != nil {
			return Period{}, false
		}
		if w.First = from.First; !p.FromInclusive {
			w.First = from.Last.AddDate(0, 0, 1)
		}
	}
	if p.To != nil {
		to, err := ParsePeriod(*p.To)
		if err != nil {
			return Period{}, false
		}
		if w.Last = to.Last; !p.ToInclusive {
			w.Last = to.First.AddDate(0, 0, -1)
		}
	}
	return w, p.From != nil || p.To != nil
}

// covers compares a given period with a window: inside as a whole, outside as a
// whole, or partly inside, which decides nothing.
func (w Period) covers(given Period) truth {
	if !w.First.IsZero() && given.Last.Before(w.First) || !w.Last.IsZero() && given.First.After(w.Last) {
		return no
	}
	if (w.First.IsZero() || !given.First.Before(w.First)) && (w.Last.IsZero() || !given.Last.After(w.Last)) {
		return yes
	}
	return unknown
}

// truth is what is known of a condition.
type truth int8

const (
	unknown truth = iota
	yes
	no
)

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}
