package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/secaudit"
)

// Audit tells what the last security audit found. It waits for the first one, and
// then never; it is an error when that could not be taken.
type Audit interface {
	LastAudit(ctx context.Context) (secaudit.Report, error)
}

// auditTimeout bounds what an operator waits for the first audit.
const auditTimeout = 5 * time.Second

func (s *service) registerAudit(api huma.API) {
	op := operation("security-audit", http.MethodGet, "/api/v1/monitoring/security-audit", tagHealth, "What the last security audit found",
		"It runs at the start and every ten minutes; findings are no reason for another status than 200. For operators.", http.StatusServiceUnavailable)
	handle[struct{}, secaudit.Report](s, api, op, func(ctx context.Context, _ *struct{}) (*answer, error) {
		ctx, cancel := context.WithTimeout(ctx, auditTimeout)
		defer cancel()
		report, err := s.Audit.LastAudit(ctx)
		if err != nil {
			p := newProblem(codeUnavailable, "No audit could be taken yet, or the first has not finished; ask again in a moment.")
			p.header = http.Header{"Retry-After": {"2"}}
			return nil, p
		}
		return s.healthy(report)
	})
}

// OperatorPaths lists the paths that only operators may read, by GET. What a path
// names in braces is left as it is.
func OperatorPaths() []string {
	described := &service{mux: newRoutes()}
	described.register()
	needs := described.mux.needs
	for pattern, n := range access {
		if strings.HasPrefix(pattern, http.MethodGet+" ") { // a route that is no operation
			needs[pattern] = n
		}
	}
	var paths []string
	for pattern, n := range needs {
		if path, is := strings.CutPrefix(pattern, http.MethodGet+" "); is && auth.Reaches(n.role, account.Operator) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}
