package recall

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/gtin"
)

// Lint checks a notice before it is stored. The error joins everything that
// makes the notice unusable: an answer built on it could not be trusted.
func Lint(n *Notice, now time.Time) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	native, ok := strings.CutPrefix(n.ID, n.Agency+":")
	if !ok || n.Agency == "" || native == "" || strings.ContainsAny(native, " /\t\n") {
		fault("id %q is not agency:native-id", n.ID)
	}
	if n.Title == "" {
		fault("the title is empty")
	}
	if len(n.Products) == 0 {
		fault("it names no product")
	}
	if n.PublishedAt.IsZero() || n.PublishedAt.Year() < 1967 || n.PublishedAt.After(now.AddDate(0, 0, 2)) {
		fault("published_at %s is missing or outside 1967 to tomorrow", n.PublishedAt.Format(time.DateOnly))
	}
	for i := range n.Products {
		if err := lintProduct(&n.Products[i]); err != nil {
			fault("products[%d]: %w", i, err)
		}
	}
	for _, h := range n.Hazards {
		if !slices.Contains(HazardTypes(), h.Type) {
			fault("hazard type %q is not in the taxonomy", h.Type)
		}
	}
	for _, t := range n.Remedy.Types {
		if !slices.Contains(RemedyTypes(), t) {
			fault("remedy type %q is not in the taxonomy", t)
		}
	}
	return errors.Join(faults...)
}

func lintProduct(p *Product) error {
	for _, g := range p.GTINs {
		if len(g.GTIN) != 14 || !gtin.Valid(g.GTIN) {
			return fmt.Errorf("gtin %q fails its check digit", g.GTIN)
		}
	}
	for i := range p.Units {
		if err := lintPredicate(&p.Units[i]); err != nil {
			return fmt.Errorf("units[%d]: %w", i, err)
		}
	}
	return nil
}

func lintPredicate(p *Predicate) error {
	switch p.Op {
	case OpEquals:
		if p.From == nil || p.To == nil || *p.From == "" || *p.From != *p.To {
			return errors.New("equals needs one value as both bounds")
		}
	case OpRange:
		if p.From == nil && p.To == nil {
			return errors.New("a range needs a bound")
		}
	case OpPrefix, OpSuffix:
		if p.From == nil || *p.From == "" {
			return fmt.Errorf("%s needs its text in from", p.Op)
		}
	case OpAll, OpUnreadable:
		if p.Except && p.Op == OpAll {
			return errors.New("an exception of all units leaves nothing")
		}
		if p.From != nil || p.To != nil {
			return fmt.Errorf("%s takes no bounds", p.Op)
		}
	default:
		return fmt.Errorf("operator %q is unknown", p.Op)
	}
	switch p.Kind {
	case Lot, Batch, Serial, DateCode:
		return nil
	case Made, Sold, BestBefore, Expiry:
	default:
		return fmt.Errorf("kind %q is unknown", p.Kind)
	}
	for _, bound := range []*string{p.From, p.To} {
		if bound == nil {
			continue
		}
		if _, err := ParsePeriod(*bound); err != nil {
			return fmt.Errorf("%s bound %q %w", p.Kind, *bound, err)
		}
	}
	if w, ok := p.window(); ok && !w.First.IsZero() && !w.Last.IsZero() && w.Last.Before(w.First) {
		return fmt.Errorf("%s window ends before it begins", p.Kind)
	}
	return nil
}
