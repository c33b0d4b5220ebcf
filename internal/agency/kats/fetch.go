package kats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

const (
	// lookBack is how many days before the last success a question for news reaches.
	lookBack = 7
	// shortBody is the length in bytes up to which an answer without the
	// envelope is taken for an empty one, as the service gives them.
	shortBody = 200
)

// ErrNoKey says that the live feed can't be asked for want of a key.
var ErrNoKey = errors.New(withheld)

// Fetch implements agency.Agency. Every poll asks, day by day, for what was
// published lately, and for the details of each recall found so; the first one
// of each ISO week takes the whole list besides.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	if a.key == "" {
		return ErrNoKey
	}
	days := lookBack + 1
	all := agency.WeeklyDumpDue(since)
	if !all { // then the last success was in this week
		days += int(since.Now.Sub(since.LastSuccess).Hours() / 24)
	}
	if err := a.fetchNews(ctx, client, since.Now, days, deliver); err != nil || !all {
		return err
	}
	return a.fetchAll(ctx, client, deliver)
}

// fetchAll takes the whole list, which is never empty.
func (a *Agency) fetchAll(ctx context.Context, client *agency.Client, deliver func(agency.Payload) error) error {
	found, err := a.ask(ctx, client, a.listAddress("all", ""))
	if err != nil {
		return fmt.Errorf("fetching SafetyKorea's list: %w", err)
	}
	if len(found.uids) == 0 {
		return &agency.AnswerError{Agency: Code, URL: found.answer.URL, Said: "the whole list has no recalls"}
	}
	return deliver(found.answer.Payload(true))
}

// fetchNews asks for the days up to today in Korea. Days without news may come
// without an envelope; when all do, nothing tells them from a failure.
func (a *Agency) fetchNews(ctx context.Context, client *agency.Client, now time.Time, days int, deliver func(agency.Payload) error) error {
	const hoursAhead = 9 // Korea Standard Time
	today := now.UTC().Add(hoursAhead * time.Hour)
	enveloped := false
	address := ""
	for back := range days {
		address = a.listAddress("publishDate", today.AddDate(0, 0, -back).Format("20060102"))
		found, err := a.ask(ctx, client, address)
		if err != nil {
			return fmt.Errorf("fetching SafetyKorea's news: %w", err)
		}
		enveloped = enveloped || found.enveloped
		if len(found.uids) > mostOfADay {
			return &agency.AnswerError{Agency: Code, URL: address, Said: fmt.Sprintf("%d recalls of one day: the filter was ignored", len(found.uids))}
		}
		if err := a.fetchDay(ctx, client, found, deliver); err != nil {
			return err
		}
	}
	if !enveloped {
		return &agency.AnswerError{Agency: Code, URL: address, Said: "no answer was in the service's form"}
	}
	return nil
}

// mostOfADay is how many recalls of one day are believed; they are some hundred
// when a survey of a kind of product is published.
const mostOfADay = 1000

// fetchDay hands over a day's list and the details of its recalls.
func (a *Agency) fetchDay(ctx context.Context, client *agency.Client, day found, deliver func(agency.Payload) error) error {
	if len(day.uids) == 0 {
		return nil
	}
	if err := deliver(day.answer.Payload(false)); err != nil {
		return err
	}
	for _, uid := range day.uids {
		detail, err := a.ask(ctx, client, a.baseURL+"/recallDetail.json?"+url.Values{"recallUid": {uid}}.Encode())
		if err != nil {
			return fmt.Errorf("fetching recall %s of SafetyKorea: %w", uid, err)
		}
		if len(detail.uids) == 0 {
			continue // the list's copy is what there is
		}
		if err := deliver(detail.answer.Payload(false)); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agency) listAddress(key, value string) string {
	return a.baseURL + "/recallList.json?" + url.Values{"conditionKey": {key}, "conditionValue": {value}}.Encode()
}

// found is an answer and the recalls in it.
type found struct {
	answer    agency.Answer
	uids      []string
	enveloped bool
}

// ask asks for one answer and makes sure that it is one of the service's, and whole.
func (a *Agency) ask(ctx context.Context, client *agency.Client, address string) (found, error) {
	answer, err := client.Get(ctx, address, http.Header{"AuthKey": {a.key}, "Accept": {"application/json"}})
	f := found{answer: answer}
	if err != nil {
		if status, ok := errors.AsType[*agency.StatusError](err); ok {
			status.Said = a.redact(status.Said)
		}
		return f, err
	}
	if said, is := agency.Apology(answer.Body); is {
		return f, &agency.AnswerError{Agency: Code, URL: address, Said: a.redact(said)}
	}
	e, err := readAnswer(answer.Body, func(_ int, raw json.RawMessage) error {
		if record := agency.ReadHead(raw); isRecall(record) {
			f.uids = append(f.uids, record.Fields["recallUid"])
		}
		return nil
	})
	switch {
	case err == nil && e.ok():
		f.enveloped = true
		return f, nil
	case e.code != "" && e.code != codeOK:
		return f, &agency.AnswerError{Agency: Code, URL: address, Said: a.redact(string(e.code) + ": " + e.message.Clean())}
	case len(bytes.TrimSpace(answer.Body)) <= shortBody && !errors.Is(err, agency.ErrTruncated):
		return f, nil // the service's way of saying that there is nothing
	case err != nil:
		return f, fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	return f, &agency.AnswerError{Agency: Code, URL: address, Said: "an answer without resultData: " + a.redact(agency.ExcerptOf(answer.Body[:min(len(answer.Body), 200)]))}
}
