package openfda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

const (
	pageSize = 1000  // the service's limit for limit
	lastSkip = 25000 // the service's limit for skip
	// recentDays is how far back an ordinary poll looks, by report_date. The
	// service is updated weekly; later changes of a report's status don't move
	// report_date and are found by the weekly dump.
	recentDays = 30
	// narrowestWindow is the window in days below which a failing one is given up.
	narrowestWindow = 7
	firstYear       = 2004 // of the enforcement reports
)

// kinds are the service's endpoints.
var kinds = []string{"food", "drug", "device"}

// Fetch asks for the reports of the last month, or, the first time and once in
// every ISO week, for those of every year.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	now := since.Now.UTC()
	windows := []window{{from: now.AddDate(0, 0, -recentDays), to: now}}
	complete := agency.WeeklyDumpDue(since)
	if complete {
		windows = windows[:0]
		for year := firstYear; year <= now.Year(); year++ {
			windows = append(windows, window{
				from: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), to: time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC),
			})
		}
	}
	series := agency.NewSeries(deliver)
	for _, kind := range kinds {
		for _, w := range windows {
			if err := a.fetchWindow(ctx, client, kind, w, series.Add); err != nil {
				return errors.Join(fmt.Errorf("fetching %s reports of %s: %w", kind, w, err), series.End(false))
			}
		}
	}
	if complete && series.Empty() {
		return &agency.AnswerError{Agency: Code, URL: a.baseURL, Said: "no reports in any year"}
	}
	return series.End(complete)
}

// window is a span of report dates, both ends included.
type window struct{ from, to time.Time }

func (w window) days() int { return int(w.to.Sub(w.from).Hours()/24) + 1 }

func (w window) String() string {
	return w.from.Format("20060102") + " to " + w.to.Format("20060102")
}

func (a *Agency) address(kind string, w window, skip int) string {
	// The brackets and the + are the service's syntax and go unescaped.
	return fmt.Sprintf("%s/%s/enforcement.json?search=report_date:[%s+TO+%s]&sort=report_date:asc&limit=%d&skip=%d",
		a.baseURL, kind, w.from.Format("20060102"), w.to.Format("20060102"), pageSize, skip)
}

// errTooMany says that a window holds more reports than can be paged through.
var errTooMany = errors.New("the window holds more reports than can be paged through")

// fetchWindow pages through one window, or through its halves when it holds too
// much or fails.
func (a *Agency) fetchWindow(ctx context.Context, client *agency.Client, kind string, w window, deliver func(agency.Payload) error) error {
	err := a.fetchPages(ctx, client, kind, w, deliver)
	if err == nil || w.days() <= narrowestWindow || !errors.Is(err, errTooMany) && !agency.NarrowerMayWork(err) {
		return err
	}
	middle := w.from.AddDate(0, 0, w.days()/2)
	if err := a.fetchWindow(ctx, client, kind, window{from: w.from, to: middle.AddDate(0, 0, -1)}, deliver); err != nil {
		return err
	}
	return a.fetchWindow(ctx, client, kind, window{from: middle, to: w.to}, deliver)
}

func (a *Agency) fetchPages(ctx context.Context, client *agency.Client, kind string, w window, deliver func(agency.Payload) error) error {
	for skip := 0; ; skip += pageSize {
		payload, page, err := a.ask(ctx, client, a.address(kind, w, skip))
		if err != nil {
			return err
		}
		if page.total > lastSkip+pageSize {
			return fmt.Errorf("%w: %d", errTooMany, page.total)
		}
		if page.reports > 0 {
			if err := deliver(payload); err != nil {
				return err
			}
		}
		if skip+page.reports >= page.total {
			return nil
		}
		if page.reports < pageSize {
			return fmt.Errorf("%w: %s gave %d reports, %d of %d are left", agency.ErrTruncated, payload.URL, page.reports, page.total-skip, page.total)
		}
	}
}

// page is how much one answer holds.
type page struct{ reports, total int }

// ask asks for one page and makes sure that the answer is one, and whole.
func (a *Agency) ask(ctx context.Context, client *agency.Client, address string) (agency.Payload, page, error) {
	answer, err := client.Get(ctx, address)
	payload := answer.Payload(false)
	if status, ok := errors.AsType[*agency.StatusError](err); ok && status.Status == http.StatusNotFound {
		if a.Recognise("", answer.Body).Kind == agency.Empty {
			return payload, page{}, nil // "no match"
		}
	}
	if err != nil {
		return payload, page{}, err
	}
	if said, is := agency.Apology(answer.Body); is {
		return payload, page{}, &agency.AnswerError{Agency: Code, URL: address, Said: said}
	}
	p, err := readPage(answer.Body)
	if err != nil {
		if said, ok := errors.AsType[*agency.AnswerError](err); ok {
			said.URL = address
		}
		return payload, page{}, fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	return payload, p, nil
}

// readPage counts the reports of an answer and reads how many there are in all.
func readPage(body []byte) (page, error) {
	var p page
	d := agency.NewJSONDecoder(bytes.NewReader(body))
	err := agency.EachMember(d, func(key string) error {
		switch key {
		case "error":
			f, err := readFailure(d)
			if err != nil {
				return err
			}
			return &agency.AnswerError{Agency: Code, Said: f.String()}
		case "meta":
			var meta struct {
				Results struct {
					Total int `json:"total"`
				} `json:"results"`
			}
			if err := agency.DecodeValue(d, &meta); err != nil {
				return err
			}
			p.total = meta.Results.Total
			return nil
		case "results":
			return agency.EachElement(d, func(int, json.RawMessage) error {
				p.reports++
				return nil
			})
		}
		return agency.SkipValue(d)
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	return p, err
}
