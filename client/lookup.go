package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

const (
	maxBatch   = 1000
	maxPicture = 10 << 20
)

// Verdict asks about one unit.
func (c *Client) Verdict(ctx context.Context, u Unit) (*Verdict, error) {
	k, err := post("/api/v1/verdict", u)
	if err != nil {
		return nil, err
	}
	k.repeatable = true // it changes nothing
	return ask[Verdict](ctx, c, k)
}

// Barcode asks by a code in any printed form, or as a scanner read it. Of unit only
// Lot, Serial and Model count. A code that can't be one product for certain is a
// [*Problem] with Suggestions.
func (c *Client) Barcode(ctx context.Context, code string, unit Unit) (*Verdict, error) {
	q := url.Values{"code": {code}}
	for name, value := range map[string]string{"lot": unit.Lot, "serial": unit.Serial, "model": unit.Model} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return ask[Verdict](ctx, c, get("/api/v1/barcode", q))
}

// Answer is one unit's of a batch: a verdict, or why there is none.
type Answer struct {
	Verdict *Verdict
	Err     error // a [*Problem] about this unit alone
}

// answer reads either form of a batch's items.
type answer struct{ Answer }

func (a *answer) UnmarshalJSON(raw []byte) error {
	var failed struct {
		Error *Problem `json:"error"`
	}
	if err := json.Unmarshal(raw, &failed); err != nil {
		return fmt.Errorf("an item of a batch: %w", err)
	}
	if failed.Error != nil {
		a.Err = failed.Error
		return nil
	}
	a.Verdict = new(Verdict)
	return a.Verdict.UnmarshalJSON(raw)
}

// Batch asks about many units, in parts of at most 1,000, and returns as many answers in
// the same order. An error is about all of them: then there are no answers.
func (c *Client) Batch(ctx context.Context, units []Unit) ([]Answer, error) {
	answers := make([]Answer, 0, len(units))
	for part := range slices.Chunk(units, maxBatch) {
		k, err := post("/api/v1/verdict/batch", map[string][]Unit{"units": part})
		if err != nil {
			return nil, err
		}
		k.repeatable = true // it changes nothing
		items, err := ask[struct{ Items []answer }](ctx, c, k)
		if err != nil {
			return nil, err
		}
		if len(items.Items) != len(part) {
			return nil, fmt.Errorf("crownsafe: %w: %d units were asked about and %d answered", ErrNoAnswer, len(part), len(items.Items))
		}
		for _, a := range items.Items {
			answers = append(answers, a.Answer)
		}
	}
	return answers, nil
}

// Photo asks about the codes in a photograph: a JPEG, PNG or WebP of at most 10 MiB.
// No verdicts means that no code could be read for certain, and nothing else.
func (c *Client) Photo(ctx context.Context, picture io.Reader) ([]Verdict, error) {
	raw, err := io.ReadAll(io.LimitReader(picture, maxPicture+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("crownsafe: reading the picture: %w", err)
	case len(raw) > maxPicture:
		return nil, fmt.Errorf("crownsafe: the picture is larger than %d bytes", maxPicture)
	case len(raw) == 0:
		return nil, fmt.Errorf("crownsafe: the picture is empty")
	}
	k := &call{method: http.MethodPost, path: "/api/v1/barcode/image", contentType: http.DetectContentType(raw), body: raw, repeatable: true}
	found, err := ask[struct{ Items *[]Verdict }](ctx, c, k)
	if err != nil {
		return nil, err
	}
	if found.Items == nil {
		return nil, fmt.Errorf("crownsafe: %w: it holds no items", ErrNoAnswer)
	}
	return *found.Items, nil
}
