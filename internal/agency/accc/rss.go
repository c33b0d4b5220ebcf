package accc

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/crownsafe/api/internal/agency"
)

// item is an item of the feed. Its description is HTML: the page's prose fields,
// with their labels, before the fields that identify units.
type item struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	Published   string   `xml:"pubDate"`
	Categories  []string `xml:"category"`
	Description string   `xml:"description"`
}

// eachItem reads a feed's items in their order. The error wraps ErrTruncated
// where the feed ends early.
func eachItem(payload io.Reader, each func(position int, i item) error) error {
	d := xml.NewDecoder(payload)
	d.Entity = xml.HTMLEntity
	position, open := 0, false
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF && !open:
			return nil
		case err != nil:
			return feedError(d, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local != "item" {
				open = open || t.Name.Local == "rss"
				continue
			}
			var i item
			if err := d.DecodeElement(&i, &t); err != nil {
				return feedError(d, err)
			}
			position++
			if err := each(position, i); err != nil {
				return err
			}
		case xml.EndElement:
			if t.Name.Local == "rss" {
				open = false
			}
		}
	}
}

func feedError(d *xml.Decoder, err error) error {
	var syntax *xml.SyntaxError
	if errors.Is(err, io.EOF) || errors.As(err, &syntax) && strings.Contains(syntax.Msg, "unexpected EOF") {
		return fmt.Errorf("reading the feed: %w at byte %d: %w", agency.ErrTruncated, d.InputOffset(), err)
	}
	return fmt.Errorf("reading the feed at byte %d: %w", d.InputOffset(), err)
}

func (a *Agency) parseFeed(ctx context.Context, payload io.Reader, sink agency.Sink) error {
	return eachItem(agency.SkipMark(payload), func(position int, i item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := i.source()
		if err != nil {
			return sink.Reject(agency.Reject{Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf([]byte(i.Title + "\n" + i.Description))})
		}
		return a.emit(s, position, []byte(i.Title+"\n"+i.Description), sink)
	})
}

func (i item) source() (source, error) {
	fragment, err := agency.ParseHTML(strings.NewReader(i.Description))
	if err != nil {
		return source{}, fmt.Errorf("reading the description of %q: %w", i.Title, err)
	}
	s := source{address: strings.TrimSpace(i.Link), title: agency.Clean(i.Title)}
	s.readFields(fragment)
	s.links = agency.HTMLLinks(fragment)
	for _, c := range i.Categories {
		if c = agency.Clean(c); c != "" {
			s.topics = append(s.topics, c)
		}
	}
	s.published = i.day(fragment)
	return s, nil
}

// day is the recall's day: that of its field, or of pubDate.
func (i item) day(fragment *html.Node) string {
	if day := firstDate(fragment); day != "" {
		return day
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700"} {
		if t, err := time.Parse(layout, strings.TrimSpace(i.Published)); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	return i.Published
}
