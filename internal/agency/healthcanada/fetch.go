package healthcanada

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/recall"
)

const (
	// lookBack is how much before the last success a changed notice's page is
	// still asked for: Last updated is a day, and what was left over of many
	// changes is made up for by the next polls.
	lookBack = 7 * 24 * time.Hour
	// firstLookBack is the same of the first poll, before which nothing succeeded.
	firstLookBack = 60 * 24 * time.Hour
	// mostPages is how many pages one poll asks for. Some 50 notices change in a
	// month; after a change of all of them the newest come first.
	mostPages = 60
	// pause keeps the questions for pages apart.
	pause = time.Second
)

// Fetch implements agency.Agency. It asks for the whole file, on the condition
// that it changed, and then for the pages of the consumer products and
// children's products whose rows changed lately.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	answer, err := client.Get(ctx, a.baseURL)
	if err != nil {
		return fmt.Errorf("fetching Health Canada's notices: %w", err)
	}
	if answer.NotModified() {
		return nil
	}
	from := since.LastSuccess.Add(-lookBack)
	if since.LastSuccess.IsZero() {
		from = since.Now.Add(-firstLookBack)
	}
	changed, err := a.check(answer, from)
	if err != nil {
		return err
	}
	if err := deliver(answer.Payload(true)); err != nil {
		return err
	}
	if err := a.fetchPages(ctx, client, changed[:min(len(changed), mostPages)], deliver); err != nil {
		return err
	}
	if len(changed) <= mostPages { // else the next poll must see the file again
		client.Remember(answer)
	}
	return nil
}

// listed is a row whose page is wanted.
type listed struct {
	row row
	raw json.RawMessage
}

// check makes sure that an answer is the whole file, and returns the rows whose
// pages are to be fetched, the latest change first.
func (a *Agency) check(answer agency.Answer, from time.Time) ([]listed, error) {
	if said, is := agency.Apology(answer.Body); is {
		return nil, &agency.AnswerError{Agency: Code, URL: answer.URL, Said: said}
	}
	rows := 0
	var changed []listed
	d := agency.NewJSONDecoder(bytes.NewReader(answer.Body))
	err := agency.EachElement(d, func(_ int, raw json.RawMessage) error {
		rows++
		if r, err := readRow(raw); err == nil && a.wantsPage(r, from) {
			changed = append(changed, listed{r, raw})
		}
		return nil
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", answer.URL, err)
	}
	switch {
	case rows == 0:
		return nil, &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "no notices at all"}
	case a.Recognise(answer.URL, answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]).Kind != agency.Notices:
		return nil, &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "an array of something else: " + agency.ExcerptOf(answer.Body[:min(len(answer.Body), 200)])}
	}
	slices.SortStableFunc(changed, func(x, y listed) int { return cmp.Compare(y.row.Updated, x.row.Updated) })
	return changed, nil
}

// site is the host of the notices' pages. No other is asked, whatever a row says.
const site = "recalls-rappels.canada.ca"

// wantsPage tells the rows of consumer products and of what is made for the
// young that changed since a day and whose page was not fetched as they are now.
// Of a notice in both languages the English page is enough.
func (a *Agency) wantsPage(r row, from time.Time) bool {
	if r.french() || !numeric.MatchString(string(r.NID)) || !onSite(string(r.URL)) {
		return false
	}
	changed, err := agency.ParseDate(string(r.Updated), a.now())
	if err != nil || changed.Before(from) || a.pages.Has(string(r.URL), r.state()) {
		return false
	}
	return r.consumer() || r.audience(nil) != recall.General
}

func onSite(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host == site && (u.Scheme == "https" || u.Scheme == "http")
}

// state tells whether a row changed.
func (r row) state() string { return agency.HashOf(r) }

// fetchPages fetches pages one after the other. One that is gone is no fault,
// and one that can't be read is handed over for the quarantine; any refusal and
// an apology end the poll, for the next page would be answered the same.
func (a *Agency) fetchPages(ctx context.Context, client *agency.Client, pages []listed, deliver func(agency.Payload) error) error {
	for i, l := range pages {
		if i > 0 {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(pause):
			}
		}
		if err := a.fetchPage(ctx, client, l, deliver); err != nil {
			return fmt.Errorf("fetching the page of notice %s: %w", l.row.NID, err)
		}
		a.pages.Add(string(l.row.URL), l.row.state())
	}
	return nil
}

func (a *Agency) fetchPage(ctx context.Context, client *agency.Client, l listed, deliver func(agency.Payload) error) error {
	answer, err := client.Get(ctx, string(l.row.URL))
	if status, ok := errors.AsType[*agency.StatusError](err); ok && (status.Status == http.StatusNotFound || status.Status == http.StatusGone) {
		return nil
	}
	switch {
	case err != nil:
		return err
	case !agency.WholePage(answer.Body):
		return fmt.Errorf("%w: %s has no closing tag", agency.ErrTruncated, answer.URL)
	}
	if _, err := readPage(string(answer.Body), answer.URL); errors.Is(err, errNoNotice) {
		said, _ := agency.Apology(answer.Body)
		return &agency.AnswerError{Agency: Code, URL: answer.URL, Said: cmp.Or(said, err.Error())}
	}
	body, err := save(l.raw, answer)
	if err != nil {
		return err
	}
	payload := answer.Payload(false)
	payload.Body = body
	return deliver(payload)
}
