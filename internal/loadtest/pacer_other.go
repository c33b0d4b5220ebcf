//go:build !linux

package loadtest

import "time"

// sleeper sleeps by the runtime's timers.
type sleeper struct{}

func newPacer() *pacer { return &pacer{} }

func (sleeper) sleep(d time.Duration) { time.Sleep(d) }

func (*pacer) close() {}
