//go:build !linux

package app

import "io/fs"

// umask is taken to be the usual one where it can't be read.
func umask() fs.FileMode { return usualUmask }

// coreDumps is taken to be off, as it is by default.
func coreDumps() bool { return false }
