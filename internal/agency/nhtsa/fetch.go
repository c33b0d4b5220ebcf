package nhtsa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/crownsafe/api/internal/agency"
)

// pageRows is how many campaigns one page holds at most: some 70 child
// restraints were ever recalled, so that there is hardly ever a second page.
const pageRows = 1000

// Fetch implements agency.Agency: all child restraints, every time. There is no
// way to ask for edits, and they are few.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, _ agency.Since, deliver func(agency.Payload) error) error {
	var page agency.Answer // the one before, until it is known whether it is the last
	for offset := 0; ; offset += pageRows {
		query := url.Values{
			"$where":  {"recall_type='Child Seat'"},
			"$order":  {"nhtsa_id"},
			"$limit":  {strconv.Itoa(pageRows)},
			"$offset": {strconv.Itoa(offset)},
		}
		answer, rows, err := a.ask(ctx, client, a.baseURL+"?"+query.Encode())
		if err != nil {
			return err
		}
		switch {
		case rows == 0 && offset == 0:
			return &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "there is not one child restraint, of some 70 that were there"}
		case rows == 0:
			return deliver(page.Payload(true))
		case offset > 0:
			if err := deliver(page.Payload(false)); err != nil {
				return err
			}
		}
		if rows < pageRows {
			return deliver(answer.Payload(true))
		}
		page = answer
	}
}

// ask gets one page, makes sure that it is one, and counts its rows.
func (a *Agency) ask(ctx context.Context, client *agency.Client, address string) (agency.Answer, int, error) {
	answer, err := client.Get(ctx, address)
	if err != nil {
		return answer, 0, fmt.Errorf("fetching NHTSA's child restraints: %w", err)
	}
	fails := func(said string) (agency.Answer, int, error) {
		return answer, 0, &agency.AnswerError{Agency: Code, URL: address, Said: said}
	}
	head := answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]
	if said := a.Recognise(address, head); said.Kind == agency.ErrorBody {
		return fails(said.Note)
	}
	if said, is := agency.Apology(head); is {
		return fails(said)
	}
	var rows []struct {
		ID   string `json:"nhtsa_id"`
		Type string `json:"recall_type"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(answer.Body, []byte("\ufeff")), &rows); err != nil {
		return fails("the answer is no array of recalls: " + err.Error())
	}
	for _, r := range rows {
		if r.ID == "" {
			return fails("a row has no nhtsa_id")
		}
		if r.Type != "" && kindOf(r.Type) != kindChildRestraint {
			return fails("the answer is not limited to child restraints, as was asked")
		}
	}
	return answer, len(rows), nil
}
