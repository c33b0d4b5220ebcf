package loadtest

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper sleeps on a thread of its own by nanosleep(2), which comes within some
// fifty microseconds of when it should.
type sleeper struct{}

func newPacer() *pacer {
	runtime.LockOSThread()
	return &pacer{}
}

func (sleeper) sleep(d time.Duration) {
	spec := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&spec, nil) // a signal may end it early; the caller looks at the clock
}

func (*pacer) close() { runtime.UnlockOSThread() }
