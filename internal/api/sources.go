package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/source"
)

// SourceList is one source per agency, in order of code.
type SourceList struct {
	Items []source.Source `json:"items"`
}

func (s *service) registerSources(api huma.API) {
	op := operation("list-sources", http.MethodGet, "/api/v1/sources", tagSafety, "How far each agency's notices can be relied on",
		"One item per agency. A source that was loaded from files and never polled is `stale`.", http.StatusBadRequest, http.StatusServiceUnavailable)
	handleRead[struct{}, SourceList](s, api, op, nil, func(ctx context.Context, _ *struct{}) (*answer, error) {
		snap, err := s.snapshot()
		if err != nil {
			return nil, err
		}
		return s.read(ctx, snap, reading{
			key: "sources", aged: true,
			compute: func() ([]byte, error) {
				return encode(SourceList{Items: append([]source.Source{}, s.Sources.List(snap)...)})
			},
		})
	})
}
