package auth

import (
	"context"
	"fmt"

	"github.com/crownsafe/api/internal/account"
)

// What the audit log calls the things that are done.
const (
	actRegister     = "user.register"
	actVerify       = "user.verify"
	actResetAsk     = "user.reset_request"
	actReset        = "user.reset"
	actExport       = "user.export"
	actDelete       = "user.delete"
	actAbandon      = "user.abandon"
	actCreateUser   = "user.create"
	actRole         = "user.role"
	actDisable      = "user.disable"
	actEnable       = "user.enable"
	actPassword     = "user.password"
	actSignIn       = "session.start"
	actSignOut      = "session.end"
	actRefreshReuse = "session.reuse"
	actCreateKey    = "key.create"
	actReplaceKey   = "key.replace"
	actRevokeKey    = "key.revoke"
)

// Outcomes in the audit log.
const (
	done    = "done"
	refused = "refused"
)

// CommandLine is how the audit log names whoever runs commands on the machine.
const CommandLine = "command-line"

func userName(id string) string    { return "user:" + id }
func keyName(id string) string     { return "key:" + id }
func sessionName(id string) string { return "session:" + id }

// record writes into the audit log that something is about to be done. Where it
// can't be written, the thing isn't done.
func (s *Service) record(ctx context.Context, action, actor, subject string, o Origin) error {
	_, err := s.store.AppendEntry(ctx, account.Entry{
		At: s.now(), Action: action, Actor: actor, Subject: subject, Outcome: done, Network: o.network(), TraceID: o.TraceID,
	})
	if err != nil {
		return fmt.Errorf("writing %s into the audit log: %w", action, err)
	}
	return nil
}

// undone writes that what record said was not done after all.
func (s *Service) undone(ctx context.Context, action, actor, subject string, o Origin) {
	s.refuse(context.WithoutCancel(ctx), action, actor, subject, "failed", o)
}

// refuse writes a refusal into the audit log, the same one once a minute: whoever
// guesses must not be able to fill it. What is refused stays so where it can't be
// written.
func (s *Service) refuse(ctx context.Context, action, actor, subject, reason string, o Origin) {
	if !s.refusals.first(action+"\n"+subject+"\n"+reason+"\n"+o.network(), struct{}{}) {
		return
	}
	_, err := s.store.AppendEntry(ctx, account.Entry{
		At: s.now(), Action: action, Actor: actor, Subject: subject, Outcome: refused, Reason: reason, Network: o.network(), TraceID: o.TraceID,
	})
	if err != nil {
		s.logger.WarnContext(ctx, "a refusal could not be written into the audit log", "action", action, "reason", reason, "error", err)
	}
}

// recorded does something that the audit log tells of.
func (s *Service) recorded(ctx context.Context, action, actor, subject string, o Origin, do func() error) error {
	if err := s.record(ctx, action, actor, subject, o); err != nil {
		return err
	}
	err := do()
	if err != nil {
		s.undone(ctx, action, actor, subject, o)
	}
	return err
}
