package agency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// PageAddress returns the address that a page gives as its own: its canonical
// link, or else its og:url; "" when it gives none. It tells what a page is
// after the question for it was forgotten, and where a redirect led.
func PageAddress(page *html.Node) string {
	canonical := HTMLFirst(page, atom.Link, func(n *html.Node) bool {
		return strings.EqualFold(HTMLAttribute(n, "rel"), "canonical")
	})
	if canonical != nil {
		if address := strings.TrimSpace(HTMLAttribute(canonical, "href")); address != "" {
			return address
		}
	}
	return HTMLMeta(page, "og:url")
}

// HTMLMeta returns what a page's <meta> of a name or property says, or "".
func HTMLMeta(page *html.Node, name string) string {
	meta := HTMLFirst(page, atom.Meta, func(n *html.Node) bool {
		return HTMLAttribute(n, "property") == name || HTMLAttribute(n, "name") == name
	})
	if meta == nil {
		return ""
	}
	return strings.TrimSpace(HTMLAttribute(meta, "content"))
}

// Slug returns the last part of a page's address, decoded, as sites without
// numbers name their notices by it; "" when there is none.
func Slug(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	path := strings.Trim(u.Path, "/")
	return strings.ReplaceAll(Clean(path[strings.LastIndexByte(path, '/')+1:]), " ", "-")
}

// WholePage reports that a page was not cut: it ends with its closing tag.
func WholePage(body []byte) bool {
	const tail = 1 << 10 // servers write remarks behind the page
	return bytes.Contains(bytes.ToLower(body[max(0, len(body)-tail):]), []byte("</html"))
}

// Turn tells which of a site's parts is up at a time, so that polls that know
// nothing of one another go through all of them in parts × interval.
func Turn(now time.Time, interval time.Duration, parts int) int {
	if parts < 1 || interval <= 0 {
		return 0
	}
	return int(now.Unix() / int64(interval/time.Second) % int64(parts))
}

// PageLog remembers, for as long as the process runs, what a list said of a
// page when the page was last fetched. Its zero value is ready for use, by
// several at a time.
type PageLog struct {
	mu     sync.Mutex
	states map[string]string
}

// Has reports that a page was fetched when its list said the same of it.
func (l *PageLog) Has(address, state string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	have, ok := l.states[address]
	return ok && have == state
}

// Add remembers that a page was fetched.
func (l *PageLog) Add(address, state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = map[string]string{}
	}
	l.states[address] = state
}

// ListedPage is a notice's page that a list of the site names.
type ListedPage struct {
	URL string
	// State is what the list says of the notice: the page is fetched again when
	// that has changed.
	State string
}

// PageWalk fetches notices' pages one at a time and hands over those that are
// the agency's.
type PageWalk struct {
	Client  *Client
	Agency  Agency
	Log     *PageLog
	Deliver func(Payload) error
	Left    int // how many pages may be asked for yet
}

// Changed fetches the pages whose state is not in the log yet, as many as are left.
func (w *PageWalk) Changed(ctx context.Context, pages []ListedPage) error {
	for _, p := range pages {
		if w.Log.Has(p.URL, p.State) {
			continue
		}
		if err := w.fetch(ctx, p); err != nil || w.Left <= 0 {
			return err
		}
	}
	return nil
}

// All fetches the pages whatever the log says, as many as are left.
func (w *PageWalk) All(ctx context.Context, pages []ListedPage) error {
	for _, p := range pages {
		if err := w.fetch(ctx, p); err != nil || w.Left <= 0 {
			return err
		}
	}
	return nil
}

// fetch fetches a page. One that is gone, or that leads to another authority's
// site, is no fault; any other refusal ends the walk, because the next page
// would be refused as well.
func (w *PageWalk) fetch(ctx context.Context, p ListedPage) error {
	if w.Left <= 0 {
		return nil
	}
	w.Left--
	answer, err := w.Client.Get(ctx, p.URL)
	if status, ok := errors.AsType[*StatusError](err); ok && (status.Status == http.StatusNotFound || status.Status == http.StatusGone) {
		w.Log.Add(p.URL, p.State)
		return nil
	}
	if err != nil {
		return fmt.Errorf("fetching the notice's page: %w", err)
	}
	if !WholePage(answer.Body) {
		return fmt.Errorf("%w: %s has no closing tag", ErrTruncated, p.URL)
	}
	if w.Agency.Recognise("", answer.Body[:min(len(answer.Body), RecogniseBytes)]).Kind == Notices {
		if err := w.Deliver(answer.Payload(false)); err != nil {
			return err
		}
	} else if err := w.foreign(answer); err != nil {
		return err
	}
	w.Log.Add(p.URL, p.State)
	return nil
}

// foreign returns no error for a page that says to be another site's.
func (w *PageWalk) foreign(answer Answer) error {
	page, err := ParseHTML(bytes.NewReader(answer.Body))
	if err != nil {
		return err
	}
	asked, err := url.Parse(answer.URL)
	if err != nil {
		return fmt.Errorf("reading the address %q: %w", answer.URL, err)
	}
	own, err := url.Parse(PageAddress(page))
	if err == nil && own.Host != "" && own.Host != asked.Host {
		return nil
	}
	said, _ := Apology(answer.Body)
	if said == "" {
		said = "something that is no notice's page"
	}
	return &AnswerError{Agency: w.Agency.Describe().Code, URL: answer.URL, Said: said}
}
