package safetygate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/crownsafe/api/internal/agency"
)

// Parse implements agency.Agency.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	p := &parser{agency: a, ctx: ctx, sink: sink}
	var err error
	switch format {
	case FormatWeekly:
		err = p.readWeekly(payload)
	case FormatNotification:
		err = agency.EachRecord(payload, []string{"content"}, p.element(a.readNotification))
	case FormatMirror:
		err = agency.EachRecord(payload, []string{"results", "records"}, p.element(a.readRow))
	default:
		return fmt.Errorf("no format of Safety Gate: %q", format)
	}
	if ended, ok := errors.AsType[*sinkError](err); ok {
		return ended.error
	}
	return err
}

// parser reads one payload.
type parser struct {
	agency *Agency
	ctx    context.Context
	sink   agency.Sink
}

// sinkError marks an error of the sink, which ends the parse and is returned as it is.
type sinkError struct{ error }

// element returns what takes one JSON record of a payload.
func (p *parser) element(read func(raw json.RawMessage) (alert, error)) func(int, json.RawMessage) error {
	return func(position int, raw json.RawMessage) error {
		one, err := read(raw)
		return p.take(one, err, position, raw)
	}
}

// take hands an alert to the sink as a notice, or as a reject where it could
// not be read or makes none.
func (p *parser) take(one alert, err error, position int, raw []byte) error {
	if cancelled := p.ctx.Err(); cancelled != nil {
		return &sinkError{cancelled}
	}
	var record agency.Record
	if err == nil {
		record, err = one.record()
	}
	if err != nil {
		err = p.sink.Reject(agency.Reject{NativeID: nativeID(one.number), Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
	} else {
		err = p.sink.Record(record)
	}
	if err != nil {
		return &sinkError{err}
	}
	return nil
}
