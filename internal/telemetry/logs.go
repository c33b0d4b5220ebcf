package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// PackageKey is the attribute that says which package a log line is from:
// logger.With(PackageKey, "ingest").
const PackageKey = "package"

// ErrUnknownPackage says that no package of a name logs anything.
var ErrUnknownPackage = errors.New("no package of this name logs")

// Levels says from which level on each package logs. They may be changed while
// the program runs; all methods are safe for concurrent use.
type Levels struct {
	known []string
	now   atomic.Pointer[levels]
}

type levels struct {
	normal slog.Level
	own    map[string]slog.Level // never changed
}

// NewLevels returns levels for packages of these names. Set tells what own may hold.
func NewLevels(known []string, normal slog.Level, own map[string]slog.Level) (*Levels, error) {
	l := &Levels{known: slices.Sorted(slices.Values(known))}
	return l, l.Set(normal, own)
}

// Known lists the packages, in order.
func (l *Levels) Known() []string { return slices.Clone(l.known) }

// Get returns the level of the packages that have none of their own, and those
// that have one.
func (l *Levels) Get() (normal slog.Level, own map[string]slog.Level) {
	now := l.now.Load()
	return now.normal, maps.Clone(now.own)
}

// Set replaces all of them. ErrUnknownPackage, and then nothing has changed.
func (l *Levels) Set(normal slog.Level, own map[string]slog.Level) error {
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if !slices.Contains(l.known, name) {
			return fmt.Errorf("%w: %q; there are %s", ErrUnknownPackage, name, strings.Join(l.known, ", "))
		}
	}
	copied := maps.Clone(own)
	if copied == nil {
		copied = map[string]slog.Level{}
	}
	l.now.Store(&levels{normal: normal, own: copied})
	return nil
}

func (l *Levels) of(pkg string) slog.Level {
	now := l.now.Load()
	if level, ok := now.own[pkg]; ok {
		return level
	}
	return now.normal
}

// Handler passes on what is of a package's level or above. What next itself
// doesn't take is lost all the same.
func (l *Levels) Handler(next slog.Handler) slog.Handler { return levelled{next: next, levels: l} }

type levelled struct {
	next    slog.Handler
	levels  *Levels
	pkg     string
	grouped bool
}

func (h levelled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.levels.of(h.pkg) && h.next.Enabled(ctx, level)
}

func (h levelled) Handle(ctx context.Context, r slog.Record) error { return h.next.Handle(ctx, r) }

func (h levelled) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.next = h.next.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == PackageKey && !h.grouped {
			h.pkg = a.Value.String()
		}
	}
	return h
}

func (h levelled) WithGroup(name string) slog.Handler {
	h.next, h.grouped = h.next.WithGroup(name), h.grouped || name != ""
	return h
}

// The attributes that a line has of its trace.
const (
	TraceKey = "trace_id"
	spanKey  = "span_id"
)

// WithTraceIDs adds the trace and the span of a line's context to it, unless the
// line names its trace itself.
func WithTraceIDs(next slog.Handler) slog.Handler { return traced{next} }

type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if at := trace.SpanContextFromContext(ctx); at.IsValid() && !names(&r, TraceKey) {
		r.AddAttrs(slog.String(TraceKey, at.TraceID().String()), slog.String(spanKey, at.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }

func names(r *slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// JSONLines writes one JSON object a line, for machines.
func JSONLines(to io.Writer) slog.Handler {
	return slog.NewJSONHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// TextLines writes lines for people: the time of day, level, message and the rest
// as key=value.
func TextLines(to io.Writer) slog.Handler {
	return slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 && a.Value.Kind() == slog.KindTime {
			a.Value = slog.StringValue(a.Value.Time().Format(time.TimeOnly))
		}
		return a
	}})
}
