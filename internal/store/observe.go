package store

import (
	"context"
	"errors"
	"time"
)

// Observation is told that an operation begins: of its name in lower case with
// underscores, as in Operations. The operation goes on with the context that it
// returns; the function that it returns is called once, with how the operation
// went. An error that the caller's own function returned isn't the store's, and
// counts as none.
type Observation func(ctx context.Context, operation string) (context.Context, func(err error))

// Operations names what a store is observed at, in the order of Store: everything
// that asks it something. Watch, which lasts, and what looks at memory only are
// not among them.
func Operations() []string {
	return []string{
		"apply", "withdraw", "notice", "notice_as_of", "revisions", "changes", "serial",
		"active_notices", "settle_dump",
		"served", "arrivals",
		"start_run", "finish_run", "reject", "rejections", "forget_rejections", "sources", "record_payload", "payloads",
		"snapshot", "load",
		"lease", "release",
		"migrate_up", "migrate_down", "migrations",
		"condition", "ping", "identity",
	}
}

// Observe returns the store with an observation around each of its operations. It
// has the identity that s has; see Identified.
func Observe(s Store, observe Observation) Store {
	return &observed{Store: s, observe: observe}
}

// observed is a store under observation. What isn't named in Operations is the
// embedded store's.
type observed struct {
	Store
	observe Observation
}

// asked observes an operation with an answer.
func asked[T any](ctx context.Context, o *observed, operation string, ask func(ctx context.Context) (T, error)) (answer T, err error) {
	ctx, done := o.observe(ctx, operation)
	err = errPanicked
	defer func() { done(err) }()
	answer, err = ask(ctx)
	return answer, err
}

// told observes an operation that only succeeds or fails.
func (o *observed) told(ctx context.Context, operation string, tell func(ctx context.Context) error) error {
	_, err := asked(ctx, o, operation, func(ctx context.Context) (struct{}, error) { return struct{}{}, tell(ctx) })
	return err
}

// lent observes an operation that lends the caller what it has: run calls the
// function that it is given in place of the caller's. An error of the caller's is
// returned and not told.
func lent[T any](ctx context.Context, o *observed, operation string, use func(T) error, run func(ctx context.Context, use func(T) error) error) error {
	ctx, done := o.observe(ctx, operation)
	err := errPanicked
	var own error
	defer func() {
		if own != nil {
			err = nil
		}
		done(err)
	}()
	err = run(ctx, func(v T) error {
		own = use(v)
		return own
	})
	return err
}

// errPanicked is how an operation went that didn't return.
var errPanicked = errors.New("the store panicked")

// Apply is Notices'.
func (o *observed) Apply(ctx context.Context, batch []Incoming, now time.Time) ([]Effect, error) {
	return asked(ctx, o, "apply", func(ctx context.Context) ([]Effect, error) { return o.Store.Apply(ctx, batch, now) })
}

// Withdraw is Notices'.
func (o *observed) Withdraw(ctx context.Context, id string, now time.Time) error {
	return o.told(ctx, "withdraw", func(ctx context.Context) error { return o.Store.Withdraw(ctx, id, now) })
}

// Notice is Notices'.
func (o *observed) Notice(ctx context.Context, id string) (Stored, error) {
	return asked(ctx, o, "notice", func(ctx context.Context) (Stored, error) { return o.Store.Notice(ctx, id) })
}

// NoticeAsOf is Notices'.
func (o *observed) NoticeAsOf(ctx context.Context, id string, at time.Time) (Revision, error) {
	return asked(ctx, o, "notice_as_of", func(ctx context.Context) (Revision, error) { return o.Store.NoticeAsOf(ctx, id, at) })
}

// Revisions is Notices'.
func (o *observed) Revisions(ctx context.Context, id string) ([]Revision, error) {
	return asked(ctx, o, "revisions", func(ctx context.Context) ([]Revision, error) { return o.Store.Revisions(ctx, id) })
}

// Changes is Notices'.
func (o *observed) Changes(ctx context.Context, since int64, limit int, yield func(Stored) error) error {
	return lent(ctx, o, "changes", yield, func(ctx context.Context, yield func(Stored) error) error {
		return o.Store.Changes(ctx, since, limit, yield)
	})
}

// Serial is Notices'.
func (o *observed) Serial(ctx context.Context) (int64, error) {
	return asked(ctx, o, "serial", o.Store.Serial)
}

// ActiveNotices is Dumps'.
func (o *observed) ActiveNotices(ctx context.Context, agency string, yield func(Stored) error) error {
	return lent(ctx, o, "active_notices", yield, func(ctx context.Context, yield func(Stored) error) error {
		return o.Store.ActiveNotices(ctx, agency, yield)
	})
}

// SettleDump is Dumps'.
func (o *observed) SettleDump(ctx context.Context, d Dump, now time.Time) (DumpOutcome, error) {
	return asked(ctx, o, "settle_dump", func(ctx context.Context) (DumpOutcome, error) { return o.Store.SettleDump(ctx, d, now) })
}

// Served is Arrivals'.
func (o *observed) Served(ctx context.Context, serial int64, at time.Time) error {
	return o.told(ctx, "served", func(ctx context.Context) error { return o.Store.Served(ctx, serial, at) })
}

// Arrivals is Arrivals'.
func (o *observed) Arrivals(ctx context.Context, agency string, limit int) ([]Arrival, error) {
	return asked(ctx, o, "arrivals", func(ctx context.Context) ([]Arrival, error) { return o.Store.Arrivals(ctx, agency, limit) })
}

// Condition is Conditions'.
func (o *observed) Condition(ctx context.Context) (Condition, error) {
	return asked(ctx, o, "condition", o.Store.Condition)
}

// Ping is Store's.
func (o *observed) Ping(ctx context.Context) error { return o.told(ctx, "ping", o.Store.Ping) }

// Identity is Identified's.
func (o *observed) Identity(ctx context.Context) (string, error) {
	return asked(ctx, o, "identity", func(ctx context.Context) (string, error) { return IdentityOf(ctx, o.Store) })
}
