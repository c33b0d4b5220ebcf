package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/secaudit"
)

// Audit tells what the last security audit found. It waits for the first one, and
// then never.
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
			p := newProblem(codeUnavailable, "The first audit has not finished yet; ask again in a moment.")
			p.header = http.Header{"Retry-After": {"2"}}
			return nil, p
		}
		return s.healthy(report)
	})
}
