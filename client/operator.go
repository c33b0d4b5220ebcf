package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

// Alive asks whether the process lives; nobody else is asked.
func (c *Client) Alive(ctx context.Context) error {
	_, err := ask[Health](ctx, c, get("/health", nil))
	return err
}

// Ready asks whether traffic may be sent to this process. A no is a [*Problem] with the
// status 503, at the first attempt: an answer is wanted, and no waiting.
func (c *Client) Ready(ctx context.Context) error {
	_, err := ask[Health](ctx, c, &call{method: http.MethodGet, path: "/api/readyz"})
	return err
}

// Health asks how the service is, its database included. When it is not well, the
// [*Problem] has Checks.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	return ask[Health](ctx, c, &call{method: http.MethodGet, path: "/api/healthz"})
}

// Dashboard returns the health score and what it is made of. This and what follows is
// for operators.
func (c *Client) Dashboard(ctx context.Context) (*Dashboard, error) {
	return ask[Dashboard](ctx, c, get("/api/v1/monitoring/system-health-dashboard", nil))
}

// SecurityAudit returns what the last security audit found.
func (c *Client) SecurityAudit(ctx context.Context) (*SecurityReport, error) {
	return ask[SecurityReport](ctx, c, get("/api/v1/monitoring/security-audit", nil))
}

// CacheStats tells of the cache.
func (c *Client) CacheStats(ctx context.Context) (*CacheStats, error) {
	return ask[CacheStats](ctx, c, get("/api/v1/monitoring/azure-cache-stats", nil))
}

// StorageHealth tells of the store of objects.
func (c *Client) StorageHealth(ctx context.Context) (*StorageHealth, error) {
	return ask[StorageHealth](ctx, c, get("/api/v1/azure-storage/health", nil))
}

// DatabaseHealth tells of the database.
func (c *Client) DatabaseHealth(ctx context.Context) (*DatabaseHealth, error) {
	return ask[DatabaseHealth](ctx, c, get("/api/v1/monitoring/database", nil))
}

// LogLevels returns the levels at which the process that answers logs.
func (c *Client) LogLevels(ctx context.Context) (*LogLevels, error) {
	return ask[LogLevels](ctx, c, get("/api/v1/monitoring/log-levels", nil))
}

// SetLogLevels sets the level of everything, and those of packages that have one of
// their own, in the process that answers.
func (c *Client) SetLogLevels(ctx context.Context, level string, packages map[string]string) (*LogLevels, error) {
	if packages == nil {
		packages = map[string]string{}
	}
	k, err := sending(http.MethodPut, "/api/v1/monitoring/log-levels", logLevelSettings{Default: level, Packages: packages})
	if err != nil {
		return nil, err
	}
	k.repeatable = true
	return ask[LogLevels](ctx, c, k)
}

// QuarantinePage returns one page of what of an agency could not become notices.
func (c *Client) QuarantinePage(ctx context.Context, agency, cursor string, limit int) (*QuarantinePage, error) {
	agency, err := segment(agency)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	setLimit(q, limit)
	return ask[QuarantinePage](ctx, c, get("/api/v1/sources/"+agency+"/quarantine", q))
}

// Quarantine goes through all of it.
func (c *Client) Quarantine(ctx context.Context, agency string) iter.Seq2[RejectedRecord, error] {
	return pages(func(cursor string) ([]RejectedRecord, string, error) {
		page, err := c.QuarantinePage(ctx, agency, cursor, 0)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	})
}
