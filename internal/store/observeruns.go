package store

import (
	"context"
	"time"
)

// StartRun is Runs'.
func (o *observed) StartRun(ctx context.Context, agency string, kind RunKind, at time.Time) (int64, error) {
	return asked(ctx, o, "start_run", func(ctx context.Context) (int64, error) { return o.Store.StartRun(ctx, agency, kind, at) })
}

// FinishRun is Runs'.
func (o *observed) FinishRun(ctx context.Context, run Run) error {
	return o.told(ctx, "finish_run", func(ctx context.Context) error { return o.Store.FinishRun(ctx, run) })
}

// Reject is Runs'.
func (o *observed) Reject(ctx context.Context, rejections []Rejection) error {
	return o.told(ctx, "reject", func(ctx context.Context) error { return o.Store.Reject(ctx, rejections) })
}

// Rejections is Runs'.
func (o *observed) Rejections(ctx context.Context, agency string, after *Rejection, limit int) ([]Rejection, error) {
	return asked(ctx, o, "rejections", func(ctx context.Context) ([]Rejection, error) {
		return o.Store.Rejections(ctx, agency, after, limit)
	})
}

// ForgetRejections is Runs'.
func (o *observed) ForgetRejections(ctx context.Context, agency, raw string) error {
	return o.told(ctx, "forget_rejections", func(ctx context.Context) error { return o.Store.ForgetRejections(ctx, agency, raw) })
}

// Sources is Runs'.
func (o *observed) Sources(ctx context.Context) ([]SourceRecord, error) {
	return asked(ctx, o, "sources", o.Store.Sources)
}

// RecordPayload is Runs'.
func (o *observed) RecordPayload(ctx context.Context, p ArchivedPayload) error {
	return o.told(ctx, "record_payload", func(ctx context.Context) error { return o.Store.RecordPayload(ctx, p) })
}

// Payloads is Runs'.
func (o *observed) Payloads(ctx context.Context, agency string) ([]ArchivedPayload, error) {
	return asked(ctx, o, "payloads", func(ctx context.Context) ([]ArchivedPayload, error) { return o.Store.Payloads(ctx, agency) })
}

// Snapshot is Transfer's.
func (o *observed) Snapshot(ctx context.Context, use func(Snapshot) error) error {
	return lent(ctx, o, "snapshot", use, o.Store.Snapshot)
}

// Load is Transfer's.
func (o *observed) Load(ctx context.Context, from Snapshot, progress func(Progress)) (Digest, error) {
	return asked(ctx, o, "load", func(ctx context.Context) (Digest, error) { return o.Store.Load(ctx, from, progress) })
}

// Lease is Leases'.
func (o *observed) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	return asked(ctx, o, "lease", func(ctx context.Context) (bool, error) { return o.Store.Lease(ctx, name, holder, ttl) })
}

// Release is Leases'.
func (o *observed) Release(ctx context.Context, name, holder string) error {
	return o.told(ctx, "release", func(ctx context.Context) error { return o.Store.Release(ctx, name, holder) })
}

// MigrateUp is Migrator's.
func (o *observed) MigrateUp(ctx context.Context) ([]Migration, error) {
	return asked(ctx, o, "migrate_up", o.Store.MigrateUp)
}

// MigrateDown is Migrator's.
func (o *observed) MigrateDown(ctx context.Context) (Migration, error) {
	return asked(ctx, o, "migrate_down", o.Store.MigrateDown)
}

// Migrations is Migrator's.
func (o *observed) Migrations(ctx context.Context) ([]Migration, error) {
	return asked(ctx, o, "migrations", o.Store.Migrations)
}
