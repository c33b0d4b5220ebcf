package opss

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
	var record func(json.RawMessage) (agency.Record, string, error)
	switch format {
	case FormatItem:
		record = a.itemRecord
	case FormatSearch:
		record = a.searchRecord
	default:
		return fmt.Errorf("the OPSS has no format %q", format)
	}
	err := agency.EachRecord(payload, []string{"results"}, func(position int, raw json.RawMessage) error {
		if err := ctx.Err(); err != nil {
			return &sinkError{err}
		}
		rec, native, err := record(raw)
		switch {
		case errors.Is(err, errNotOurs):
			return nil
		case err != nil:
			err = sink.Reject(agency.Reject{NativeID: native, Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
		default:
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

// errNotOurs marks a record of another kind of document, which GOV.UK mixes in
// when a filter is not understood. It is no notice of ours and no fault.
var errNotOurs = errors.New("this is another kind of document")

// itemRecord reads one item of the content API.
func (a *Agency) itemRecord(raw json.RawMessage) (agency.Record, string, error) {
	var it item
	if err := json.Unmarshal(raw, &it); err != nil {
		return agency.Record{}, "", fmt.Errorf("reading the item: %w", err)
	}
	if !isOurs(string(it.BasePath), string(it.DocumentType)) {
		return agency.Record{}, "", errNotOurs
	}
	p, err := readPage(string(it.Details.Body))
	if err != nil {
		return agency.Record{}, "", fmt.Errorf("reading the body of %s: %w", it.BasePath, err)
	}
	native := nativeID(it.Title.Clean(), p.number(), string(it.BasePath))
	content := it.ContentID.Clean()
	var former []string
	switch {
	case native == "" && content == "":
		return agency.Record{}, "", errors.New("the notice has neither a number in the Product Safety Database nor a content_id")
	case native == "":
		native = content
	case content != "":
		former = []string{Code + ":" + content}
	}
	n, err := a.notice(&it, p, native)
	if err != nil {
		return agency.Record{}, native, err
	}
	return agency.Record{
		Notice:       n,
		SourceHash:   agency.HashOf(it.content()),
		Version:      version(&n),
		Completeness: completenessItem,
		FormerIDs:    former,
	}, native, nil
}

// searchRecord reads one result of the search API.
func (a *Agency) searchRecord(raw json.RawMessage) (agency.Record, string, error) {
	var r result
	if err := json.Unmarshal(raw, &r); err != nil {
		return agency.Record{}, "", fmt.Errorf("reading the result: %w", err)
	}
	if !isOurs(string(r.Link), string(r.DocumentType)) {
		return agency.Record{}, "", errNotOurs
	}
	native := nativeID(r.Title.Clean(), "", string(r.Link))
	if native == "" {
		if native = r.ContentID.Clean(); native == "" {
			return agency.Record{}, "", errors.New("the result has neither a number in the Product Safety Database nor a content_id")
		}
	}
	it := r.item()
	n, err := a.notice(&it, page{}, native)
	if err != nil {
		return agency.Record{}, native, err
	}
	return agency.Record{
		Notice:       n,
		SourceHash:   agency.HashOf(r.content()),
		Version:      version(&n),
		Completeness: completenessSearch,
	}, native, nil
}
