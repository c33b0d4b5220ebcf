package ledger

import (
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// A place takes what either kind of store gives for text.
func TestTextIsReadFromBytesToo(t *testing.T) {
	t.Parallel()
	v := NewValues(store.Table{Columns: []store.Column{{Name: "a", Kind: store.Text}, {Name: "b", Kind: store.OptionalInteger}}})
	scanner := v.Places[0].(interface{ Scan(any) error })
	for _, value := range []any{"é\x00", []byte("é\x00")} {
		if err := scanner.Scan(value); err != nil {
			t.Errorf("%T: %v", value, err)
		}
		if row := v.Row(); row[0] != "é\x00" || row[1] != nil {
			t.Errorf("%T: row %q", value, row)
		}
	}
	if scanner.Scan(7) == nil {
		t.Error("a number was read as text")
	}
}
