package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/app"
)

type auditLogCommand struct {
	List   auditLogList   `cmd:"" help:"Print the audit log, oldest first."`
	Verify auditLogVerify `cmd:"" help:"Check that nothing in the audit log was changed, removed or put in."`
}

type (
	auditLogList struct {
		After int64 `help:"Begin behind the entry of this number." placeholder:"SEQ"`
		Limit int   `help:"How many at most; 0: all." default:"0"`
	}
	auditLogVerify struct {
		Head string `help:"What verify printed before, SEQ:HASH: that entry must still be there. Without it nobody sees that the end was cut off." placeholder:"SEQ:HASH"`
	}
)

// Run prints entries.
func (c *auditLogList) Run(s *session) error {
	if c.Limit < 0 || c.After < 0 {
		return usage("auditlog list: neither --after nor --limit is below 0")
	}
	return s.withAuditLog(func(log account.Log) error {
		if s.json {
			lines := json.NewEncoder(s.env.stdout)
			return log.Entries(s.ctx, c.After, c.Limit, func(e account.Entry) error { return lines.Encode(entryLineOf(e)) })
		}
		table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
		err := log.Entries(s.ctx, c.After, c.Limit, func(e account.Entry) error {
			outcome := e.Outcome
			if e.Reason != "" {
				outcome += " (" + e.Reason + ")"
			}
			_, err := fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.At.Format(time.RFC3339), e.Action, e.Actor, e.Subject, outcome, e.Network)
			return err
		})
		return errors.Join(err, table.Flush())
	})
}

// entryLine is an entry as it is printed for programs.
type entryLine struct {
	Seq      int64     `json:"seq"`
	At       time.Time `json:"at"`
	Action   string    `json:"action"`
	Actor    string    `json:"actor"`
	Subject  string    `json:"subject"`
	Outcome  string    `json:"outcome"`
	Reason   string    `json:"reason"`
	Network  string    `json:"network"`
	TraceID  string    `json:"trace_id"`
	Previous string    `json:"previous"`
	Hash     string    `json:"hash"`
}

func entryLineOf(e account.Entry) entryLine {
	return entryLine{
		Seq: e.Seq, At: e.At, Action: e.Action, Actor: e.Actor, Subject: e.Subject, Outcome: e.Outcome, Reason: e.Reason,
		Network: e.Network, TraceID: e.TraceID, Previous: hex.EncodeToString(e.Previous), Hash: hex.EncodeToString(e.Hash),
	}
}

// Run checks the chain and prints its head. It fails for a log that is broken, with
// the first entry that is.
func (c *auditLogVerify) Run(s *session) error {
	var known account.Head
	if c.Head != "" {
		var err error
		if known, err = account.ParseHead(c.Head); err != nil {
			return usage("auditlog verify --head: %w", err)
		}
	}
	return s.withAuditLog(func(log account.Log) error {
		head, err := account.Verify(s.ctx, log, known)
		broken, isBroken := errors.AsType[*account.Broken](err)
		if err != nil && !isBroken {
			return err
		}
		if err := s.printVerdict(head, broken); err != nil {
			return fmt.Errorf("printing what was found: %w", err)
		}
		return err
	})
}

// printVerdict prints what is known of a log; of a broken one only for programs,
// for the error says it.
func (s *session) printVerdict(head account.Head, broken *account.Broken) error {
	if s.json {
		verdict := map[string]any{"intact": broken == nil}
		if broken != nil {
			verdict["broken_at"], verdict["reason"] = broken.Seq, broken.Reason
		} else {
			verdict["entries"] = head.Seq
			if head.Seq > 0 {
				verdict["head"] = head.String()
			}
		}
		return json.NewEncoder(s.env.stdout).Encode(verdict)
	}
	if broken != nil {
		return nil
	}
	if head.Seq == 0 {
		_, err := fmt.Fprintln(s.env.stdout, "the audit log is empty")
		return err
	}
	_, err := fmt.Fprintf(s.env.stdout, "the audit log is intact: %s; its head is %s\n", count(int(head.Seq), "entry", "entries"), head)
	return err
}

// withAuditLog does something with the audit log of the store.
func (s *session) withAuditLog(do func(account.Log) error) (err error) {
	cfg, _, err := app.Settings(s.ctx, s.env.lookup)
	if err != nil {
		return err
	}
	cfg.Data = s.data
	// A file is made where there is none, and an empty log is an intact one.
	if file := filepath.Join(s.data, "crownsafe.db"); cfg.DatabaseURL == "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return usage("there is no %s; name the folder with --data", file)
		}
	}
	st, err := app.OpenStore(s.ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return do(st)
}
