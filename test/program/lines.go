package program

import (
	"strings"
	"sync"
)

// linesKept is how many of the last lines are there at least.
const linesKept = 5000

// Lines are log lines, collected from another goroutine.
type Lines struct {
	mu    sync.Mutex
	lines []string
}

func (b *Lines) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
	if len(b.lines) > 2*linesKept { // a server under load says more than memory holds
		b.lines = append(b.lines[:0], b.lines[len(b.lines)-linesKept:]...)
	}
}

func (b *Lines) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}
