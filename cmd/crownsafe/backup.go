package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/backup"
	"github.com/crownsafe/api/internal/store"
)

type backupCommand struct {
	Create  backupCreate  `cmd:"" help:"Make a backup: of everything, or of what has changed since the one before."`
	List    backupList    `cmd:"" help:"List the backups, oldest first."`
	Verify  backupVerify  `cmd:"" help:"Restore a backup into a place for that alone, and compare; without a name the newest."`
	Restore backupRestore `cmd:"" help:"Make the store what it was when a backup was made; without a name the newest."`
	Prune   backupPrune   `cmd:"" help:"Remove backups that are past their time."`
}

type (
	backupCreate struct {
		Full        bool   `help:"Of everything. This is what is made without a flag." xor:"kind"`
		Incremental bool   `help:"Of what has changed since the newest backup, which it follows." xor:"kind"`
		OrFull      bool   `help:"With --incremental: of everything, where what has changed isn't known, as after a migration."`
		Reason      string `help:"What it is made for; stands in its manifest." default:"by hand"`
	}
	backupList   struct{}
	backupVerify struct {
		Name string `arg:"" optional:"" help:"The backup's name."`
	}
	backupRestore struct {
		Name                string `arg:"" optional:"" help:"The backup's name."`
		Replace             bool   `help:"Replace a store that holds something. It is backed up before."`
		WithoutSafetyBackup bool   `help:"With --replace: don't back up what is replaced; for a store that is too damaged for it."`
	}
	backupPrune struct{}
)

// withBackups does something with the backups of the store that the settings name.
func (s *session) withBackups(do func(*backup.Keeper) error) error {
	cfg, _, err := app.Settings(s.ctx, s.env.lookup)
	if err != nil {
		return err
	}
	cfg.Data = s.data
	keeper, err := app.OpenBackups(cfg, s.logger(cfg), version())
	if err != nil {
		return err
	}
	err = do(keeper)
	if errors.Is(err, app.ErrNoStore) {
		return usage("%w", err)
	}
	return err
}

// progress shows how far something is, in megabytes.
func (s *session) progress() (show func(backup.Progress), done func()) {
	bar := newProgressLine(s.env.stderr, "MB")
	const mega = 1_000_000
	return func(p backup.Progress) { bar.show(int(p.Done/mega), int(p.Of/mega), p.Step) }, bar.done
}

// Run makes a backup and says which.
func (c *backupCreate) Run(s *session) error {
	if c.OrFull && !c.Incremental {
		return usage("--or-full goes with --incremental; without a flag a full backup is made")
	}
	return s.withBackups(func(keeper *backup.Keeper) error {
		create, kind := keeper.Create, backup.Full
		if c.Incremental {
			kind = backup.Incremental
		}
		if c.OrFull {
			create = keeper.CreateOrFull
		}
		show, done := s.progress()
		m, err := create(s.ctx, kind, c.Reason, show)
		done()
		switch {
		case errors.Is(err, store.ErrUntracked), errors.Is(err, backup.ErrNone):
			return fmt.Errorf("%w; make a full one with crownsafe backup create --full", err)
		case err != nil:
			return err
		}
		if s.json {
			return json.NewEncoder(s.env.stdout).Encode(lineOf(backup.Entry{Manifest: m}))
		}
		return s.say(fmt.Sprintf("%s: %s in %.1f s", m.Name, size(m.Size), m.Seconds))
	})
}

// backupLine is a backup as it is printed for programs.
type backupLine struct {
	Name        string         `json:"name"`
	Kind        backup.Kind    `json:"kind"`
	Reason      string         `json:"reason"`
	StartedAt   time.Time      `json:"started_at"`
	FinishedAt  time.Time      `json:"finished_at"`
	Seconds     float64        `json:"duration_seconds"`
	Object      string         `json:"object"`
	Size        int64          `json:"size"`
	SHA256      string         `json:"sha256"`
	Encrypted   bool           `json:"encrypted"`
	Program     string         `json:"program"`
	Server      string         `json:"server"`
	Schema      int64          `json:"schema"`
	Serial      int64          `json:"serial"`
	Content     string         `json:"content_sha256"`
	Changed     int64          `json:"changed_rows"`
	Predecessor *string        `json:"predecessor"`
	Fault       *string        `json:"fault"`
	Verified    *verifiedLine  `json:"verified"`
	Tables      []tableCounted `json:"tables"`
}

type verifiedLine struct {
	At     time.Time `json:"at"`
	OK     bool      `json:"ok"`
	Reason *string   `json:"reason"`
}

type tableCounted struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

func lineOf(e backup.Entry) backupLine {
	line := backupLine{
		Name: e.Name, Kind: e.Kind, Reason: e.Reason, StartedAt: e.StartedAt, FinishedAt: e.FinishedAt, Seconds: e.Seconds,
		Object: e.Object, Size: e.Size, SHA256: e.SHA256, Encrypted: e.Encrypted, Program: e.Program, Server: e.Server,
		Schema: e.Schema, Serial: e.Serial, Content: e.Content, Changed: e.Changed, Fault: word(e.Fault), Tables: []tableCounted{},
	}
	if e.Predecessor != nil {
		line.Predecessor = &e.Predecessor.Name
	}
	if v := e.Verified; v != nil {
		line.Verified = &verifiedLine{v.At, v.OK, word(v.Reason)}
	}
	for _, t := range e.Tables {
		line.Tables = append(line.Tables, tableCounted{t.Name, t.Rows})
	}
	return line
}

// word is text that may be missing.
func word(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Run lists the backups.
func (*backupList) Run(s *session) error {
	return s.withBackups(func(keeper *backup.Keeper) error {
		entries, err := keeper.List(s.ctx)
		if err != nil {
			return err
		}
		if s.json {
			lines := make([]backupLine, len(entries))
			for i, e := range entries {
				lines[i] = lineOf(e)
			}
			return json.NewEncoder(s.env.stdout).Encode(map[string]any{"items": lines})
		}
		if len(entries) == 0 {
			return s.say("there are no backups")
		}
		table := tabwriter.NewWriter(s.env.stdout, 0, 4, 2, ' ', 0)
		for _, e := range entries {
			fmt.Fprintf(table, "%s\t%s\t%s\tserial %d\t%s\t%s\n", e.Name, e.Reason, size(e.Size), e.Serial, e.StartedAt.UTC().Format(time.RFC3339), stateOf(e))
		}
		if err := table.Flush(); err != nil {
			return fmt.Errorf("printing the backups: %w", err)
		}
		return nil
	})
}

func stateOf(e backup.Entry) string {
	switch {
	case e.Fault != "":
		return "bad: " + e.Fault
	case e.Verified == nil:
		return "not verified"
	case !e.Verified.OK:
		return "can't be restored: " + e.Verified.Reason
	}
	return "verified " + e.Verified.At.UTC().Format(time.RFC3339)
}

// Run verifies a backup, and fails when it can't be restored.
func (c *backupVerify) Run(s *session) error {
	return s.withBackups(func(keeper *backup.Keeper) error {
		show, done := s.progress()
		m, v, err := keeper.Verify(s.ctx, c.Name, show)
		done()
		if err != nil {
			return err
		}
		if s.json {
			err = json.NewEncoder(s.env.stdout).Encode(map[string]any{
				"name": m.Name, "ok": v.OK, "reason": word(v.Reason), "at": v.At, "duration_seconds": v.Seconds, "serial": m.Serial, "content_sha256": m.Content,
			})
		} else if v.OK {
			err = s.say(fmt.Sprintf("%s can be restored: serial %d, %d rows, in %.1f s", m.Name, m.Serial, rowsOf(m), v.Seconds))
		}
		if err == nil && !v.OK {
			return fmt.Errorf("%s can't be restored: %s", m.Name, v.Reason)
		}
		return err
	})
}

func rowsOf(m backup.Manifest) (rows int64) {
	for _, t := range m.Tables {
		rows += t.Rows
	}
	return rows
}

// Run restores a backup.
func (c *backupRestore) Run(s *session) error {
	if c.WithoutSafetyBackup && !c.Replace {
		return usage("backup restore: --without-safety-backup says nothing without --replace")
	}
	return s.withBackups(func(keeper *backup.Keeper) error {
		show, done := s.progress()
		r, err := keeper.Restore(s.ctx, backup.RestoreOptions{Name: c.Name, Replace: c.Replace, WithoutSafety: c.WithoutSafetyBackup, Progress: show})
		done()
		if r.Safety != "" && !s.json {
			fmt.Fprintln(s.env.stderr, "what was there is in "+r.Safety)
		}
		if errors.Is(err, backup.ErrOccupied) {
			return fmt.Errorf("%w; --replace puts the backup in its place, and backs it up before", err)
		}
		if err != nil {
			return err
		}
		if s.json {
			return json.NewEncoder(s.env.stdout).Encode(map[string]any{
				"name": r.Backup.Name, "applied": r.Chain, "resumed": r.Resumed, "safety_backup": word(r.Safety), "serial": r.Backup.Serial,
				"content_sha256": r.Backup.Content, "duration_seconds": r.Seconds,
			})
		}
		return s.say(fmt.Sprintf("restored %s: serial %d, %d rows, in %.1f s; counts and hashes are those of the backup", r.Backup.Name, r.Backup.Serial, rowsOf(r.Backup), r.Seconds))
	})
}

// Run removes what is past its time.
func (*backupPrune) Run(s *session) error {
	cfg, _, err := app.Settings(s.ctx, s.env.lookup)
	if err != nil {
		return err
	}
	return s.withBackups(func(keeper *backup.Keeper) error {
		removed, err := keeper.Prune(s.ctx, app.Retention(cfg))
		if err != nil {
			return err
		}
		if s.json {
			return json.NewEncoder(s.env.stdout).Encode(map[string]any{"removed": append([]string{}, removed...)})
		}
		if len(removed) == 0 {
			return s.say("no backup is past its time")
		}
		return s.say("removed " + strings.Join(removed, ", "))
	})
}

// size words a number of bytes.
func size(bytes int64) string {
	const kilo, mega = 1_000, 1_000_000
	switch {
	case bytes >= mega:
		return fmt.Sprintf("%.1f MB", float64(bytes)/mega)
	case bytes >= kilo:
		return fmt.Sprintf("%.1f kB", float64(bytes)/kilo)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
