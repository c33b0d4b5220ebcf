package rappelconso

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// The portal's limits for /records: rows of one page, and how far pages reach.
const (
	pageRows = 100
	lastRow  = 10_000
)

// lookBack is how much before the last success a question for news reaches:
// notices appear with dates of some days ago.
const lookBack = 7 * 24 * time.Hour

// Fetch implements agency.Agency. The first poll of each week (ISO 8601) takes
// the whole export, because edits don't move a notice's date of publication;
// the others ask for what was published lately.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	if since.LastSuccess.IsZero() || !sameWeek(since.LastSuccess, since.Now) {
		return a.fetchExport(ctx, client, deliver)
	}
	return a.fetchNews(ctx, client, since, deliver)
}

func sameWeek(a, b time.Time) bool {
	yearA, weekA := a.UTC().ISOWeek()
	yearB, weekB := b.UTC().ISOWeek()
	return yearA == yearB && weekA == weekB
}

func (a *Agency) fetchExport(ctx context.Context, client *agency.Client, deliver func(agency.Payload) error) error {
	answer, err := a.ask(ctx, client, a.baseURL+"/exports/json")
	if err != nil {
		return err
	}
	return deliver(answer.Payload(true))
}

// fetchNews reads page after page, oldest first, so that a notice that appears
// meanwhile moves none to another page. More pages than the portal gives mean
// that the whole export is needed.
func (a *Agency) fetchNews(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	query := url.Values{
		"where":    {"date_publication>'" + since.LastSuccess.Add(-lookBack).UTC().Format(time.DateOnly) + "'"},
		"order_by": {"date_publication,id"},
		"limit":    {strconv.Itoa(pageRows)},
	}
	for offset := 0; ; offset += pageRows {
		query.Set("offset", strconv.Itoa(offset))
		answer, err := a.ask(ctx, client, a.baseURL+"/records?"+query.Encode())
		if err != nil {
			return err
		}
		var page struct {
			Total int `json:"total_count"`
		}
		if err := json.Unmarshal(answer.Body, &page); err != nil {
			return fmt.Errorf("reading the number of rows in %s: %w", answer.URL, err)
		}
		if page.Total > lastRow {
			return a.fetchExport(ctx, client, deliver)
		}
		if err := deliver(answer.Payload(false)); err != nil {
			return err
		}
		if offset+pageRows >= page.Total {
			return nil
		}
	}
}

// ask gets one answer and makes sure that it is one of the portal's.
func (a *Agency) ask(ctx context.Context, client *agency.Client, address string) (agency.Answer, error) {
	answer, err := client.Get(ctx, address)
	if err != nil {
		return answer, fmt.Errorf("fetching RappelConso: %w", err)
	}
	head := answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]
	switch said := a.Recognise(address, head); said.Kind {
	case agency.Notices, agency.Empty:
		return answer, nil
	case agency.ErrorBody:
		return answer, &agency.AnswerError{Agency: Code, URL: address, Said: said.Note}
	}
	said, is := agency.Apology(head)
	if !is {
		said = "the answer is in no known format: " + agency.ExcerptOf(head[:min(len(head), 200)])
	}
	return answer, &agency.AnswerError{Agency: Code, URL: address, Said: said}
}
