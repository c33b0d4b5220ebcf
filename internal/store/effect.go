package store

import "fmt"

// String names the effect for people.
func (e Effect) String() string {
	switch e {
	case Added:
		return "added"
	case Revised:
		return "revised"
	case Unchanged:
		return "unchanged"
	case Older:
		return "older"
	case Unheard:
		return "unheard"
	}
	return fmt.Sprintf("effect %d", int(e))
}
