package api

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/store"
)

// storeTimeout bounds what an answer waits for the store, so that its outage is
// told within two seconds.
const storeTimeout = 1800 * time.Millisecond

// retryAfter is when to ask again what the store couldn't answer, in seconds.
const retryAfter = "5"

func (s *service) getRecall(ctx context.Context, in *noticeParams) (*answer, error) {
	if err := checkID(in.ID); err != nil {
		return nil, err
	}
	snap, err := s.snapshot()
	if err != nil {
		return nil, err
	}
	if in.AsOf != "" {
		return s.getRecallAsOf(ctx, snap, in)
	}
	if document, _, ok := snap.Document(in.ID); ok {
		return s.read(ctx, snap, reading{
			key:     "recall " + in.ID,
			compute: func() ([]byte, error) { return document, nil },
		})
	}
	return s.formerNotice(ctx, snap, in.ID)
}

// formerNotice answers for an id that the catalogue doesn't hold: the store
// knows whether the notice lives on under another id.
func (s *service) formerNotice(ctx context.Context, snap *catalogue.Snapshot, id string) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	stored, err := s.History.Notice(ctx, id)
	if err != nil {
		return nil, historyError(id, err)
	}
	today := stored.Notice.ID
	return s.read(ctx, snap, reading{
		key: "recall " + today, unkept: true, location: "/api/v1/recalls/" + url.PathEscape(today),
		compute: func() ([]byte, error) {
			if document, _, ok := snap.Document(today); ok {
				return document, nil
			}
			stored.Notice.Aliases = stored.Notice.KnownAliases()
			return encode(stored.Notice)
		},
	})
}

func (s *service) getRecallAsOf(ctx context.Context, snap *catalogue.Snapshot, in *noticeParams) (*answer, error) {
	at, err := readTime("query.as_of", in.AsOf, true)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	revision, err := s.History.NoticeAsOf(ctx, in.ID, at)
	if err != nil {
		return nil, historyError(in.ID, err)
	}
	revision.Notice.Aliases = revision.Notice.KnownAliases()
	return s.read(ctx, snap, reading{
		key: fmt.Sprintf("recall %s as of revision %d", revision.Notice.ID, revision.Notice.Revision), unkept: true,
		compute: func() ([]byte, error) { return encode(revision.Notice) },
	})
}

// checkID refuses what can't be an id without asking the store.
func checkID(id string) error {
	if p := checkCharacters("path.id", id, false); p != nil {
		return p
	}
	agency, native, ok := strings.Cut(id, ":")
	if !ok || agency == "" || native == "" || len(id) > 200 {
		return noSuchNotice(id)
	}
	return nil
}

func noSuchNotice(id string) *Problem {
	return newProblem(codeNotFound, fmt.Sprintf("No notice has the id %q.", shown("", id)))
}

// historyError words what the store said. An outage is not a 404: the id may
// well be a former one.
func historyError(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return noSuchNotice(id)
	}
	return &outage{fmt.Errorf("reading the history of %s: %w", id, err)}
}

// outage marks an error of something that an answer needs and that is down: the
// caller may ask again in a while.
type outage struct{ error }

func (o *outage) Unwrap() error { return o.error }
