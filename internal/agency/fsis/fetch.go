package fsis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/crownsafe/api/internal/agency"
)

// Fetch implements agency.Agency. The API has no paging, ignores dates in a
// question and edits rows without moving their dates, so every poll asks for
// everything, on the condition that it changed: the unfiltered answer has an
// ETag.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, _ agency.Since, deliver func(agency.Payload) error) error {
	answer, err := client.Get(ctx, a.baseURL)
	if err != nil {
		return fmt.Errorf("fetching FSIS's recalls: %w", err)
	}
	if answer.NotModified() {
		return nil
	}
	if err := a.check(answer); err != nil {
		return err
	}
	if err := deliver(answer.Payload(true)); err != nil {
		return err
	}
	client.Remember(answer)
	return nil
}

// check makes sure that an answer is the whole list: a web page, a list without
// rows and a cut one would all look like recalls that were taken back.
func (a *Agency) check(answer agency.Answer) error {
	if said, is := agency.Apology(answer.Body); is {
		return &agency.AnswerError{Agency: Code, URL: answer.URL, Said: said}
	}
	rows := 0
	d := agency.NewJSONDecoder(bytes.NewReader(answer.Body))
	err := agency.EachElement(d, func(int, json.RawMessage) error {
		rows++
		return nil
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", answer.URL, err)
	}
	switch {
	case rows == 0:
		return &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "no recalls at all"}
	case a.Recognise(answer.URL, answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]).Kind != agency.Notices:
		return &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "an array of something else: " + agency.ExcerptOf(answer.Body[:min(len(answer.Body), 200)])}
	}
	return nil
}
