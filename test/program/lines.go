package program

import (
	"strings"
	"sync"
)

// Lines are log lines, collected from another goroutine.
type Lines struct {
	mu    sync.Mutex
	lines []string
}

func (b *Lines) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

func (b *Lines) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}
