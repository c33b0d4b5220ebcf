package safetygate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

const (
	// reportsBack is how much before the last success reports are asked for
	// again: corrections of a report appear in the weeks behind it.
	reportsBack = 21 * 24 * time.Hour
	// mostReports bounds the reports of one poll, which is a year of them.
	mostReports = 54
	// betweenReports is the pause between two questions to the Commission.
	betweenReports = time.Second

	// changesBack is how much before the last success the register's copy is
	// asked for changes: it is refreshed once a day, and days late at times.
	changesBack = 7 * 24 * time.Hour
	// The portal's limits for /records: rows of one page, and how far pages reach.
	pageRows = 100
	lastRow  = 10_000
)

// Fetch implements agency.Agency. It takes the weekly reports that appeared
// since the last success, which are the Commission's own publication, and from
// the copy of the register what was changed since, because corrections of old
// notices stand in no new report. The first poll of each week takes the copy
// whole. One of the two failing doesn't keep the other from being read.
//
// No payload is a complete dump: that a notice is missing from somebody else's
// copy doesn't mean that the Commission took it back.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	f := &fetch{agency: a, ctx: ctx, client: client, deliver: deliver}
	reports := f.reports(since)
	if f.stopped != nil {
		return f.stopped
	}
	var changes error
	if agency.WeeklyDumpDue(since) {
		changes = f.export()
	} else {
		changes = f.changes(since.LastSuccess.Add(-changesBack))
	}
	if f.stopped != nil {
		return f.stopped
	}
	return errors.Join(reports, changes)
}

// fetch is one poll.
type fetch struct {
	agency  *Agency
	ctx     context.Context
	client  *agency.Client
	deliver func(agency.Payload) error
	stopped error // what the receiver ended the poll with
}

// hand hands an answer over.
func (f *fetch) hand(answer agency.Answer) error {
	if err := f.deliver(answer.Payload(false)); err != nil {
		f.stopped = err
		return err
	}
	return nil
}

// report is one line of the list of weekly reports.
type report struct {
	id        string
	published time.Time
}

// reports takes the weekly reports that are new, oldest first. One that the
// site refuses or answers with a page of its own doesn't keep the next from
// being read.
func (f *fetch) reports(since agency.Since) error {
	list, err := f.list()
	if err != nil {
		return err
	}
	from := time.Time{}
	if !since.LastSuccess.IsZero() {
		from = since.LastSuccess.Add(-reportsBack).UTC().Truncate(24 * time.Hour) // reports are dated by the day
	}
	list = slices.DeleteFunc(list, func(r report) bool { return r.published.Before(from) })
	var failed []error
	for _, r := range list[max(0, len(list)-mostReports):] {
		if err := f.pause(betweenReports); err != nil {
			return errors.Join(append(failed, err)...)
		}
		answer, err := f.ask(f.agency.reportAddress(r.id))
		if err == nil {
			err = f.hand(answer)
		}
		if err != nil {
			failed = append(failed, err)
			if f.stopped != nil || !nextMayWork(err) {
				break
			}
		}
	}
	return errors.Join(failed...)
}

// nextMayWork tells whether another report may be had although one wasn't.
func nextMayWork(err error) bool {
	if status, ok := errors.AsType[*agency.StatusError](err); ok {
		return status.Status == http.StatusBadRequest || status.Status == http.StatusNotFound || status.Status >= http.StatusInternalServerError
	}
	return agency.NarrowerMayWork(err)
}

// reportAddress is where a report is asked for. The list's own addresses end in
// a comma with which the site answers 400, and without "search" it answers a
// page of JavaScript.
func (a *Agency) reportAddress(id string) string {
	return a.baseURL + "/api/download/weeklyReport/detail/xml/" + id + "?language=en&search=" + url.QueryEscape("WEB_REPORT|:|"+id)
}

// pause waits, so that the site is asked no faster than once a second.
func (f *fetch) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

// reportID is the number of a report in its address.
var reportID = regexp.MustCompile(`/weeklyReport/detail/xml/(\d+)`)

// list reads the list of weekly reports, oldest first.
func (f *fetch) list() ([]report, error) {
	answer, err := f.ask(f.agency.baseURL + "/api/download/weeklyReport/list/xml/en")
	if err != nil {
		return nil, err
	}
	var found []report
	d := newXMLDecoder(bytes.NewReader(answer.Body))
	for {
		start, err := nextStart(d)
		if errors.Is(err, io.EOF) {
			break
		}
		var e element
		if err == nil && start.Name.Local == "weeklyReport" {
			err = d.DecodeElement(&e, &start)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the list of weekly reports: %w", xmlError(err))
		}
		if r, ok := f.agency.readReport(e.fields()); ok {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return nil, &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "the list of weekly reports names none"}
	}
	slices.SortStableFunc(found, func(a, b report) int { return a.published.Compare(b.published) })
	return found, nil
}

func (a *Agency) readReport(f fields) (report, bool) {
	id := reportID.FindStringSubmatch(f.first("URL"))
	published, err := agency.ParseDate(f.first("publicationDate"), a.now())
	if id == nil || err != nil {
		return report{}, false
	}
	return report{id: id[1], published: published}, true
}

// export takes the whole copy of the register.
func (f *fetch) export() error {
	answer, err := f.ask(f.agency.mirrorURL + "/exports/json?limit=-1")
	if err != nil {
		return err
	}
	return f.hand(answer)
}

// changes takes what the copy says was changed since a day, page after page,
// oldest first, so that a notice that is changed meanwhile moves none to
// another page. More rows than pages reach, which is also what an ignored
// condition gives, mean that the whole copy is needed.
func (f *fetch) changes(since time.Time) error {
	query := url.Values{
		"where":    {"modification_date>'" + since.UTC().Format(time.DateOnly) + "'"},
		"order_by": {"modification_date,alert_number"},
		"limit":    {strconv.Itoa(pageRows)},
	}
	for offset := 0; ; offset += pageRows {
		query.Set("offset", strconv.Itoa(offset))
		answer, err := f.ask(f.agency.mirrorURL + "/records?" + query.Encode())
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
			return f.export()
		}
		if err := f.hand(answer); err != nil {
			return err
		}
		if offset+pageRows >= page.Total {
			return nil
		}
	}
}

// ask gets one answer and makes sure that it is one of the agency's. A report
// or a page without notices is an answer too; an export without any is not.
func (f *fetch) ask(address string) (agency.Answer, error) {
	answer, err := f.client.Get(f.ctx, address)
	if err != nil {
		return answer, fmt.Errorf("fetching Safety Gate: %w", err)
	}
	head := answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]
	said := f.agency.Recognise(address, head)
	switch said.Kind {
	case agency.Notices, agency.Empty:
		return answer, nil
	case agency.ErrorBody:
		return answer, &agency.AnswerError{Agency: Code, URL: address, Said: said.Note}
	}
	page, is := agency.Apology(head)
	if !is {
		page = "the answer is in no known format: " + agency.ExcerptOf(head[:min(len(head), 200)])
	}
	return answer, &agency.AnswerError{Agency: Code, URL: address, Said: page}
}
