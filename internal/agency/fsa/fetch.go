package fsa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

const (
	pageAlerts = 100
	// lookBack is how much before the last success a question for news reaches.
	lookBack = 2 * 24 * time.Hour
	pace     = 150 * time.Millisecond
)

// Fetch implements agency.Agency. The list tells which alerts there are; each is
// then fetched by itself, for the list lacks batches and dates. The first poll of
// each week (ISO 8601) fetches all of them, the others those changed lately.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	oldest := time.Time{}
	if !agency.WeeklyDumpDue(since) {
		oldest = since.LastSuccess.Add(-lookBack).UTC()
	}
	notations, listErr := a.list(ctx, client, oldest)
	if len(notations) == 0 {
		return listErr
	}
	addresses := make([]string, len(notations))
	for i, n := range notations {
		addresses[i] = a.baseURL + "/id/" + n + ".json"
	}
	series := agency.NewSeries(deliver)
	broken, err := agency.EachItem(ctx, addresses, pace, func(address string) (agency.Answer, error) { return a.ask(ctx, client, address) }, series)
	if err != nil {
		return err
	}
	if err := series.End(oldest.IsZero() && listErr == nil && broken == nil); err != nil {
		return err
	}
	return errors.Join(listErr, broken)
}

// answer is what is read of a page of the list.
type answer struct {
	Meta struct {
		Limit int `json:"limit"`
	} `json:"meta"`
	Items []struct {
		Notation agency.Text `json:"notation"`
		Modified agency.Text `json:"modified"`
	} `json:"items"`
}

// list returns the notations of the alerts changed since oldest; a zero oldest
// means all. What was found before an error counts. A filter that was ignored
// does no harm: what is older is left out here as well.
func (a *Agency) list(ctx context.Context, client *agency.Client, oldest time.Time) ([]string, error) {
	query := url.Values{"_limit": {strconv.Itoa(pageAlerts)}, "_sort": {"-created"}}
	if !oldest.IsZero() {
		query.Set("since", oldest.Format(time.RFC3339))
	}
	var notations []string
	seen := map[string]bool{}
	for offset := 0; ; {
		if offset > 0 {
			query.Set("_offset", strconv.Itoa(offset))
		}
		address := a.baseURL + "/id?" + query.Encode()
		page, err := a.askList(ctx, client, address)
		if err != nil {
			return notations, err
		}
		known := len(seen)
		for _, item := range page.Items {
			native := nativeID(string(item.Notation))
			if native == "" || seen[native] {
				continue
			}
			seen[native] = true
			if modified, err := agency.ParseDate(string(item.Modified), a.now()); err != nil || !modified.Before(oldest) {
				notations = append(notations, native)
			}
		}
		limit := pageAlerts
		if page.Meta.Limit > 0 {
			limit = page.Meta.Limit
		}
		if len(page.Items) < limit {
			return notations, nil
		}
		if len(seen) == known {
			return notations, &agency.AnswerError{Agency: Code, URL: address, Said: "every page holds the same alerts"}
		}
		offset += len(page.Items)
	}
}

func (a *Agency) askList(ctx context.Context, client *agency.Client, address string) (answer, error) {
	got, err := a.ask(ctx, client, address)
	if err != nil {
		return answer{}, err
	}
	var page answer
	if err := json.Unmarshal(got.Body, &page); err != nil {
		return answer{}, fmt.Errorf("reading the list %s: %w", address, err)
	}
	return page, nil
}

// ask gets one answer and makes sure that it is one of the API's.
func (a *Agency) ask(ctx context.Context, client *agency.Client, address string) (agency.Answer, error) {
	got, err := client.Get(ctx, address)
	if err != nil {
		return got, fmt.Errorf("fetching the FSA's food alerts: %w", err)
	}
	head := got.Body[:min(len(got.Body), agency.RecogniseBytes)]
	if r := a.Recognise(address, head); r.Format == FormatAPI {
		return got, nil
	}
	said, is := agency.Apology(head)
	if !is {
		said = "the answer is in no known format: " + agency.ExcerptOf(head[:min(len(head), 200)])
	}
	return got, &agency.AnswerError{Agency: Code, URL: address, Said: said}
}
