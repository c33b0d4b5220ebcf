package fsa

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/crownsafe/api/internal/agency"
)

// Parse implements agency.Agency.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	switch format {
	case FormatAPI:
	case FormatLiteral:
		script, err := io.ReadAll(payload)
		if err != nil {
			return fmt.Errorf("reading the script: %w", err)
		}
		literal, err := unwrap(script)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(literal)
	default:
		return fmt.Errorf("the FSA has no format %q", format)
	}
	err := agency.EachRecord(payload, []string{"items"}, func(position int, raw json.RawMessage) error {
		if err := ctx.Err(); err != nil {
			return &sinkError{err}
		}
		rec, native, err := a.record(raw)
		if err != nil {
			err = sink.Reject(agency.Reject{NativeID: native, Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
		} else {
			err = sink.Record(rec)
		}
		if err != nil {
			return &sinkError{err}
		}
		return nil
	})
	if ended, ok := errors.AsType[*sinkError](err); ok {
		return ended.error
	}
	return err
}

// sinkError marks an error of the sink, which ends the parse and is returned as it is.
type sinkError struct{ error }

func (a *Agency) record(raw json.RawMessage) (agency.Record, string, error) {
	var al alert
	if err := json.Unmarshal(raw, &al); err != nil {
		return agency.Record{}, "", fmt.Errorf("reading the alert: %w", err)
	}
	native := nativeID(al.Notation.Clean())
	if native == "" {
		return agency.Record{}, "", fmt.Errorf("notation %q is no alert's", al.Notation)
	}
	n, err := a.notice(&al, native)
	if err != nil {
		return agency.Record{}, native, err
	}
	completeness := completenessList
	if al.detailed() {
		completeness = completenessDetail
	}
	return agency.Record{Notice: n, SourceHash: agency.HashOf(al.content()), Version: version(&n), Completeness: completeness}, native, nil
}
