package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// ChangeItem is one step of the feed.
type ChangeItem struct {
	Serial int64           `json:"serial"`
	ID     string          `json:"id"`
	Change string          `json:"change" enum:"upsert,tombstone"`
	Notice NoticeOrNothing `json:"notice" doc:"null for a tombstone"`
}

// NoticeOrNothing is a notice, or null.
type NoticeOrNothing struct{ *recall.Notice }

// Schema makes NoticeOrNothing a huma.SchemaProvider.
func (NoticeOrNothing) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[recall.Notice](), true, "Notice"),
		{Type: "null"},
	}}
}

// ChangeFeed is one stretch of the feed.
type ChangeFeed struct {
	Items     []ChangeItem `json:"items"`
	NextSince int64        `json:"next_since" doc:"give it as since to go on"`
	More      bool         `json:"more" doc:"whether there is more now"`
}

type changeParams struct {
	Since int64 `query:"since" minimum:"0" default:"0" doc:"serial up to which the caller has everything"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (s *service) registerChanges(api huma.API) {
	op := operation("list-changes", http.MethodGet, "/api/v1/changes", tagSafety, "What changed since a serial",
		"The latest state of every id whose serial is above `since`, in order of serial. A mirror that follows it from 0 ends up identical.",
		http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	handleRead[changeParams, ChangeFeed](s, api, op, nil, s.listChanges)
}

func (s *service) listChanges(ctx context.Context, in *changeParams) (*answer, error) {
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	return s.read(ctx, snap, reading{
		key:     fmt.Sprintf("changes %d %d", in.Since, in.Limit),
		compute: func() ([]byte, error) { return encodeChanges(snap, in.Since, in.Limit) },
	})
}

// encodeChanges writes a ChangeFeed.
func encodeChanges(snap *catalogue.Snapshot, since int64, limit int) ([]byte, error) {
	changes, more := snap.Changes(since, limit)
	body := []byte(`{"items":[`)
	for i, c := range changes {
		kind, document := "tombstone", []byte("null")
		if !c.Tombstone {
			var err error
			if document, err = json.Marshal(c.Notice); err != nil {
				return nil, fmt.Errorf("encoding notice %s: %w", c.ID, err)
			}
			kind = "upsert"
		}
		id, err := json.Marshal(c.ID)
		if err != nil {
			return nil, fmt.Errorf("encoding the id %q: %w", c.ID, err)
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"serial":%d,"id":%s,"change":%q,"notice":`, c.Serial, id, kind)
		body = append(append(body, document...), '}')
		since = c.Serial
	}
	return fmt.Appendf(body, `],"next_since":%d,"more":%t}`, since, more), nil
}
