package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
)

func TestReadFindsModelNumber(t *testing.T) {
	got := extract.Read([]extract.Field{{Name: "description", Text: "This recall involves the Lumo bouncer with model number QX70CFA."}}, extract.Options{})
	if diff := cmp.Diff([]string{"QX70CFA"}, got.Models); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
}
