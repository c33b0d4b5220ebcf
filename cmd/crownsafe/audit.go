package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/secaudit"
)

type auditCommand struct {
	All bool `help:"List the checks that passed too."`
}

// Run takes the security audit without serving, and ends with 1 when something
// critical or high was found.
func (c *auditCommand) Run(s *session) (err error) {
	a, err := s.build()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	report, err := a.TakeAudit(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		err = json.NewEncoder(s.env.stdout).Encode(report)
	} else {
		err = c.print(s, &report)
	}
	if err != nil {
		return fmt.Errorf("printing the audit: %w", err)
	}
	if report.Totals.Critical+report.Totals.High > 0 {
		return &exitStatus{code: exitFailed}
	}
	return nil
}

func (c *auditCommand) print(s *session, report *secaudit.Report) error {
	table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
	for _, check := range report.Findings() {
		fmt.Fprintf(table, "%s\t%s\t%s\n\t\t→ %s\n", check.Severity, check.ID, check.Detail, check.Remedy)
	}
	for _, check := range report.Checks {
		if check.Passed && c.All {
			fmt.Fprintf(table, "passed\t%s\t%s\n", check.ID, check.Detail)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	t := report.Totals
	_, err := fmt.Fprintf(s.env.stdout, "%d checks: %d critical, %d high, %d medium, %d low; risk %s\n", len(report.Checks), t.Critical, t.High, t.Medium, t.Low, report.RiskLevel)
	return err
}

// permitted returns an error when the audit forbids the start. Each finding is a
// line of its own.
func (s *session) permitted(a *app.App) error {
	critical, err := a.Permit(s.ctx)
	if err != nil || len(critical) == 0 {
		return err
	}
	for _, check := range critical {
		fmt.Fprintf(s.env.stderr, "crownsafe: %s %s: %s; remedy: %s\n", check.Severity, check.ID, check.Detail, check.Remedy)
	}
	return fmt.Errorf("the security audit forbids the start in production (%d critical findings); CROWNSAFE_AUDIT_OVERRIDE=1 starts nevertheless", len(critical))
}
