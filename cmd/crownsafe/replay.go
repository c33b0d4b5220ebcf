package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/ingest"
)

type replayCommand struct {
	Agencies []string `arg:"" help:"Codes such as us-cpsc." name:"agency"`
}

// Run replays the agencies one after the other and fails when a payload could
// not be read whole.
func (c *replayCommand) Run(s *session) (err error) {
	app.PrepareBulk()
	a, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	agencies, err := chosen(a.Runner, c.Agencies)
	if err != nil {
		return err
	}
	faults := 0
	for _, ag := range agencies {
		code, bar := ag.Describe().Code, newProgressLine(s.env.stderr, "payloads")
		report, replayErr := a.Runner.Replay(s.ctx, ag, func(p ingest.ReplayProgress) {
			bar.show(p.Payloads, p.Of, fmt.Sprintf("%s: %d records, %d revised", code, p.Tally.Read, p.Tally.Revised))
		})
		bar.done()
		if errors.Is(replayErr, ingest.ErrElsewhere) {
			return fmt.Errorf("%w; try again when it has finished", replayErr)
		}
		if err := s.printReplay(&report); err != nil {
			return err
		}
		if replayErr != nil {
			return fmt.Errorf("the replay of %s stopped: %w", code, replayErr)
		}
		faults += len(report.Faults)
	}
	if faults > 0 {
		return errors.New(count(faults, "payload", "payloads") + " could not be read whole; what could be read counts")
	}
	return nil
}

func (s *session) printReplay(report *ingest.ReplayReport) error {
	run := &report.Run
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{
			"agency": run.Agency, "state": run.State, "reason": run.Reason, "started_at": run.StartedAt.UTC(), "finished_at": run.FinishedAt.UTC(),
			"payloads": report.Payloads, "read": run.Read, "added": run.Added, "revised": run.Revised, "unchanged": run.Unchanged,
			"older": run.Older, "rejected": run.Rejected, "faults": report.Faults,
		})
	}
	_, err := fmt.Fprintf(s.env.stdout, "%s: %s; %s, %d records read, %d added, %d revised, %d unchanged, %d older, %d rejected\n",
		run.Agency, run.State, count(report.Payloads, "payload", "payloads"), run.Read, run.Added, run.Revised, run.Unchanged, run.Older, run.Rejected)
	for _, f := range report.Faults {
		if err == nil {
			_, err = fmt.Fprintf(s.env.stdout, "  %s: %s\n", f.Source, f.Reason)
		}
	}
	if err != nil {
		return fmt.Errorf("printing what came of the replay: %w", err)
	}
	return nil
}
