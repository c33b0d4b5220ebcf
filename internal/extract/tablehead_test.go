package extract

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is passed over before the expression is asked must be no head.
func TestMayBeHead_passesOverNoHead(t *testing.T) {
	t.Parallel()
	var words []string
	for _, h := range heads {
		words = append(words, strings.FieldsFunc(h.words, func(r rune) bool { return strings.ContainsRune(`|()?:\`, r) })...)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(words).Draw(t, "word") + rapid.StringMatching(`[A-Za-z .#0-9()/-]{0,20}`).Draw(t, "rest")
		s = s[min(len(s), rapid.IntRange(0, 2).Draw(t, "cut")):]
		if headWord.MatchString(s) && !mayBeHead(s) {
			t.Errorf("%q begins with a head and is passed over", s)
		}
	})
	for _, h := range []string{"UPC", "Lot", "Lots", "Serial No", "Model #", "Use By", "Exp Date", "SKU", "Size(s)", "Best If Used By"} {
		if !mayBeHead(h) || !headWord.MatchString(h) {
			t.Errorf("%q is no head", h)
		}
	}
	if mayBeHead("The") || mayBeHead("UP") || mayBeHead("") {
		t.Error("what is no head is not passed over")
	}
}
