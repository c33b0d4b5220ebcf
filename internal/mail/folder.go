package mail

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Folder writes each letter to a file of its own instead of sending it, and says
// in the log where: for development. Only its owner may read the files.
type Folder struct {
	dir, from string
	logger    *slog.Logger
}

// NewFolder makes the folder when the first letter comes.
func NewFolder(dir, from string, logger *slog.Logger) *Folder {
	return &Folder{dir: dir, from: from, logger: logger}
}

// Send implements Sender.
func (f *Folder) Send(_ context.Context, m Message) error {
	msg, err := letter(f.from, m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for letters: %w", err)
	}
	file, err := os.CreateTemp(f.dir, time.Now().UTC().Format("20060102T150405.000Z")+"-*.eml") // mode 0600
	if err != nil {
		return fmt.Errorf("writing a letter: %w", err)
	}
	_, err = msg.WriteTo(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("writing a letter: %w", err)
	}
	f.logger.Info("no mail server is set: the letter was written to a file", "file", filepath.Clean(file.Name()), "subject", m.Subject)
	return nil
}
