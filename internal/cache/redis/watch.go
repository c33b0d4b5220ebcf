package redis

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/crownsafe/api/internal/cache"
)

const (
	// beat is how often a subscription that is silent is asked whether it lives; one
	// that says nothing for so many beats is lost, within a second.
	beat        = 300 * time.Millisecond
	silentBeats = 3
	// resubscribeAfter is how long to wait before another subscription is tried.
	resubscribeAfter = 200 * time.Millisecond
	// marksPerMessage bounds a message: a mark may have a kilobyte.
	marksPerMessage = 500
)

func (s *Store) channel() string { return s.prefix + "invalidated" }

// Watch is cache.Watcher's, by publish and subscribe.
func (s *Store) Watch(ctx context.Context, events cache.Events) {
	for ctx.Err() == nil {
		s.listen(ctx, events)
		select {
		case <-ctx.Done():
		case <-time.After(resubscribeAfter):
		}
	}
}

// listen subscribes and tells what comes until the subscription is lost. Messages
// that were sent meanwhile are lost too: Redis keeps none.
func (s *Store) listen(ctx context.Context, events cache.Events) {
	subscription := s.client.Subscribe(ctx, s.channel())
	stop := context.AfterFunc(ctx, func() { _ = subscription.Close() }) // wakes the one that waits
	defer stop()
	defer subscription.Close() //nolint:errcheck // it is lost in any case
	confirmed := false
	defer func() {
		if confirmed {
			events.Listening(false)
		}
	}()
	silent := 0
	for {
		message, err := subscription.ReceiveTimeout(ctx, beat)
		if err != nil {
			silent++
			if !timedOut(err) || silent == silentBeats || subscription.Ping(ctx) != nil {
				return
			}
			continue
		}
		silent = 0
		switch message := message.(type) {
		case *driver.Subscription:
			if confirmed { // the driver has made another connection: what came between is lost
				events.Listening(false)
			}
			confirmed = true
			events.Listening(true)
		case *driver.Message:
			s.tell(events, message.Payload)
		}
	}
}

func timedOut(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}

func (s *Store) tell(events cache.Events, payload string) {
	from, marks, err := decodeMessage(payload)
	if err != nil {
		marks = []cache.Mark{cache.All} // something was invalidated
	}
	if from != s.self {
		events.Invalidated(marks)
	}
}

// A message is a list of texts, each after its length: who sent it, and the
// marks, which may be any bytes.
func encodeMessage(from string, marks []cache.Mark) []byte {
	message := appendText(nil, from)
	for _, mark := range marks {
		message = appendText(message, string(mark))
	}
	return message
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

func decodeMessage(payload string) (from string, marks []cache.Mark, err error) {
	rest := []byte(payload)
	for first := true; first || len(rest) > 0; first = false {
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return "", nil, fmt.Errorf("a message of %d bytes is cut off", len(payload))
		}
		text := string(rest[n:][:length])
		rest = rest[n:][length:]
		if first {
			from = text
		} else {
			marks = append(marks, cache.Mark(text))
		}
	}
	return from, marks, nil
}
