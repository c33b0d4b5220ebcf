package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer; the largest, a thousand changes,
	// are a few megabytes.
	maxAnswer = 64 << 20
	// firstWait is the longest before the second attempt; each further one may be
	// twice as long.
	firstWait = 250 * time.Millisecond
)

// ErrNoAnswer means that something answered 200, and not with what the server says:
// the page of a proxy or of a hotel's network, or half an answer.
var ErrNoAnswer = errors.New("this is no answer of a Crown Safe server")

func bodyOf(raw []byte) io.Reader {
	if raw == nil {
		return http.NoBody
	}
	return bytes.NewReader(raw)
}

// post is a call with a JSON body.
func post(path string, body any) (*call, error) { return sending(http.MethodPost, path, body) }

func sending(method, path string, body any) (*call, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("crownsafe: encoding what is sent to %s: %w", path, err)
	}
	return &call{method: method, path: path, contentType: "application/json", body: raw}, nil
}

// ask sends a call, again where that may help, and decodes the answer into a T.
func ask[T any](ctx context.Context, c *Client, k *call) (*T, error) {
	raw, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	answer := new(T)
	if err := json.Unmarshal(raw, answer); err != nil {
		return nil, fmt.Errorf("crownsafe: %s %s: %w: %w", k.method, k.path, ErrNoAnswer, err)
	}
	if w, is := any(answer).(interface{ whole() bool }); is && !w.whole() {
		return nil, fmt.Errorf("crownsafe: %s %s: %w: what it should hold is missing", k.method, k.path, ErrNoAnswer)
	}
	return answer, nil
}

// Some answers would read as an empty catalogue, or as good health, where there is
// none: they are held to what the server always sends.
func (p *RecallPage) whole() bool     { return p.Items != nil }
func (f *ChangeFeed) whole() bool     { return f.Items != nil }
func (p *QuarantinePage) whole() bool { return p.Items != nil }
func (n *Notice) whole() bool         { return n.ID != "" }
func (h *Health) whole() bool         { return h.Status != "" }
func (d *Dashboard) whole() bool      { return d.Subsystems.Database.Status != "" }
func (r *SecurityReport) whole() bool { return r.Checks != nil }
func (s *SignedIn) whole() bool       { return s.AccessToken != "" }
func (k *NewKey) whole() bool         { return k.Secret != "" }
func (u *User) whole() bool           { return u.ID != "" }

// send returns the body of the answer to a call.
func (c *Client) send(ctx context.Context, k *call) ([]byte, error) {
	var raw []byte
	err := c.repeat(ctx, k, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
		defer cancel()
		resp, err := c.attempt(ctx, k)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		raw, err = body(resp)
		return err
	})
	return raw, err
}

// attempt sends a call once. An answer that is no success is an error.
func (c *Client) attempt(ctx context.Context, k *call) (*http.Response, error) {
	req, err := c.request(ctx, k)
	if err != nil {
		return nil, &final{err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("crownsafe: %w", err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readProblem(resp)
}

// body reads a JSON answer whole; that of a 204 is nil.
func body(resp *http.Response) ([]byte, error) {
	if resp.StatusCode == http.StatusNoContent {
		return nil, nil
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/json" {
		return nil, &final{fmt.Errorf("crownsafe: %w: it is of type %q", ErrNoAnswer, kind)}
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("crownsafe: reading the answer: %w", err)
	case len(raw) > maxAnswer:
		return nil, &final{fmt.Errorf("crownsafe: %w: it is larger than %d bytes", ErrNoAnswer, maxAnswer)}
	}
	return raw, nil
}

// final is an error that another attempt wouldn't mend.
type final struct{ err error }

func (f *final) Error() string { return f.err.Error() }
func (f *final) Unwrap() error { return f.err }

// repeat does something until it succeeds, or fails in a way that stays, or was done
// often enough.
func (c *Client) repeat(ctx context.Context, k *call, attempt func(ctx context.Context) error) error {
	for n := 1; ; n++ {
		err := attempt(ctx)
		if err == nil || !k.repeatable || n >= c.o.Attempts || !mayPass(err, k) || ctx.Err() != nil {
			return err
		}
		wait := backoff(n)
		if p, ok := errors.AsType[*Problem](err); ok && p.RetryAfter > 0 {
			wait = p.RetryAfter
		}
		wait = wait.Round(time.Millisecond)
		if deadline, ok := ctx.Deadline(); wait > c.o.MaxWait || ok && time.Until(deadline) < wait {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		case <-timer.C:
		}
	}
}

// backoff is anything up to a bound that doubles ("full jitter"), so that many clients
// that failed together don't come again together.
func backoff(attempt int) time.Duration {
	return rand.N(firstWait<<min(attempt-1, 10)) + time.Millisecond
}

// mayPass reports whether an error may be gone in a while.
func mayPass(err error, k *call) bool {
	if _, is := errors.AsType[*final](err); is {
		return false
	}
	p, refused := errors.AsType[*Problem](err)
	if !refused {
		return true // nobody answered
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return p.Code != "mail_unavailable"
	case http.StatusConflict:
		return k.once != "" && p.Code == "in_progress"
	}
	return false
}

// retryAfter reads the header of that name: seconds, or a time (RFC 9110, 10.2.3).
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
