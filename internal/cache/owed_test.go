package cache

import (
	"fmt"
	"testing"
)

// What is added again while it is being paid stays owed: it may have happened
// after the store forgot.
func TestOwedAgain(t *testing.T) {
	t.Parallel()
	var o owed
	if !o.none() || len(o.due()) != 0 {
		t.Error("something is owed at first")
	}
	o.add([]Mark{"a", "b"})
	due := o.due()
	o.add([]Mark{"b", "c"})
	o.settle(due)
	if left := o.due(); len(left) != 2 || left["b"] == 0 || left["c"] == 0 || o.none() {
		t.Errorf("%v is owed, want b and c", left)
	}
	o.settle(o.due())
	if !o.none() {
		t.Errorf("%v is owed, want nothing", o.due())
	}
	// The same while all that there was became one.
	o.add([]Mark{"a"})
	due = o.due()
	for i := range mostOwed {
		o.add([]Mark{Mark(fmt.Sprint(i))})
	}
	o.settle(due)
	if left := o.due(); left[All] == 0 {
		t.Errorf("%d are owed, want all", len(left))
	}
}
