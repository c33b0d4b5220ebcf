package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// listenersAtOnce is how many pages are kept up to date at the same time.
	listenersAtOnce = 16
	// streamEvery is how often a page gets what has changed.
	streamEvery = 2 * time.Second
	// heartbeatAfter is how long a stream is silent at most: proxies close what is
	// silent for long.
	heartbeatAfter = 14 * time.Second
	// writeWithin is how long a listener may take to take something in.
	writeWithin = 10 * time.Second
	// returnAfter is how long a browser waits before it comes back to a stream that
	// ended.
	returnAfter = 2 * time.Second
)

// streamOps serves /ops/events: the sections of the operators' page as server-sent
// events (HTML Living Standard, section 9.2), those that changed, until the
// listener goes or the process begins to drain. The caller has lifted the server's
// bounds on the time of an answer.
func (s *Site) streamOps(w http.ResponseWriter, r *http.Request) {
	select {
	case s.listening <- struct{}{}:
		defer func() { <-s.listening }()
	default:
		w.Header().Set("Retry-After", "30")
		s.Error(w, r, http.StatusServiceUnavailable, "")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	out := stream{w, http.NewResponseController(w)}
	if out.write(fmt.Sprintf("retry: %d\n\n", returnAfter.Milliseconds())) != nil {
		return
	}
	sent := map[string]string{}
	tick := time.NewTicker(streamEvery)
	defer tick.Stop()
	for spoke := time.Now(); ; {
		changed := map[string]string{}
		for _, section := range s.opsNow() {
			if body := string(section.Body); sent[section.ID] != body {
				changed[section.ID], sent[section.ID] = body, body
			}
		}
		var err error
		switch {
		case len(changed) > 0:
			err, spoke = out.event("sections", changed), time.Now()
		case time.Since(spoke) >= heartbeatAfter:
			err, spoke = out.write(":\n\n"), time.Now()
		}
		if err != nil {
			return // the listener is gone
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.Ending:
			return
		}
	}
}

// stream writes events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// event sends a value as one line of JSON.
func (s stream) event(name string, value any) error {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // it goes into no page as it stands
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encoding the event %s: %w", name, err)
	}
	return s.write("event: " + name + "\ndata: " + data.String() + "\n") // the first line end is the encoder's
}

func (s stream) write(text string) error {
	// A connection without deadlines goes on without.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
