package account

import "strings"

// Text returns a text as every store can keep it: what is no UTF-8, and the
// character 0, become U+FFFD.
func Text(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
