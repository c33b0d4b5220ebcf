package traffic

import (
	"context"
	"log/slog"
	"time"
)

// keptFaults is how many faults are remembered.
const keptFaults = 100

// Fault is something that went wrong on our side: an answer with a status from 500
// on, or an error in the log.
type Fault struct {
	At      time.Time
	Status  int    // of the answer; 0: it is from the log
	Route   string // of the answer
	Code    string // of the answer's problem
	Message string // of the log: the line's fixed words, without its attributes
	TraceID string
}

func (r *Recorder) note(f Fault) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.faults[r.next] = f
	r.next = (r.next + 1) % keptFaults
	r.noted = min(r.noted+1, keptFaults)
}

// Faults returns the newest faults, the newest first.
func (r *Recorder) Faults(limit int) []Fault {
	r.lock.Lock()
	defer r.lock.Unlock()
	list := make([]Fault, min(limit, r.noted))
	for i := range list {
		list[i] = r.faults[(r.next-1-i+keptFaults)%keptFaults]
	}
	return list
}

// AccessMessage is the message of the log's lines on requests, which Answered is
// told of already.
const AccessMessage = "request"

// Logged returns a handler that passes every line on to next, and keeps the
// errors among them. Lines have their trace in the attribute traceKey when they
// come here.
func (r *Recorder) Logged(next slog.Handler, traceKey string) slog.Handler {
	return logged{Handler: next, recorder: r, traceKey: traceKey}
}

type logged struct {
	slog.Handler
	recorder *Recorder
	traceKey string
	traceID  string // from attributes that the logger carries
}

// Handle implements slog.Handler.
func (l logged) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelError && record.Message != AccessMessage {
		f := Fault{At: record.Time, Message: record.Message, TraceID: l.traceID}
		record.Attrs(func(a slog.Attr) bool {
			if a.Key == l.traceKey {
				f.TraceID = a.Value.String()
			}
			return true
		})
		l.recorder.note(f)
	}
	return l.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (l logged) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == l.traceKey {
			l.traceID = a.Value.String()
		}
	}
	l.Handler = l.Handler.WithAttrs(attrs)
	return l
}

// WithGroup implements slog.Handler.
func (l logged) WithGroup(name string) slog.Handler {
	l.Handler = l.Handler.WithGroup(name)
	return l
}
