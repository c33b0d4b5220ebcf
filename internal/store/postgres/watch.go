package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// serialChannel is the channel on which whoever commits a serial notifies, with
// the serial as its text.
const serialChannel = "crownsafe_serial"

// How Watch keeps its connection. A connection on which nothing comes for
// listenSilence is tried, and must answer within Options.AnswerTimeout.
const (
	listenSilence = 2 * time.Second
	firstPause    = 100 * time.Millisecond
	longestPause  = 5 * time.Second
)

// Watch implements store.Watcher by LISTEN, on a connection of its own beside the
// pool. Behind a pooler that gives each transaction another session nothing
// comes, and neither from a standby: whoever watches finds changes there by
// looking at Serial.
func (s *Store) Watch(ctx context.Context, changed func()) error {
	watching, done, err := s.lifetime.Use(ctx)
	if err != nil {
		return fmt.Errorf("watching for changes: %w", err)
	}
	defer done()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if s.listen(watching, changed) {
			pause = firstPause
		}
		select {
		case <-watching.Done():
			return s.lifetime.Because(ctx)
		case <-time.After(jittered(pause)):
		}
	}
}

// jittered keeps processes that lost their server together from coming back
// together.
func jittered(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// listen listens until the connection is lost, and reports whether there was one.
// What was wrong with it is of no interest: the next one is tried in any case, and
// Condition tells how the server does.
func (s *Store) listen(ctx context.Context, changed func()) bool {
	conn, err := s.listener(ctx)
	if err != nil {
		return false
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is lost, or not wanted any more
	changed()                                    // whatever was committed while nobody listened
	for {
		err := within(ctx, listenSilence, func(ctx context.Context) error {
			_, err := conn.WaitForNotification(ctx)
			return err
		})
		switch {
		case err == nil:
			changed()
		case ctx.Err() != nil || conn.IsClosed():
			return true
		default:
			if within(ctx, s.opts.AnswerTimeout, conn.Ping) != nil {
				return true
			}
		}
	}
}

func (s *Store) listener(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, s.direct)
	if err != nil {
		return nil, err
	}
	err = within(ctx, s.opts.AnswerTimeout, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, "LISTEN "+serialChannel)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return conn, nil
}

func within(ctx context.Context, d time.Duration, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return do(ctx)
}
