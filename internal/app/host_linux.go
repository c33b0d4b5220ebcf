package app

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// umask is what new files are kept from. It is read and not set: to ask by umask(2)
// is to change it for a moment, for every file that is made meanwhile.
func umask() fs.FileMode {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return usualUmask
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "Umask:"); is {
			if mask, err := strconv.ParseUint(strings.TrimSpace(value), 8, 32); err == nil {
				return fs.FileMode(mask)
			}
		}
	}
	return usualUmask
}

// coreDumps reports that a crash may leave the memory in a file.
func coreDumps() bool {
	var limit syscall.Rlimit
	return syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil && limit.Cur > 0
}
