package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// backUp starts a Job of the backups' CronJob and waits for it. The Job makes a
// backup and then restores it into a scratch database: it is complete only when
// the backup was found to be good.
func (c *cluster) backUp(ctx context.Context, name string) error {
	if err := c.do(ctx, "create", "job", name, "--from", "cronjob/"+backupJob); err != nil {
		return err
	}
	return c.done(ctx, name)
}

// backupOfToday sees to it that a backup of today (UTC) is there. For the grace the
// cluster's own schedule may still begin its Job; two at the same time would only
// be in each other's way.
func (c *cluster) backupOfToday(ctx context.Context, grace time.Duration) error {
	end := c.now().Add(grace)
	look := time.NewTicker(c.every)
	defer look.Stop()
	for {
		name, err := c.todaysBackup(ctx)
		if err != nil {
			return err
		}
		if name != "" {
			return c.done(ctx, name)
		}
		if !c.now().Before(end) {
			return c.backUp(ctx, fmt.Sprintf("%s-pipeline-%d", backupJob, c.now().Unix()))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the backup of the schedule: %w", ctx.Err())
		case <-look.C:
		}
	}
}

// todaysBackup returns the newest Job of the CronJob that was begun today and has
// not failed, or "".
func (c *cluster) todaysBackup(ctx context.Context) (string, error) {
	said, err := c.ask(ctx, "get", "jobs", "-o", "json")
	if err != nil {
		return "", err
	}
	var list struct{ Items []job }
	if err := json.Unmarshal(said, &list); err != nil {
		return "", fmt.Errorf("reading the jobs: %w", err)
	}
	today := c.now().UTC().Truncate(24 * time.Hour)
	var newest job
	for _, j := range list.Items {
		_, failed := j.is("Failed")
		begun := j.Metadata.CreationTimestamp
		if !failed && j.ofBackup() && !begun.Before(today) && begun.After(newest.Metadata.CreationTimestamp) {
			newest = j
		}
	}
	return newest.Metadata.Name, nil
}

// ofBackup tells whether a Job was made from the backups' CronJob, by its schedule
// or by hand.
func (j job) ofBackup() bool {
	for _, owner := range j.Metadata.OwnerReferences {
		if owner.Kind == "CronJob" && owner.Name == backupJob {
			return true
		}
	}
	return false
}
