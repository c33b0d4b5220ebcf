package recall

import "slices"

// Quality is how well a notice lets people find out whether their unit is
// affected, and what to do then. It tells of the agency's words as far as they
// were understood.
type Quality struct {
	Barcode   bool    // a product carries a barcode that was printed in full
	UnitCodes bool    // some lot, serial number, date code or window limits a product, and was understood
	Model     bool    // a product names a model
	Image     bool    // there is a picture
	Remedy    bool    // it says what to do
	Contact   bool    // it says whom to ask
	Flags     FlagSet // of the kinds of Flags that the notice has
}

// The weights of a score, in points of 100. What identifies a unit weighs most:
// a notice that cannot be matched helps nobody.
const (
	pointsBarcode   = 25
	pointsUnitCodes = 20
	pointsModel     = 20
	pointsRemedy    = 15
	pointsImage     = 10
	pointsContact   = 10
	pointsOffFlag   = 10 // for each kind of flag
)

// QualityOf looks at a notice.
func QualityOf(n *Notice) Quality {
	q := Quality{
		Barcode: n.HasBarcode(), Image: len(n.Images) > 0,
		Remedy: len(n.Remedy.Types) > 0 || n.Remedy.Text != "", Contact: n.Remedy.Contact != "",
	}
	for i := range n.Products {
		q.Model = q.Model || len(n.Products[i].Models) > 0
		q.UnitCodes = q.UnitCodes || hasLimit(n.Products[i].Units)
	}
	for _, f := range Flags(n) {
		q.Flags |= 1 << slices.Index(flagKinds[:], f.Kind)
	}
	return q
}

// Score is 0 to 100: the points of what the notice has, less those of its flags.
func (q Quality) Score() int {
	score := -pointsOffFlag * q.Flags.Len()
	for _, part := range []struct {
		has    bool
		points int
	}{
		{q.Barcode, pointsBarcode}, {q.UnitCodes, pointsUnitCodes}, {q.Model, pointsModel},
		{q.Remedy, pointsRemedy}, {q.Image, pointsImage}, {q.Contact, pointsContact},
	} {
		if part.has {
			score += part.points
		}
	}
	return max(0, score)
}
