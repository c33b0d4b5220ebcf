package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// notice is what requests are made of; see the contract's Notice.
type notice struct {
	ID        string    `json:"id"`
	Agency    string    `json:"agency"`
	Status    string    `json:"status"`
	Countries []string  `json:"countries"`
	Products  []product `json:"products"`
}

type product struct {
	Name   string   `json:"name"`
	Brand  string   `json:"brand"`
	Models []string `json:"models"`
	GTINs  []struct {
		GTIN    string `json:"gtin"`
		Printed string `json:"printed"`
	} `json:"gtins"`
	Units []struct {
		Kind   string `json:"kind"`
		From   string `json:"from"`
		Except bool   `json:"except"`
	} `json:"units"`
}

// drawn is what was drawn from the catalogue of the target.
type drawn struct {
	random  *rand.Rand
	notices []notice
}

// How much is drawn: stretches of the changes feed that lie evenly between the
// first serial and the last, so that old notices and new ones are among them. It
// is few enough calls for the limit on those who show no key.
const (
	stretches = 10
	stretch   = 200
	mostDrawn = 2000 // requests of one endpoint
	batchSize = 20
)

// draw asks the target for notices.
func (t *Test) draw(ctx context.Context, d *drawn) error {
	d.random = rand.New(rand.NewPCG(t.plan.Seed, 0))
	plain := t.heads.of(forAnybody, false)
	feed := func(since int64, limit int) (http.Header, []notice, error) {
		header, body, err := t.get(ctx, t.at(fmt.Sprintf("/api/v1/changes?since=%d&limit=%d", since, limit)), plain)
		if err != nil {
			return nil, nil, fmt.Errorf("drawing from the catalogue: %w", err)
		}
		var page struct {
			Items []struct {
				Notice *notice `json:"notice"`
			} `json:"items"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, nil, fmt.Errorf("reading the changes feed of the target: %w", err)
		}
		var list []notice
		for _, item := range page.Items {
			if item.Notice != nil && item.Notice.Status == "active" {
				list = append(list, *item.Notice)
			}
		}
		return header, list, nil
	}
	header, _, err := feed(0, 1)
	if err != nil {
		return err
	}
	serial, err := strconv.ParseInt(header.Get("Crown-Safe-Serial"), 10, 64)
	if err != nil {
		return errors.New("the target's changes feed says no serial: is it a Crown Safe?")
	}
	t.noteLimit(header)
	seen := map[string]bool{}
	for i := range int64(stretches) {
		_, list, err := feed(i*serial/stretches, stretch)
		if err != nil {
			return err
		}
		for _, n := range list {
			if !seen[n.ID] {
				seen[n.ID] = true
				d.notices = append(d.notices, n)
			}
		}
	}
	// What is popular has nothing to do with when it was recalled.
	d.random.Shuffle(len(d.notices), func(i, j int) { d.notices[i], d.notices[j] = d.notices[j], d.notices[i] })
	return nil
}

// noteLimit says beforehand that the target limits how often this caller may ask.
func (t *Test) noteLimit(h http.Header) {
	policy := h.Get("RateLimit-Policy") // "name";q=120;w=60
	if policy == "" {
		return
	}
	note := fmt.Sprintf("the target limits how often this caller may ask (%s): what goes beyond is answered 429 and counted as failures; ", policy)
	if t.plan.APIKey == "" {
		note += "show a key by CROWNSAFE_API_KEY, or start the server with CROWNSAFE_RATE_LIMIT=off"
	} else {
		note += "start the server with CROWNSAFE_RATE_LIMIT=off to find out what it can do"
	}
	t.notes = append(t.notes, note)
}

// get asks once and returns the header and the body of the answer, if it is 200.
func (t *Test) get(ctx context.Context, at *url.URL, h http.Header) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, t.plan.Timeout)
	defer cancel()
	r := (&http.Request{Method: http.MethodGet, URL: at, Header: h}).WithContext(ctx)
	response, err := t.client.Do(r)
	if err != nil {
		return nil, nil, fmt.Errorf("asking the target: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer to %s: %w", at.Path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s is answered %d %s", at.Path, response.StatusCode, causeOf(response.StatusCode, body))
	}
	return response.Header, body, nil
}

// reading makes a request that only reads.
func reading(path string, query url.Values) request {
	return request{method: http.MethodGet, url: &url.URL{Path: path, RawQuery: query.Encode()}}
}

// noMatch is how an answer begins that a barcode which a notice prints never gets.
const noMatch = `{"verdict":"no_match"`

// barcodes asks for printed barcodes, every third one with a lot that the notice
// names where it names one.
func (d *drawn) barcodes() (list []request) {
	for p := range d.products() {
		for i, g := range p.GTINs {
			if len(digits(g.Printed)) == 11 {
				continue // one of two readings, neither of which proves anything
			}
			query := url.Values{"code": {g.GTIN}}
			if lot := p.lot(); lot != "" && i%3 == 0 {
				query.Set("lot", lot)
			}
			r := reading("/api/barcode", query)
			r.never = noMatch
			if list = append(list, r); len(list) == mostDrawn {
				return list
			}
		}
	}
	return list
}

// unit is a product as somebody describes it who holds it.
func (p *product) unit() map[string]string {
	u := map[string]string{"name": p.Name}
	if p.Brand != "" {
		u["brand"] = p.Brand
	}
	if len(p.Models) > 0 && !strings.Contains(p.Models[0], "*") {
		u["model"] = p.Models[0]
	}
	if lot := p.lot(); lot != "" {
		u["lot"] = lot
	}
	return u
}

// lot is a lot that the notice says is covered, or "".
func (p *product) lot() string {
	for _, u := range p.Units {
		if u.Kind == "lot" && u.From != "" && !u.Except {
			return u.From
		}
	}
	return ""
}

// verdicts asks for units by what is printed on them.
func (d *drawn) verdicts() (list []request) {
	for p := range d.products() {
		if list = append(list, posting("/api/v1/verdict", p.unit())); len(list) == mostDrawn {
			break
		}
	}
	return list
}

// batches asks for lists of units, half of them by barcode where there is one.
func (d *drawn) batches() (list []request) {
	var units []map[string]string
	for p := range d.products() {
		if len(p.GTINs) > 0 && len(units)%2 == 0 {
			units = append(units, map[string]string{"gtin": p.GTINs[0].GTIN})
		} else {
			units = append(units, p.unit())
		}
		if len(units) == batchSize {
			list = append(list, posting("/api/v1/verdict/batch", map[string]any{"units": units}))
			units = nil
		}
	}
	if len(list) == 0 && len(units) > 0 {
		list = append(list, posting("/api/v1/verdict/batch", map[string]any{"units": units}))
	}
	return list
}

func posting(path string, body any) request {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("loadtest: encoding a body: %v", err)) // strings only
	}
	return request{method: http.MethodPost, url: &url.URL{Path: path}, body: text}
}

// searches asks for brands with a word or two of what the product is.
func (d *drawn) searches() (list []request) {
	for p := range d.products() {
		words := strings.Fields(p.Name)
		first := d.random.IntN(len(words))
		query := strings.TrimSpace(p.Brand + " " + strings.Join(words[first:min(len(words), first+2)], " "))
		if list = append(list, reading("/api/recalls", url.Values{"q": {query}})); len(list) == mostDrawn {
			break
		}
	}
	return list
}

// lists asks for the newest notices: all of them most of the time, or an agency's,
// a country's, or those for small children, with or without counts to filter by.
func (d *drawn) lists() []request {
	if len(d.notices) == 0 {
		return nil
	}
	filters := []url.Values{{}, {"audience": {"infant"}}}
	for _, n := range d.notices {
		filters = append(filters, url.Values{"agency": {n.Agency}})
		for _, country := range n.Countries {
			filters = append(filters, url.Values{"country": {country}})
		}
	}
	var list []request
	seen := map[string]bool{}
	for _, f := range filters {
		for _, more := range []string{"limit=20", "limit=20&facets=category&facets=hazard", "limit=50"} {
			r := reading("/api/recalls", f)
			r.url.RawQuery = strings.TrimPrefix(r.url.RawQuery+"&"+more, "&")
			if !seen[r.url.RawQuery] {
				seen[r.url.RawQuery] = true
				list = append(list, r)
			}
		}
	}
	return list
}

// products yields the products of the notices that have a name.
func (d *drawn) products() func(yield func(*product) bool) {
	return func(yield func(*product) bool) {
		for i := range d.notices {
			for j := range d.notices[i].Products {
				p := &d.notices[i].Products[j]
				if len(strings.Fields(p.Name)) > 0 && len(p.Name) <= 200 && !yield(p) {
					return
				}
			}
		}
	}
}

func digits(s string) []byte {
	return slices.DeleteFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' })
}
