package cpsc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

const (
	// recentDays is how far back an ordinary poll looks, by RecallDate. Late
	// edits are found by the weekly dump: LastPublishDate doesn't move on each.
	recentDays = 14
	// filterIgnored is the number of records from which on an answer to a
	// filtered question is taken for the whole corpus: the service ignores a
	// filter that it doesn't understand. A year has at most some 1,500.
	filterIgnored = 2000
	// narrowestWindow is the window in days below which a failing one is given up.
	narrowestWindow = 31
	firstYear       = 1967 // CPSC began in 1973; some recalls carry older dates
)

// Fetch asks for the recalls of the last two weeks, or, the first time and once
// in every ISO week, for everything. The service has no paging: everything is
// one answer, or, when that one fails, one for each year.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	if agency.WeeklyDumpDue(since) {
		return a.fetchAll(ctx, client, since.Now, deliver)
	}
	payload, count, err := a.ask(ctx, client, window{from: since.Now.AddDate(0, 0, -recentDays)})
	if err != nil {
		return fmt.Errorf("fetching the recalls of the last %d days: %w", recentDays, err)
	}
	if count == 0 {
		return nil // no recalls: two weeks around Christmas
	}
	return deliver(payload)
}

// window is a span of recall dates, both ends included; a zero end is open.
type window struct{ from, to time.Time }

func (w window) days() int { return int(w.to.Sub(w.from).Hours()/24) + 1 }

func (w window) filtered() bool { return !w.from.IsZero() || !w.to.IsZero() }

func (a *Agency) address(w window) string {
	query := url.Values{"format": {"json"}}
	if !w.from.IsZero() {
		query.Set("RecallDateStart", w.from.Format(time.DateOnly))
	}
	if !w.to.IsZero() {
		query.Set("RecallDateEnd", w.to.Format(time.DateOnly))
	}
	return a.baseURL + "?" + query.Encode()
}

func (a *Agency) fetchAll(ctx context.Context, client *agency.Client, now time.Time, deliver func(agency.Payload) error) error {
	payload, count, err := a.ask(ctx, client, window{})
	switch {
	case err == nil && count > 0:
		payload.Complete = true
		return deliver(payload)
	case err == nil:
		return &agency.AnswerError{Agency: Code, URL: payload.URL, Said: "no recalls at all"}
	case !agency.NarrowerMayWork(err):
		return fmt.Errorf("fetching all recalls: %w", err)
	}
	return a.fetchYears(ctx, client, now, deliver)
}

// fetchYears asks year by year.
func (a *Agency) fetchYears(ctx context.Context, client *agency.Client, now time.Time, deliver func(agency.Payload) error) error {
	series := agency.NewSeries(deliver)
	for year := firstYear; year <= now.UTC().Year(); year++ {
		w := window{from: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), to: time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC)}
		if err := a.fetchWindow(ctx, client, w, series.Add); err != nil {
			return errors.Join(fmt.Errorf("fetching the recalls of %d: %w", year, err), series.End(false))
		}
	}
	if series.Empty() {
		return &agency.AnswerError{Agency: Code, URL: a.baseURL, Said: "no recalls in any year"}
	}
	return series.End(true)
}

// fetchWindow asks for one window, and for its halves when it fails.
func (a *Agency) fetchWindow(ctx context.Context, client *agency.Client, w window, deliver func(agency.Payload) error) error {
	payload, count, err := a.ask(ctx, client, w)
	if err == nil {
		if count == 0 {
			return nil
		}
		return deliver(payload)
	}
	if w.days() <= narrowestWindow || !agency.NarrowerMayWork(err) {
		return err
	}
	middle := w.from.AddDate(0, 0, w.days()/2)
	if err := a.fetchWindow(ctx, client, window{from: w.from, to: middle.AddDate(0, 0, -1)}, deliver); err != nil {
		return err
	}
	return a.fetchWindow(ctx, client, window{from: middle, to: w.to}, deliver)
}

// ask asks for a window and makes sure that the answer is one: whole, of the
// service, and not the whole corpus in answer to a filtered question.
func (a *Agency) ask(ctx context.Context, client *agency.Client, w window) (agency.Payload, int, error) {
	answer, err := client.Get(ctx, a.address(w))
	if err != nil {
		return agency.Payload{}, 0, err
	}
	payload := answer.Payload(false)
	if said, is := agency.Apology(answer.Body); is {
		return payload, 0, &agency.AnswerError{Agency: Code, URL: answer.URL, Said: said}
	}
	if r := a.Recognise("", answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]); r.Kind == agency.ErrorBody {
		return payload, 0, &agency.AnswerError{Agency: Code, URL: answer.URL, Said: r.Note}
	}
	count, err := countRecords(answer.Body)
	switch {
	case err != nil:
		return payload, 0, fmt.Errorf("reading the answer of %s: %w", answer.URL, err)
	case w.filtered() && count > filterIgnored:
		// Not an AnswerError: a narrower question would be answered the same.
		return payload, 0, fmt.Errorf("%s answered a question for some days with %d recalls: it ignored the filter", answer.URL, count)
	}
	return payload, count, nil
}

// countRecords counts the records of an answer and finds where it was cut.
func countRecords(body []byte) (int, error) {
	d := agency.NewJSONDecoder(bytes.NewReader(body))
	count := 0
	err := agency.EachElement(d, func(int, json.RawMessage) error {
		count++
		return nil
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	return count, err
}
