package api

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"

	"github.com/crownsafe/api/internal/recall"
)

// decide lets somebody decide on one unit, within a span that tells what came of it
// and nothing of the unit.
func (s *service) decide(ctx context.Context, ask func() (recall.Verdict, error)) (recall.Verdict, error) {
	if s.Tracer == nil {
		return ask()
	}
	_, span := s.Tracer.Start(ctx, "verdict")
	defer span.End()
	v, err := ask()
	switch {
	case err == nil:
		span.SetAttributes(
			attribute.String("crownsafe.verdict", string(v.Verdict)), attribute.StringSlice("crownsafe.matched_on", matchedOn(&v)),
			attribute.Int("crownsafe.matches", len(v.Matches)), attribute.Int("crownsafe.notices_considered", considered(&v)),
			attribute.Int64("crownsafe.serial", v.Serial))
	case isAskersFault(err):
		span.SetAttributes(attribute.String("crownsafe.verdict", "refused"))
	default:
		span.RecordError(err)
		span.SetStatus(codes.Error, "")
	}
	return v, err
}

// decideAll is decide for a batch: one span, with how many verdicts there are of
// each kind.
func (s *service) decideAll(ctx context.Context, ask func() ([]recall.Verdict, []error)) ([]recall.Verdict, []error) {
	if s.Tracer == nil {
		return ask()
	}
	_, span := s.Tracer.Start(ctx, "verdicts")
	defer span.End()
	verdicts, errs := ask()
	counts, most := map[recall.Outcome]int{}, 0
	refused := 0
	for i := range verdicts {
		switch {
		case errs[i] == nil:
			counts[verdicts[i].Verdict]++
			most = max(most, considered(&verdicts[i]))
		case isAskersFault(errs[i]):
			refused++
		default:
			span.RecordError(errs[i])
			span.SetStatus(codes.Error, "")
		}
	}
	span.SetAttributes(
		attribute.Int("crownsafe.units", len(verdicts)), attribute.Int("crownsafe.verdicts.refused", refused),
		attribute.Int("crownsafe.notices_considered", most))
	for outcome, n := range counts {
		span.SetAttributes(attribute.Int("crownsafe.verdicts."+string(outcome), n))
	}
	return verdicts, errs
}

// matchedOn lists what kinds of identifiers the matches rest on, in order.
func matchedOn(v *recall.Verdict) []string {
	on := []string{}
	for i := range v.Matches {
		on = append(on, v.Matches[i].MatchedOn...)
	}
	slices.Sort(on)
	return slices.Compact(on)
}

// considered is how many notices carry what was asked by.
func considered(v *recall.Verdict) int {
	sum := 0
	for _, c := range v.Coverage {
		if c.CouldMatch {
			sum += c.Notices
		}
	}
	return sum
}

// isAskersFault reports that a unit could not be used as it was given.
func isAskersFault(err error) bool {
	_, bad := errors.AsType[*recall.BadUnit](err)
	return bad
}
