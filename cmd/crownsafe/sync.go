package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/store"
)

type syncCommand struct {
	Agencies []string `arg:"" optional:"" help:"Codes such as us-cpsc; all of them when none is given." name:"agency"`
}

// Run polls the agencies one after the other and fails when one of the polls
// did. An agency that cannot be asked as things are, or that another process is
// polling now, gets its line and fails nothing.
func (c *syncCommand) Run(s *session) (err error) {
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
	var failed []error
	for _, ag := range agencies {
		read, bar := 0, newProgressLine(s.env.stderr, "notices")
		run, pollErr := a.Runner.Poll(s.ctx, ag, func(t ingest.Tally) {
			read += t.Read
			bar.show(read, 0, ag.Describe().Code) // nobody says how many there will be
		})
		bar.done()
		switch d := ag.Describe(); {
		case errors.Is(pollErr, ingest.ErrWithheld):
			if err := s.printUnpolled(d.Code, "never", d.Withheld); err != nil {
				return err
			}
			continue
		case errors.Is(pollErr, ingest.ErrElsewhere):
			if err := s.printUnpolled(d.Code, "elsewhere", "another process is polling it now"); err != nil {
				return err
			}
			continue
		}
		if err := s.printRun(run); err != nil {
			return err
		}
		if pollErr != nil {
			failed = append(failed, pollErr)
		}
	}
	return errors.Join(failed...)
}

func chosen(r *ingest.Runner, codes []string) ([]agency.Agency, error) {
	if len(codes) == 0 {
		return r.Agencies, nil
	}
	var list []agency.Agency
	for _, code := range codes {
		ag, err := r.Agency(code)
		if err != nil {
			known := make([]string, len(r.Agencies))
			for i, a := range r.Agencies {
				known[i] = a.Describe().Code
			}
			return nil, usage("%w; there are %v", err, known)
		}
		list = append(list, ag)
	}
	return list, nil
}

// printUnpolled says of an agency that it was not polled, and why.
func (s *session) printUnpolled(code, state, reason string) error {
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{"agency": code, "state": state, "reason": reason})
	}
	_, err := fmt.Fprintf(s.env.stdout, "%s: not polled: %s\n", code, reason)
	return err
}

func (s *session) printRun(run store.Run) error {
	if s.json {
		return json.NewEncoder(s.env.stdout).Encode(map[string]any{
			"agency": run.Agency, "state": run.State, "reason": run.Reason, "started_at": run.StartedAt.UTC(), "finished_at": run.FinishedAt.UTC(),
			"read": run.Read, "added": run.Added, "revised": run.Revised, "unchanged": run.Unchanged, "older": run.Older, "rejected": run.Rejected, "withdrawn": run.Withdrawn,
		})
	}
	_, err := fmt.Fprintf(s.env.stdout, "%s: %s; %d read, %d added, %d revised, %d unchanged, %d rejected, %d withdrawn\n",
		run.Agency, run.State, run.Read, run.Added, run.Revised, run.Unchanged, run.Rejected, run.Withdrawn)
	return err
}
