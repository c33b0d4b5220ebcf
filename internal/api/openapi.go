package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/recall"
)

// The tags that group operations in the document.
const (
	tagSafety = "Product safety"
	tagHealth = "Health"
)

const apiDescription = `Is this very unit under a recall, and what do I do now?

Answers are read from an in-memory catalogue of the agencies' notices; ` + "`Crown-Safe-Serial`" + ` says from which serial.
No answer ever says "safe": ` + "`no_match`" + ` means only that nothing was found, and ` + "`coverage`" + ` says what was looked at and how old it is.
Errors are RFC 9457 problem documents; their codes are listed at /docs/errors.`

// configuration is huma's without its additions: no $schema in answers, no
// documentation page that loads scripts from elsewhere, JSON only.
func configuration(version string) huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[recall.Need](), reflect.TypeFor[nullableNeed]())
	format := huma.Format{
		Marshal: func(w io.Writer, v any) error {
			body, err := encode(v)
			if err != nil {
				return err
			}
			_, err = w.Write(body)
			return err
		},
		Unmarshal: json.Unmarshal,
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Crown Safe", Version: version, Description: apiDescription,
			},
			Servers: []*huma.Server{{URL: "/"}},
			Components: &huma.Components{Schemas: registry, Headers: limitHeaders(), SecuritySchemes: map[string]*huma.SecurityScheme{
				bearerScheme: {Type: "http", Scheme: "bearer", Description: "An access token; for operators also the operator's token, `CROWNSAFE_OPS_TOKEN`."},
				keyScheme:    {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "A key of an app or a shop."},
				cookieScheme: {Type: "apiKey", In: "cookie", Name: SessionCookie, Description: "A browser's sign-in."},
			}},
			Tags: []*huma.Tag{
				{Name: tagSafety, Description: "Notices, verdicts, and how far they can be relied on."},
				{Name: tagAccounts, Description: "Users, their sessions and keys."},
				{Name: tagHealth, Description: "For load balancers and monitors."},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{neverKeepProblems},
	}
}

// neverKeepProblems marks errors that huma writes as those that Problem.send writes.
func neverKeepProblems(ctx huma.Context, _ string, v any) (any, error) {
	if _, ok := v.(*Problem); ok {
		ctx.SetHeader("Cache-Control", "no-store")
	}
	return v, nil
}

// nullableNeed describes recall.Need where it may be null, which huma can't say
// of a type that it refers to.
type nullableNeed recall.Need

type needFields recall.Need

// Schema makes nullableNeed a huma.SchemaProvider.
func (nullableNeed) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[needFields]())
	s.Nullable = true
	return &s
}

// handle registers an operation whose handler returns encoded JSON that B
// describes. It is the one place in which a handler's error becomes a problem.
func handle[I, B any](s *service, api huma.API, op huma.Operation, handler func(ctx context.Context, in *I) (*answer, error)) {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[B](), true, op.OperationID)
	op.Responses = map[string]*huma.Response{
		strconv.Itoa(http.StatusOK): {
			Description: "OK",
			Content:     map[string]*huma.MediaType{jsonType[0]: {Schema: schema}},
		},
	}
	huma.Register(api, op, func(ctx context.Context, in *I) (*answer, error) {
		a, err := handler(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, op.OperationID, err)
		}
		return a, nil
	})
}

// handleRead registers a read under each of its paths. The first path is the
// one that stays; the others are the same handler.
func handleRead[I, B any](s *service, api huma.API, op huma.Operation, others []string, handler func(ctx context.Context, in *I) (*answer, error)) {
	id := op.OperationID
	for i, path := range append([]string{op.Path}, others...) {
		op.Path = path
		if i > 0 {
			op.OperationID = fmt.Sprintf("%s-%d", id, i+1)
		}
		handle[I, B](s, api, op, handler)
		item := api.OpenAPI().Paths[path].Get
		item.Responses["304"] = &huma.Response{Description: "The caller has this answer already"}
	}
}

// problem turns a handler's error into a problem. What isn't one already is
// ours: it is logged with the trace id and never sent.
func (s *service) problem(ctx context.Context, operation string, err error) *Problem {
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		code, header := codeInternal, http.Header(nil)
		if _, down := errors.AsType[*outage](err); down {
			code, header = codeUnavailable, http.Header{"Retry-After": {retryAfter}}
		}
		x := exchangeOf(ctx)
		trace.SpanFromContext(ctx).RecordError(err)
		s.Logger.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("operation", operation), slog.String("error", err.Error()),
			slog.String("request_id", x.requestID), slog.String("trace_id", x.traceID))
		p = newProblem(code, kindOf(code).Meaning)
		p.header = header
	}
	p.locate(ctx)
	return p
}

// encodeDocument writes the OpenAPI document the same way every time, indented,
// because people read it too.
func encodeDocument(document *huma.OpenAPI) []byte {
	raw, err := document.MarshalJSON()
	if err != nil {
		panic(fmt.Errorf("encoding the OpenAPI document: %w", err))
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		panic(fmt.Errorf("indenting the OpenAPI document: %w", err))
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

// static answers the same bytes every time. It takes no parameters.
func static(body []byte, contentType string) http.Handler {
	hash := sha256.Sum256(body)
	sum := `"` + hex.EncodeToString(hash[:etagDigestBytes]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, problem := readQuery(&huma.Operation{}, r.URL.RawQuery); problem != nil {
			problem.send(w, r)
			return
		}
		h := w.Header()
		h.Set("ETag", sum)
		h.Set("Cache-Control", "public, max-age=300")
		if matchesTag(r.Header.Get("If-None-Match"), sum) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the client may be gone
	})
}
