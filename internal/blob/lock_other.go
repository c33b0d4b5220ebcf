//go:build !unix

package blob

import "os"

// LockFile locks nothing where there is no flock(2): several processes may not
// share a folder there.
func LockFile(*os.File, bool) error { return nil }

// UnlockFile is LockFile's other half.
func UnlockFile(*os.File) error { return nil }
