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
	unit     string // what is counted, in the plural
	terminal bool
	last     time.Time
	drawn    bool
}

const (
	barWidth    = 24
	redrawEvery = 100 * time.Millisecond
	plainEvery  = 5 * time.Second
)

func newProgressLine(out io.Writer, unit string) *progressLine {
	return &progressLine{out: out, unit: unit, terminal: isTerminal(out), last: time.Now()}
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// show tells how much is done, of a total that is 0 when nobody knows it.
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
		fmt.Fprintf(p.out, "%s  %s\n", p.share(done, of), text)
		return
	}
	filled := barWidth
	if of > 0 {
		filled = barWidth * min(done, of) / of // a file may grow while it is read
	}
	line := fmt.Sprintf("[%s%s] %s  %s", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), p.share(done, of), text)
	if r := []rune(line); len(r) > 100 {
		line = string(r[:100])
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	p.drawn = true
}

// share words how much of a total is done.
func (p *progressLine) share(done, of int) string {
	if of == 0 {
		return fmt.Sprintf("%d %s", done, p.unit)
	}
	return fmt.Sprintf("%d/%d %s", done, of, p.unit)
}

// done takes the bar away.
func (p *progressLine) done() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
