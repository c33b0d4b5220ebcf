package scan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDigitsMustBePlain(t *testing.T) {
	for name, test := range map[string]struct {
		widths []float64
		want   bool
	}{
		"a 2":                   {[]float64{2, 1, 2, 2}, true},
		"a 2, a little off":     {[]float64{2.3, 0.8, 1.9, 2}, true},
		"a 2 of other size":     {[]float64{6, 3, 6, 6}, true},
		"between three digits":  {[]float64{1.7, 1.7, 1.6, 2}, false},
		"a 2, washed out":       {[]float64{2.55, 0.4, 2.05, 2}, false},
		"one bar far too broad": {[]float64{1, 1, 1, 9}, false},
	} {
		if got := clearDigit(test.widths); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestLinesMustAgree(t *testing.T) {
	const right, wrong = "]E04006381333931", "]E04006381333948"
	at := func(symbology Symbology, text string, from float64) []reading {
		return []reading{{Code{symbology, text}, from, from + 100}}
	}
	read := func(b *ballot, symbology Symbology, text string, from float64, first, lines int) {
		for line := range lines {
			b.count(first+line, 0, at(symbology, text, from))
		}
	}
	tests := map[string]struct {
		count      func(b *ballot)
		sure, weak []Code
	}{
		"one line": {func(b *ballot) { read(b, EAN13, right, 0, 1, 1) }, nil, nil},
		"one line, looked at again and again": {func(b *ballot) {
			for range 9 {
				read(b, EAN13, right, 0, 1, 1)
			}
		}, nil, nil},
		"enough lines":         {func(b *ballot) { read(b, EAN13, right, 0, 1, 3) }, []Code{{EAN13, right}}, nil},
		"too few for an EAN-8": {func(b *ballot) { read(b, EAN8, "]E496385074", 0, 1, 4) }, nil, nil},
		"another reading of the same place": {func(b *ballot) {
			read(b, EAN13, right, 0, 1, 8)
			read(b, EAN13, wrong, 5, 3, 2)
		}, nil, nil},
		"one stray line": {func(b *ballot) {
			read(b, EAN13, right, 0, 1, 8)
			read(b, EAN13, wrong, 5, 3, 1)
		}, []Code{{EAN13, right}}, nil},
		"another code beside it": {func(b *ballot) {
			read(b, EAN13, right, 0, 1, 8)
			read(b, EAN13, wrong, 300, 1, 6)
		}, []Code{{EAN13, right}, {EAN13, wrong}}, nil},
		"another code below it": {func(b *ballot) {
			read(b, EAN13, right, 0, 1, 8)
			read(b, EAN13, wrong, 0, 20, 6)
		}, []Code{{EAN13, right}, {EAN13, wrong}}, nil},
		"a UPC-E is weak": {func(b *ballot) { read(b, UPCE, "]E00012345000065", 0, 1, 8) }, nil, []Code{{UPCE, "]E00012345000065"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var b ballot
			test.count(&b)
			sure, weak := b.result()
			if diff := cmp.Diff([][]Code{test.sure, test.weak}, [][]Code{sure, weak}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
