package accc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crownsafe/api/internal/agency"
)

const (
	feedPath     = "/rss/feed.xml/psa_recall"
	registerPath = "/views/ajax"
	// pagesPerPoll bounds how many pages one poll asks for. The site locked out
	// a reader of some thousands in a row.
	pagesPerPoll = 60
	// listed is how many recalls one answer of the register lists; a month has
	// 20 to 40.
	listed    = 100
	firstYear = 1986 // of the register
)

// topics are the register's top-level topics by their numbers, what children use
// first. Each has a feed of its own of the newest hundred.
var topics = []int{10001, 10067, 10118, 10044, 10035, 10030, 10060, 10104, 10110, 10024, 10087, 10017, 10043, 10042, 40159}

// Fetch asks for the feed and then for the pages of those of its recalls that it
// tells something new of, and for all pages of one month of the register. Which
// month goes by the clock, so that all of them are read, and read again for
// edits, in some twenty days, however often the program is started anew. Before the
// first success the feeds of all topics are handed over too: some 1,500 recalls
// that are to be found until their pages were read.
func (a *Agency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	var untaken error // what the taker of payloads could not take
	take := func(p agency.Payload) error {
		untaken = deliver(p)
		return untaken
	}
	walk := &agency.PageWalk{Client: client, Agency: a, Log: &a.pages, Deliver: take, Left: pagesPerPoll}
	if since.LastSuccess.IsZero() {
		if err := a.deliverFeeds(ctx, client, take); err != nil {
			return err
		}
	}
	feed, err := a.askFeed(ctx, client, a.baseURL+feedPath)
	if err == nil {
		err = walk.Changed(ctx, feed.pages)
	}
	if err != nil {
		err = fmt.Errorf("reading the newest recalls: %w", err)
	}
	if untaken != nil || refused(err) || walk.Left <= 0 {
		return err
	}
	return errors.Join(err, a.fetchMonth(ctx, client, since.Now, walk))
}

// refused tells whether the site as a whole wants no more questions now.
func refused(err error) bool {
	if status, ok := errors.AsType[*agency.StatusError](err); ok {
		return status.Status == http.StatusForbidden || status.Status == http.StatusTooManyRequests
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// deliverFeeds hands over the feeds of all topics, once for each.
func (a *Agency) deliverFeeds(ctx context.Context, client *agency.Client, deliver func(agency.Payload) error) error {
	for _, topic := range topics {
		address := a.baseURL + feedPath + "?" + url.Values{"f[0]": {"topic:" + strconv.Itoa(topic)}}.Encode()
		if a.fed.Has(address, "") {
			continue
		}
		feed, err := a.askFeed(ctx, client, address)
		if err != nil {
			return fmt.Errorf("reading the newest recalls of topic %d: %w", topic, err)
		}
		if len(feed.pages) > 0 {
			if err := deliver(feed.payload); err != nil {
				return err
			}
		}
		a.fed.Add(address, "")
	}
	return nil
}

// feed is one answer of the feed.
type feed struct {
	payload agency.Payload
	pages   []agency.ListedPage
}

// askFeed asks for a feed and makes sure that the answer is one, and whole.
func (a *Agency) askFeed(ctx context.Context, client *agency.Client, address string) (feed, error) {
	answer, err := client.Get(ctx, address)
	if err != nil {
		return feed{}, err
	}
	f := feed{payload: answer.Payload(false)}
	if said, is := agency.Apology(answer.Body); is {
		return feed{}, &agency.AnswerError{Agency: Code, URL: address, Said: said}
	}
	if a.Recognise("", answer.Body[:min(len(answer.Body), agency.RecogniseBytes)]).Kind == agency.NotMine {
		return feed{}, &agency.AnswerError{Agency: Code, URL: address, Said: "no feed of recalls"}
	}
	err = eachItem(bytes.NewReader(answer.Body), func(_ int, i item) error {
		if page, ok := a.pageAt(i.Link); ok {
			page.State = agency.HashOf(i)
			f.pages = append(f.pages, page)
		}
		return nil
	})
	if err != nil {
		return feed{}, fmt.Errorf("%s: %w", address, err)
	}
	return f, nil
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
	if _, ok := nativeID("https://"+u.Host+u.EscapedPath(), true); !ok {
		return agency.ListedPage{}, false
	}
	return agency.ListedPage{URL: a.baseURL + u.EscapedPath()}, true
}

// fetchMonth fetches the pages of the month of the register whose turn it is.
// They are fetched whatever was read before: an edit moves no date.
func (a *Agency) fetchMonth(ctx context.Context, client *agency.Client, now time.Time, walk *agency.PageWalk) error {
	from, to := monthUp(now)
	pages, err := a.askRegister(ctx, client, from, to)
	if err != nil {
		return fmt.Errorf("reading the register of %s: %w", from.Format("January 2006"), err)
	}
	if err := walk.All(ctx, pages); err != nil {
		return fmt.Errorf("reading the recalls of %s: %w", from.Format("January 2006"), err)
	}
	return nil
}

// monthUp returns the first and the last day of the month whose turn it is.
func monthUp(now time.Time) (from, to time.Time) {
	now = now.UTC()
	months := (now.Year()-firstYear)*12 + int(now.Month())
	// The newest month first: a year's recalls are asked for more often than old ones.
	n := months - 1 - agency.Turn(now, interval, months)
	from = time.Date(firstYear, time.Month(1+n), 1, 0, 0, 0, 0, time.UTC)
	return from, from.AddDate(0, 1, -1)
}

// askRegister lists the recalls that were published between two days. The page
// at /recalls comes without them: its scripts ask the same question. Without
// layout the answer is an empty frame, without the header it is wrapped in a
// form, and page counts only in the address.
func (a *Agency) askRegister(ctx context.Context, client *agency.Client, from, to time.Time) ([]agency.ListedPage, error) {
	query := url.Values{"_wrapper_format": {"drupal_ajax"}, "page": {"0"}}
	form := url.Values{
		"view_name": {"psa_listing_search"}, "view_display_id": {"listing_search_date_range_filter"}, "view_args": {"psa_recall"},
		"view_path": {"/node/196"}, "view_base_path": {"rss/feed.xml"}, "view_dom_id": {"recalls"}, "pager_element": {"0"},
		"layout": {"full_width"}, "items_per_page": {strconv.Itoa(listed)}, "sort_by": {"accc_published_date"},
		"accc_published_date[min]": {from.Format(time.DateOnly)}, "accc_published_date[max]": {to.Format(time.DateOnly)},
		"_wrapper_format": {"drupal_ajax"},
	}
	address := a.baseURL + registerPath + "?" + query.Encode()
	answer, err := client.Post(ctx, address, "application/x-www-form-urlencoded; charset=UTF-8", []byte(form.Encode()),
		http.Header{"X-Requested-With": {"XMLHttpRequest"}})
	if err != nil {
		return nil, err
	}
	if said, is := agency.Apology(answer.Body); is {
		return nil, &agency.AnswerError{Agency: Code, URL: address, Said: said}
	}
	pages, err := a.readRegister(answer.Body)
	if err != nil {
		return nil, &agency.AnswerError{Agency: Code, URL: address, Said: err.Error()}
	}
	return pages, nil
}

// readRegister reads the pages that an answer of the register names: a list of
// commands to the site's scripts, with pieces of HTML in them.
func (a *Agency) readRegister(body []byte) ([]agency.ListedPage, error) {
	var commands []struct {
		Data any `json:"data"`
	}
	if err := json.Unmarshal(body, &commands); err != nil {
		return nil, fmt.Errorf("reading the commands: %w", err)
	}
	var pages []agency.ListedPage
	empty := false
	for _, c := range commands {
		piece, ok := c.Data.(string)
		if !ok {
			continue
		}
		root, err := agency.ParseHTML(strings.NewReader(piece))
		if err != nil {
			return nil, err
		}
		empty = empty || strings.Contains(piece, "view-empty")
		for _, link := range cardLinks(root) {
			page, ok := a.pageAt(link)
			if ok && !slices.Contains(pages, page) {
				pages = append(pages, page)
			}
		}
	}
	if len(pages) == 0 && !empty {
		return nil, errNoCards
	}
	return pages, nil
}

// errNoCards says that an answer of the register lists nothing although it is
// not empty.
var errNoCards = errors.New("it lists no recalls, and does not say that there are none")

// cardLinks returns the links that lead to a notice: those of headings, or any
// into the notices' folder.
func cardLinks(root *html.Node) []string {
	links := slices.DeleteFunc(agency.HTMLLinks(root), func(link string) bool {
		return !strings.Contains(link, "/"+recallFolder+"/")
	})
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.DataAtom == atom.H2 || n.DataAtom == atom.H3) {
			links = append(links, agency.HTMLLinks(n)...)
		}
	}
	return links
}
