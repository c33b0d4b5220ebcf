package opss

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
	pageResults = 100
	// lookBack is how much before the last success a question for news reaches:
	// the search learns of a page some time after it was published.
	lookBack = 3 * 24 * time.Hour
	// pace keeps us below the ten questions a second that GOV.UK allows.
	pace = 150 * time.Millisecond
)

// Fetch implements agency.Agency. The search tells what there is and when it was
// last published; what it lists is then fetched item by item, for only those
// hold the codes. The first poll of each week (ISO 8601) fetches all of them,
// because small corrections don't move the search's date; the others fetch what
// was published lately.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	oldest := time.Time{}
	if !agency.WeeklyDumpDue(since) {
		oldest = since.LastSuccess.Add(-lookBack)
	}
	links, listErr := a.list(ctx, client, oldest)
	if len(links) == 0 {
		return listErr
	}
	addresses := make([]string, len(links))
	for i, link := range links {
		addresses[i] = a.baseURL + "/api/content" + link
	}
	series := agency.NewSeries(deliver)
	broken, err := agency.EachItem(ctx, addresses, pace, func(address string) (agency.Answer, error) { return a.ask(ctx, client, address) }, series)
	if err != nil {
		return err
	}
	complete := oldest.IsZero() && listErr == nil && broken == nil
	if err := series.End(complete); err != nil {
		return err
	}
	return errors.Join(listErr, broken)
}

// list returns the addresses of the notices published since oldest, newest
// first; a zero oldest means all. What was found before an error counts.
func (a *Agency) list(ctx context.Context, client *agency.Client, oldest time.Time) ([]string, error) {
	query := url.Values{
		"filter_format": {documentType},
		"order":         {"-public_timestamp"},
		"count":         {strconv.Itoa(pageResults)},
		"fields":        {"title,link,public_timestamp,product_alert_type,product_risk_level,product_category,product_measure_type,product_recall_alert_date"},
	}
	var links []string
	seen := map[string]bool{}
	newest := time.Time{} // what may come next is not newer
	for start := 0; ; {
		query.Set("start", strconv.Itoa(start))
		found, err := a.askSearch(ctx, client, a.baseURL+"/api/search.json?"+query.Encode())
		if err != nil {
			return links, err
		}
		for _, r := range found.Results {
			at, err := agency.ParseDate(string(r.Timestamp), a.now())
			if err == nil && !newest.IsZero() && at.After(newest) {
				return links, &agency.AnswerError{Agency: Code, URL: found.url, Said: "the results are not ordered from the newest"}
			}
			if err == nil {
				newest = at
				if at.Before(oldest) {
					return links, nil
				}
			}
			if link := string(r.Link); !seen[link] {
				seen[link] = true
				links = append(links, link)
			}
		}
		start += len(found.Results)
		if start >= found.Total {
			return links, nil
		}
		if len(found.Results) == 0 {
			return links, &agency.AnswerError{Agency: Code, URL: found.url, Said: fmt.Sprintf("the results end after %d of %d", start, found.Total)}
		}
	}
}

// found is an answer of the search API.
type found struct {
	Results []result `json:"results"`
	Total   int      `json:"total"`
	url     string
}

// askSearch gets one page of results and makes sure that the filter worked.
func (a *Agency) askSearch(ctx context.Context, client *agency.Client, address string) (found, error) {
	answer, err := a.ask(ctx, client, address)
	if err != nil {
		return found{}, err
	}
	f := found{url: address}
	if err := json.Unmarshal(answer.Body, &f); err != nil {
		return found{}, fmt.Errorf("reading the results of %s: %w", address, err)
	}
	for _, r := range f.Results {
		if !isOurs(string(r.Link), string(r.DocumentType)) {
			return found{}, &agency.AnswerError{Agency: Code, URL: address, Said: fmt.Sprintf("the filter was ignored: %s is another kind of document", r.Link)}
		}
	}
	return f, nil
}

// ask gets one answer and makes sure that it is one of GOV.UK's about notices.
func (a *Agency) ask(ctx context.Context, client *agency.Client, address string) (agency.Answer, error) {
	answer, err := client.Get(ctx, address)
	if err != nil {
		return answer, fmt.Errorf("fetching the OPSS's notices: %w", err)
	}
	head := answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]
	switch a.Recognise(address, head).Kind {
	case agency.Notices, agency.Empty:
		return answer, nil
	}
	said, is := agency.Apology(head)
	if !is {
		said = "the answer is in no known format: " + agency.ExcerptOf(head[:min(len(head), 200)])
	}
	return answer, &agency.AnswerError{Agency: Code, URL: address, Said: said}
}
