package blob

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// /dev/full is the kernel's own full disk; see full(4).
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if _, _, err := compress(full, strings.NewReader("a payload")); !errors.Is(err, ErrFull) {
		t.Errorf("compress: %v, want ErrFull", err)
	}
}

func TestFromSystemLeavesOtherErrors(t *testing.T) {
	t.Parallel()
	if err := FromSystem(nil); err != nil {
		t.Errorf("FromSystem(nil) is %v", err)
	}
	if err := FromSystem(os.ErrClosed); err != os.ErrClosed {
		t.Errorf("FromSystem(os.ErrClosed) is %v", err)
	}
}
