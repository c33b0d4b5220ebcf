package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// service is what is asked.
type service struct {
	base   *url.URL
	client *http.Client
}

// answerLimit bounds what is read of an answer, in bytes.
const answerLimit = 16 << 20

// ask sends one request without credentials. The caller closes the body.
func (s *service) ask(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.String()+path, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", path, err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", path, err)
	}
	return response, nil
}

// get asks for a path, demands a status, and reads the JSON into answer unless
// that is nil.
func (s *service) get(ctx context.Context, path string, status int, answer any) (http.Header, error) {
	response, err := s.ask(ctx, path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if response.StatusCode != status {
		return nil, fmt.Errorf("%s answers %d, not %d: %.200s", path, response.StatusCode, status, body)
	}
	if answer != nil {
		if err := json.Unmarshal(body, answer); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	return response.Header, nil
}

// status asks for a path and returns only how it was answered.
func (s *service) status(ctx context.Context, path string) (int, error) {
	response, err := s.ask(ctx, path)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// wait asks until the service is ready: after a rollout the way to it, its name
// and its certificate may take a while.
func (s *service) wait(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		_, err := s.get(ctx, "/api/readyz", http.StatusOK, nil)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s: %w", patience, err)
		case <-again.C:
		}
	}
}
