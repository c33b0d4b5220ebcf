package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/recall"
)

// RevisionItem is one revision of a notice and what it changed.
type RevisionItem struct {
	Revision int           `json:"revision" doc:"1 for the first one seen"`
	Serial   int64         `json:"serial"`
	SeenAt   time.Time     `json:"seen_at"`
	Changes  []FieldChange `json:"changes" doc:"against the revision before, in order of path; empty for the first"`
	Notice   recall.Notice `json:"notice"`
}

// FieldChange is one field that a revision changed.
type FieldChange struct {
	Field string `json:"field" doc:"path in the notice, such as products[0].name"`
	From  any    `json:"from" doc:"null where the field is new"`
	To    any    `json:"to" doc:"null where the field is gone"`
}

// RevisionList is every revision of a notice, oldest first.
type RevisionList struct {
	Items []RevisionItem `json:"items"`
}

type revisionParams struct {
	ID string `path:"id" doc:"agency:native-id" example:"us-cpsc:26-348"`
}

func (s *service) registerRevisions(api huma.API) {
	op := operation("list-revisions", http.MethodGet, "/api/v1/recalls/{id}/revisions", tagSafety, "Every revision of a notice",
		"Every revision seen, oldest first, with a field-by-field difference. Provenance, `revision` and `first_seen_at` are no content and not compared.",
		http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	handleRead[revisionParams, RevisionList](s, api, op, []string{"/api/recalls/{id}/revisions"}, s.listRevisions)
}

func (s *service) listRevisions(ctx context.Context, in *revisionParams) (*answer, error) {
	if err := checkID(in.ID); err != nil {
		return nil, err
	}
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	revisions, err := s.History.Revisions(ctx, in.ID)
	if err != nil {
		return nil, historyError(in.ID, err)
	}
	return s.read(ctx, snap, reading{
		key: fmt.Sprintf("revisions %s %d", in.ID, len(revisions)), unkept: true,
		compute: func() ([]byte, error) {
			list := RevisionList{Items: make([]RevisionItem, 0, len(revisions))}
			for i := range revisions {
				r := &revisions[i]
				r.Notice.Aliases = r.Notice.KnownAliases()
				item := RevisionItem{Revision: r.Notice.Revision, Serial: r.Serial, SeenAt: r.SeenAt.UTC(), Changes: []FieldChange{}, Notice: r.Notice}
				if i > 0 {
					if item.Changes, err = differences(&revisions[i-1].Notice, &r.Notice); err != nil {
						return nil, fmt.Errorf("comparing revision %d of %s with the one before: %w", item.Revision, in.ID, err)
					}
				}
				list.Items = append(list.Items, item)
			}
			return encode(list)
		},
	})
}
