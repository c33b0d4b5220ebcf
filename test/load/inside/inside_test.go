package inside

import (
	"path/filepath"
	"testing"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/test/load/multiply"
)

func TestMeasure_asksEveryKindOfQuestion(t *testing.T) {
	const invented, count = 300, 700
	originals, err := Originals(t.Context(), 1, "", invented)
	if err != nil || len(originals) != invented {
		t.Fatalf("%d notices, %v; want %d", len(originals), err, invented)
	}
	data, m := filepath.Join(t.TempDir(), "data"), multiply.New(1, originals)
	if err := Fill(t.Context(), data, m, count); err != nil {
		t.Fatal(err)
	}
	r, err := Measure(t.Context(), data, m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Notices < count || len(r.Barcode) == 0 || len(r.Model) == 0 || len(r.Search) < len(kinds) || len(r.Update) != updates || r.Answered == 0 || r.Heap <= 0 {
		t.Errorf("%d notices, %d barcodes, %d models, %d searches, %d updates, %d answered, %d bytes",
			r.Notices, len(r.Barcode), len(r.Model), len(r.Search), len(r.Update), r.Answered, r.Heap)
	}
}

func TestOriginals_ofAnEmptyFolderAreAnError(t *testing.T) {
	if notices, err := Originals(t.Context(), 1, t.TempDir(), 1); err == nil {
		t.Errorf("%d notices without an error", len(notices))
	}
}

func TestUnits_areAQuarterOfEachKind(t *testing.T) {
	n := recall.Notice{Products: []recall.Product{{Brand: "Zorbino", Name: "infant walkers", Models: []string{"ZW-1"},
		GTINs: []recall.PrintedGTIN{{GTIN: "00041220787340", Printed: "041220787340"}}}}}
	got := Units([]recall.Notice{n, n, n}, 8)
	var byGTIN, byModel, known int
	for _, u := range got {
		if u.GTIN != "" {
			byGTIN++
		}
		if u.Model == "ZW-1" {
			byModel++
		}
		if u.Brand == "Zorbino" {
			known++
		}
	}
	if len(got) != 8 || byGTIN != 2 || byModel != 2 || known != 4 {
		t.Errorf("%d units: %d by barcode, %d by model, %d of the brand", len(got), byGTIN, byModel, known)
	}
}
