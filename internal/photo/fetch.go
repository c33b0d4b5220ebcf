package photo

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/crownsafe/api/internal/egress"
)

// fetch asks an agency for a picture. It returns nothing that isn't one.
func (m *Mirror) fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, m.options.fetch)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if err := egress.CheckAddress(request.URL); err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", m.options.UserAgent)
	request.Header.Set("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif")
	response, err := m.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	if response.ContentLength > MaxBytes {
		return nil, fmt.Errorf("the answer has %d bytes, more than %d", response.ContentLength, MaxBytes)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer after %d bytes: %w", len(body), err)
	case len(body) > MaxBytes:
		return nil, fmt.Errorf("the answer has more than %d bytes", MaxBytes)
	case typeOf(body) == "":
		return nil, fmt.Errorf("the answer is no picture of a kind that is shown, but %.40q", http.DetectContentType(body))
	}
	return body, nil
}
