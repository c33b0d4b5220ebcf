package mbie

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
)

const (
	listed = 12 // recalls on a page of the list
	// partsPerPoll is how many further pages of the list a poll goes through:
	// all 135 of them in three days.
	partsPerPoll = 2
	// pagesPerPoll bounds how many notices' pages one poll asks for.
	pagesPerPoll = 40
)

// Fetch asks for the first page of the list, which has the newest recalls, and
// for the pages of those of which it tells something new; and for all notices of
// two further pages of the list. Which ones goes by the clock, so that all of
// them are read, and read again for edits, in three days, however often the
// program is started anew.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	walk := &agency.PageWalk{Client: client, Agency: a, Log: &a.pages, Deliver: deliver, Left: pagesPerPoll}
	first, err := a.askList(ctx, client, 0)
	if err != nil {
		return fmt.Errorf("reading the newest recalls: %w", err)
	}
	if err := walk.Changed(ctx, first.pages); err != nil {
		return fmt.Errorf("reading the newest recalls: %w", err)
	}
	for _, part := range partsUp(first, since) {
		if walk.Left <= 0 {
			return nil
		}
		list, err := a.askList(ctx, client, part*listed)
		if err == nil {
			err = walk.All(ctx, list.pages)
		}
		if err != nil {
			return fmt.Errorf("reading the recalls from the %d. on: %w", part*listed+1, err)
		}
	}
	return nil
}

// partsUp returns the pages of the list, from 1, whose turn it is.
func partsUp(first list, since agency.Since) []int {
	last := (first.total - 1) / listed // the first page is read by every poll
	if last < 1 {
		return nil
	}
	turns := (last + partsPerPoll - 1) / partsPerPoll
	start := 1 + partsPerPoll*agency.Turn(since.Now, interval, turns)
	var parts []int
	for part := start; part < start+partsPerPoll && part <= last; part++ {
		parts = append(parts, part)
	}
	return parts
}

// list is one page of the list.
type list struct {
	pages []agency.ListedPage
	total int // recalls in the whole list
}

var found = regexp.MustCompile(`(?i)\bfound ([\d,]+) results?\b`)

// askList asks for a page of the list, archived recalls included, and makes sure
// that it is one.
func (a *Agency) askList(ctx context.Context, client *agency.Client, start int) (list, error) {
	query := url.Values{"resolved": {"1"}}
	if start > 0 {
		query.Set("start", strconv.Itoa(start))
	}
	address := a.baseURL + "/recalls?" + query.Encode()
	answer, err := client.Get(ctx, address)
	if err != nil {
		return list{}, err
	}
	root, err := agency.ParseHTML(bytes.NewReader(answer.Body))
	if err != nil {
		return list{}, err
	}
	l := a.readList(root)
	if len(l.pages) == 0 {
		said, _ := agency.Apology(answer.Body)
		if said == "" {
			said = "it lists no recalls"
		}
		return list{}, &agency.AnswerError{Agency: Code, URL: address, Said: said}
	}
	return l, nil
}

// readList reads the cards of a page of the list.
func (a *Agency) readList(root *html.Node) list {
	var l list
	if m := found.FindStringSubmatch(agency.HTMLText(root)); m != nil {
		l.total, _ = strconv.Atoi(strings.ReplaceAll(m[1], ",", "")) // digits always parse
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.DataAtom != atom.Article {
			continue
		}
		for _, link := range agency.HTMLLinks(n) {
			if page, ok := a.pageAt(link); ok {
				page.State = agency.HTMLText(n)
				if !slices.Contains(l.pages, page) {
					l.pages = append(l.pages, page)
				}
			}
		}
	}
	return l
}

// pageAt makes the address to ask a notice's page from, which is the site's own
// unless a mirror is asked.
func (a *Agency) pageAt(link string) (agency.ListedPage, bool) {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil {
		return agency.ListedPage{}, false
	}
	if u.Host == "" {
		u.Host = host
	}
	if _, ok := nativeID("https://" + u.Host + u.EscapedPath()); !ok {
		return agency.ListedPage{}, false
	}
	return agency.ListedPage{URL: a.baseURL + u.EscapedPath()}, true
}
