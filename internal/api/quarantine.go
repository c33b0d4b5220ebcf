package api

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
)

// Quarantine reads the records that could not become notices.
type Quarantine interface {
	Rejections(ctx context.Context, agency string, after *store.Rejection, limit int) ([]store.Rejection, error)
}

// RejectedRecord is one record in quarantine.
type RejectedRecord struct {
	NativeID string    `json:"native_id" doc:"the record's number as far as it could be read, else empty"`
	Reason   string    `json:"reason"`
	Excerpt  string    `json:"excerpt" doc:"the beginning of the record"`
	Raw      string    `json:"raw" doc:"key of the payload in the archive"`
	Position int       `json:"position" doc:"of the record in the payload, from 1"`
	SeenAt   time.Time `json:"seen_at" doc:"when the payload was fetched; of a file: when it was last changed"`
}

// QuarantinePage is one page of an agency's quarantine.
type QuarantinePage struct {
	Items      []RejectedRecord `json:"items"`
	NextCursor string           `json:"next_cursor,omitempty" doc:"absent on the last page"`
}

type quarantineParams struct {
	Agency string `path:"agency" maxLength:"40" doc:"code of the agency" example:"us-cpsc"`
	Cursor string `query:"cursor" maxLength:"100" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

func (s *service) registerQuarantine(api huma.API) {
	op := operation("list-quarantine", http.MethodGet, "/api/v1/sources/{agency}/quarantine", tagSafety, "Records that could not become notices",
		"Newest first, with the reason of each. A record leaves when it is read well: in a later payload, or when the archive is replayed. For operators.",
		http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	handle[quarantineParams, QuarantinePage](s, api, op, s.listQuarantine)
}

func (s *service) listQuarantine(ctx context.Context, in *quarantineParams) (*answer, error) {
	snap := s.Catalogue.Current()
	if !slices.ContainsFunc(s.Sources.List(snap), func(src source.Source) bool { return src.Agency == in.Agency }) {
		return nil, newProblem(codeNotFound, fmt.Sprintf("There is no agency %q; /api/v1/sources lists them.", shown("path.agency", in.Agency)))
	}
	var after *store.Rejection
	if in.Cursor != "" {
		var err error
		if after, err = readQuarantineCursor(in.Cursor, in.Agency); err != nil {
			return nil, fieldProblem(codeBadCursor, "query.cursor", "is not a cursor of this list", in.Cursor)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	list, err := s.Quarantine.Rejections(ctx, in.Agency, after, in.Limit+1)
	if err != nil {
		return nil, &outage{fmt.Errorf("reading the quarantine of %s: %w", in.Agency, err)}
	}
	page := QuarantinePage{Items: []RejectedRecord{}}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		page.NextCursor = quarantineCursor(in.Agency, &list[in.Limit-1])
	}
	for i := range list {
		r := &list[i]
		page.Items = append(page.Items, RejectedRecord{
			NativeID: r.NativeID, Reason: r.Reason, Excerpt: r.Excerpt, Raw: r.Raw, Position: r.Position, SeenAt: r.SeenAt.UTC(),
		})
	}
	return uncached(snap.Serial(), page)
}

var errBadCursor = errors.New("not a cursor of this list")

// quarantineCursor names the place behind a rejection: its time in microseconds
// and its number, with a sum over them and the agency.
func quarantineCursor(agency string, r *store.Rejection) string {
	b := binary.AppendVarint(nil, r.SeenAt.UnixMicro())
	b = binary.AppendVarint(b, r.ID)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(append(b[:len(b):len(b)], agency...)))
	return base64.RawURLEncoding.EncodeToString(b)
}

func readQuarantineCursor(text, agency string) (*store.Rejection, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 4 {
		return nil, errBadCursor
	}
	seen, n := binary.Varint(b)
	if n <= 0 {
		return nil, errBadCursor
	}
	id, m := binary.Varint(b[n:])
	if m <= 0 {
		return nil, errBadCursor
	}
	r := &store.Rejection{SeenAt: time.UnixMicro(seen), ID: id}
	if quarantineCursor(agency, r) != text {
		return nil, errBadCursor
	}
	return r, nil
}
