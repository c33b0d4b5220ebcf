package config

import (
	"errors"
	"fmt"
	"time"
)

// Backups says how the store is backed up, and where to.
type Backups struct {
	// Container is the one of the account of Azure Blob Storage that backups are kept in.
	Container string `env:"CONTAINER,default=crownsafe-backups"`
	// Folder is where they are kept without an account; empty: backups in the data
	// directory.
	Folder string `env:"FOLDER"`
	// Recipient is who may read backups: public keys of age, with commas between them;
	// empty: they are not encrypted.
	Recipient string `env:"RECIPIENT"`
	// Identity is a file with the private keys that open them.
	Identity string `env:"IDENTITY"`
	// Schedule is the time of day, in UTC, at which serve makes a full one, as 02:00;
	// empty: it makes none.
	Schedule string `env:"SCHEDULE"`
	// Every is how often serve makes an incremental one in between; 0: never.
	Every time.Duration `env:"EVERY,default=0s"`
	// VerifyEvery is how often the newest incremental one is restored to see whether it
	// can be; full ones are each time.
	VerifyEvery time.Duration `env:"VERIFY_EVERY,default=1h"`
	// Keep is how long full ones are kept.
	Keep time.Duration `env:"KEEP,default=720h"`
	// KeepIncrements is how long what follows full ones is kept.
	KeepIncrements time.Duration `env:"KEEP_INCREMENTS,default=168h"`
	// KeepFull is how many full ones stay whatever their age.
	KeepFull int `env:"KEEP_FULL,default=3"`
	// Programs is the folder of pg_dump and psql; empty: they are looked for.
	Programs string `env:"PG_PROGRAMS"`
	// ScratchURL names the PostgreSQL on which backups are verified, in databases that
	// are made for that; empty: the one that is backed up.
	ScratchURL Secret `env:"SCRATCH_URL"`
}

// At returns the time of day of Schedule, and whether there is one.
func (b *Backups) At() (time.Duration, bool) {
	at, err := time.Parse("15:04", b.Schedule)
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, err == nil
}

// spans are the bounds within which backups make sense.
func (b *Backups) spans() []span {
	return []span{
		between("CROWNSAFE_BACKUP_KEEP", b.Keep, time.Hour, 20*365*24*time.Hour),
		between("CROWNSAFE_BACKUP_KEEP_INCREMENTS", b.KeepIncrements, time.Hour, 20*365*24*time.Hour),
		between("CROWNSAFE_BACKUP_KEEP_FULL", b.KeepFull, 1, 1000),
		between("CROWNSAFE_BACKUP_VERIFY_EVERY", b.VerifyEvery, time.Second, 30*24*time.Hour),
	}
}

func (b *Backups) check() error {
	if _, ok := b.At(); b.Schedule != "" && !ok {
		return errors.New("CROWNSAFE_BACKUP_SCHEDULE is no time of day; give one in UTC, such as 02:00")
	}
	if b.Every > 0 && b.Schedule == "" {
		return errors.New("CROWNSAFE_BACKUP_EVERY is set and CROWNSAFE_BACKUP_SCHEDULE is not: incremental backups follow full ones")
	}
	if s := between("CROWNSAFE_BACKUP_EVERY", b.Every, 15*time.Second, 24*time.Hour); b.Every != 0 && !s.within {
		return fmt.Errorf("%s is %v; give 0s for none, or %v to %v", s.variable, s.value, s.low, s.high)
	}
	return nil
}
