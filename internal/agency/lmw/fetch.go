package lmw

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

const (
	pageRows = 500 // of each kind
	// mostPages ends a fetch from a service that takes no notice of start.
	mostPages = 40
	// lookBack is how much before the last success a question for news reaches:
	// warnings are extended to further states for days.
	lookBack = 14 * 24 * time.Hour
)

// Fetch implements agency.Agency. The first poll of each ISO week takes
// everything that the portal shows, because edits don't move a warning's date;
// the others ask for what was published lately.
//
// Not even everything is a complete dump: the portal takes warnings down after a
// time, and a recall that isn't shown any more is not taken back.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	var after time.Time
	if !agency.WeeklyDumpDue(since) {
		after = since.LastSuccess.Add(-lookBack)
	}
	seen := map[string]bool{}
	for page := range mostPages {
		answer, n, err := a.ask(ctx, client, question(after, page*pageRows), seen)
		if err != nil {
			return fmt.Errorf("fetching page %d of Germany's warnings: %w", page+1, err)
		}
		if n.docs > 0 {
			if err := deliver(answer.Payload(false)); err != nil {
				return err
			}
		}
		switch {
		case len(seen) == 0 && after.IsZero():
			return &agency.AnswerError{Agency: Code, URL: answer.URL, Said: "no warnings at all"}
		case len(seen) >= n.total:
			return nil
		case n.fresh == 0:
			return fmt.Errorf("%w: %s gave %d warnings of %d", agency.ErrTruncated, answer.URL, len(seen), n.total)
		}
	}
	return fmt.Errorf("%w: more than %d pages", agency.ErrTruncated, mostPages)
}

// options are the service's search options for one kind of warning.
type options struct {
	Rows   int      `json:"rows"`
	Sort   string   `json:"sort"`
	Start  int      `json:"start"`
	Filter []string `json:"fq"`
}

// question is the body of a request; after zero asks for everything.
func question(after time.Time, start int) []byte {
	o := options{Rows: pageRows, Sort: "publishedDate desc, title asc", Start: start, Filter: []string{}}
	if !after.IsZero() {
		o.Filter = append(o.Filter, "publishedDate > "+strconv.FormatInt(after.UnixMilli(), 10))
	}
	body, err := json.Marshal(map[string]options{"food": o, "products": o})
	if err != nil {
		panic(fmt.Sprintf("encoding search options: %v", err)) // they are numbers and texts
	}
	return body
}

// count is what an answer holds.
type count struct {
	docs  int
	fresh int // that were on no page before
	total int // by the service's word
}

// ask asks for one page and makes sure that the answer is one, and whole.
func (a *Agency) ask(ctx context.Context, client *agency.Client, body []byte, seen map[string]bool) (agency.Answer, count, error) {
	address := a.baseURL + "/warnings/merged"
	answer, err := client.Post(ctx, address, "application/json", body, http.Header{
		"Accept":        {"application/json"},
		"Authorization": {"baystmuv-vi-1.0 os=ios, key=" + a.key},
	})
	if err != nil {
		return answer, count{}, err
	}
	if said, is := agency.Apology(answer.Body); is {
		return answer, count{}, &agency.AnswerError{Agency: Code, URL: address, Said: said}
	}
	n, err := readCount(answer.Body, seen)
	if err != nil {
		return answer, n, fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	if n.docs > 0 && a.Recognise(address, answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]).Kind != agency.Notices {
		return answer, n, &agency.AnswerError{Agency: Code, URL: address, Said: "none of its records is a warning"}
	}
	return answer, n, nil
}

// readCount counts an answer's records; seen takes their kinds and numbers.
func readCount(body []byte, seen map[string]bool) (count, error) {
	var n count
	whole := false
	d := agency.NewJSONDecoder(bytes.NewReader(body))
	err := agency.EachMember(d, func(key string) error {
		if key != "response" {
			return agency.SkipValue(d)
		}
		return agency.EachMember(d, func(key string) error {
			switch key {
			case "docs":
				whole = true
				return agency.EachElement(d, func(_ int, raw json.RawMessage) error {
					head := agency.ReadHead(raw)
					id := head.Fields["_type"] + " " + head.Fields["id"]
					n.docs++
					if !seen[id] {
						seen[id] = true
						n.fresh++
					}
					return nil
				})
			case "numFound":
				return agency.DecodeValue(d, &n.total)
			}
			return agency.SkipValue(d)
		})
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if err == nil && !whole {
		err = &agency.AnswerError{Agency: Code, Said: "the answer has no list of warnings: " + agency.ExcerptOf(body[:min(len(body), 200)])}
	}
	return n, err
}
