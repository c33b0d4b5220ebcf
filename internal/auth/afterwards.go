package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLetters says that no letter is taken at this moment, whoever it would be for.
// Ask again in a few seconds.
var ErrLetters = errors.New("too many letters are waiting already")

const (
	// afterwardsMost is how many letters may be worked on beside requests.
	afterwardsMost = 64
	// afterwardsLasts bounds the work on one.
	afterwardsLasts = 10 * time.Second
)

// afterwards does something when the request has its answer, so that the answer
// doesn't tell by its time what was found. ErrLetters where that can't be taken on.
func (s *Service) afterwards(ctx context.Context, doing string, do func(ctx context.Context) error) error {
	select {
	case s.later <- struct{}{}:
	default:
		return ErrLetters
	}
	go func() {
		defer func() { <-s.later }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwardsLasts)
		defer cancel()
		if err := do(ctx); err != nil {
			s.logger.ErrorContext(ctx, "a letter that was asked for could not be written", "for", doing, "error", err)
		}
	}()
	return nil
}

// Settle waits, until ctx ends, for the letters that are being written beside
// requests. Nothing may be asked for meanwhile.
func (s *Service) Settle(ctx context.Context) {
	for taken := range cap(s.later) {
		select { // a context that has ended already is no reason while there is nothing to wait for
		case s.later <- struct{}{}:
			defer func() { <-s.later }()
			continue
		default:
		}
		select {
		case s.later <- struct{}{}:
			defer func() { <-s.later }()
		case <-ctx.Done():
			s.logger.Warn("letters that were asked for may not be written before the end", "at most", cap(s.later)-taken)
			return
		}
	}
}

// mayTake refuses what needs a letter while there can be none: alike for every
// address, before anything is known of it.
func (s *Service) mayTake(ctx context.Context) error {
	if s.post == nil {
		return ErrNoMail
	}
	if s.post.Full() {
		return ErrLetters
	}
	// An outage is told as one, and not as a letter that is on its way.
	if _, err := s.store.Users(ctx, "", 1); err != nil {
		return fmt.Errorf("looking whether users can be asked for: %w", err)
	}
	return nil
}
