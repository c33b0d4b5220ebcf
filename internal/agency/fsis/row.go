package fsis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// row is one element of the answer: cleaned texts by field. Fields that are
// absent or say that there is nothing are not in it.
type row map[string]string

// The fields that quotes name.
const (
	fieldTitle    = "field_title"
	fieldProducts = "field_product_items"
	fieldSummary  = "field_summary"
)

// readRow reads an element. By the manual every value is a string, a boolean
// "True" or "False" and a list "A, B"; but some answers hold arrays, booleans
// and numbers, so all of these are brought into the manual's form.
func readRow(raw json.RawMessage) (row, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return row{}, fmt.Errorf("reading the row: %w", err)
	}
	r := row{}
	for name, value := range values {
		var list agency.List[agency.Text]
		if err := json.Unmarshal(value, &list); err != nil {
			return r, fmt.Errorf("reading %s: %w", name, err)
		}
		var texts []string
		for _, element := range list {
			if text := element.Clean(); text != "" {
				texts = append(texts, text)
			}
		}
		separator := ", "
		if name == fieldProducts {
			separator = "\n"
		}
		if text := strings.Join(texts, separator); text != "" {
			r[name] = text
		}
	}
	return r, nil
}

// says reads a boolean field.
func (r row) says(name string) bool {
	switch strings.ToLower(r[name]) {
	case "true", "1", "yes", "on":
		return true
	}
	return false
}

// spanish tells a translation from the original.
func (r row) spanish() bool {
	return strings.EqualFold(r["langcode"], "spanish") || r["langcode"] == "es"
}

// list cuts a field that holds several words.
func (r row) list(name string) []string {
	var words []string
	for word := range strings.SplitSeq(r[name], ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// Parse implements agency.Agency. Rows in Spanish are held back until the
// payload's end, and come then for the notices that have no English row.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	if format != FormatRecalls {
		return fmt.Errorf("%s knows no format %q", Code, format)
	}
	p := &parser{agency: a, sink: sink, english: map[string]bool{}}
	d := agency.NewJSONDecoder(payload)
	err := agency.EachElement(d, func(position int, raw json.RawMessage) error {
		if err := ctx.Err(); err != nil {
			return p.watch(err)
		}
		return p.row(position, raw)
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if !p.stopped {
		err = errors.Join(err, p.flush())
	}
	if err != nil {
		return fmt.Errorf("reading FSIS's recalls: %w", err)
	}
	return nil
}

// parser reads one payload.
type parser struct {
	agency  *Agency
	sink    agency.Sink
	english map[string]bool // ids, in lower case, that came with an English row
	held    []translation
	stopped bool // by the sink or the context: there is nothing more to emit
}

// translation is a row in Spanish that waits for its English one.
type translation struct {
	position int
	row      row
	raw      json.RawMessage
}

func (p *parser) row(position int, raw json.RawMessage) error {
	r, err := readRow(raw)
	switch {
	case err != nil:
		return p.reject(position, r, err, raw)
	case r.spanish():
		p.held = append(p.held, translation{position, r, raw})
		return nil
	}
	p.english[strings.ToLower(r.nativeID())] = true
	return p.emit(position, r, raw)
}

func (p *parser) flush() error {
	seen := map[string]bool{}
	for _, t := range p.held {
		id := strings.ToLower(t.row.nativeID())
		if p.english[id] || id != "" && seen[id] {
			continue
		}
		seen[id] = true
		if err := p.emit(t.position, t.row, t.raw); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) emit(position int, r row, raw json.RawMessage) error {
	record, err := p.agency.record(r)
	if err != nil {
		return p.reject(position, r, err, raw)
	}
	return p.watch(p.sink.Record(record))
}

func (p *parser) reject(position int, r row, reason error, raw json.RawMessage) error {
	return p.watch(p.sink.Reject(agency.Reject{
		NativeID: r.nativeID(), Position: position, Reason: reason.Error(), Excerpt: agency.ExcerptOf(raw),
	}))
}

// watch remembers that the sink wants no more.
func (p *parser) watch(err error) error {
	p.stopped = p.stopped || err != nil
	return err
}
