package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
)

// progressLine shows how far a long command is: a bar that redraws itself on a
// terminal, a plain line every few seconds otherwise.
type progressLine struct {
	out      io.Writer
	terminal bool
	last     time.Time
	drawn    bool
}

const (
	barWidth    = 24
	redrawEvery = 100 * time.Millisecond
	plainEvery  = 5 * time.Second
)

func newProgressLine(out io.Writer) *progressLine {
	f, ok := out.(*os.File)
	return &progressLine{out: out, terminal: ok && isatty.IsTerminal(f.Fd()), last: time.Now()}
}

func (p *progressLine) show(done, of int, text string) {
	every := plainEvery
	if p.terminal {
		every = redrawEvery
	}
	if time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	if !p.terminal {
		fmt.Fprintf(p.out, "%d/%d  %s\n", done, of, text)
		return
	}
	filled := barWidth
	if of > 0 {
		filled = barWidth * done / of
	}
	line := fmt.Sprintf("[%s%s] %d/%d  %s", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), done, of, text)
	if len(line) > 100 {
		line = line[:100]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	p.drawn = true
}

// done takes the bar away.
func (p *progressLine) done() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
