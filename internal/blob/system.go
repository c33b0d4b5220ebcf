package blob

import (
	"errors"
	"fmt"
	"syscall"
)

// FromSystem puts the port's error before the operating system's for a write
// that failed; any other error comes back as it is.
func FromSystem(err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err
	}
	switch errno {
	case syscall.ENOSPC, syscall.EDQUOT:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case syscall.EACCES, syscall.EPERM, syscall.EROFS:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
