// Package corpus invents recall notices in the shape in which the U.S. Consumer
// Product Safety Commission's REST service answers (SaferProducts Programmer's
// Guide, version 1.4), for measurements: as many as asked for, as long and as
// full of codes as real ones, the same ones for the same seed on every machine.
//
// It must not know the program: what reads these notices is under measurement.
package corpus

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
)

// Name is an element of the lists that hold nothing but names.
type Name struct {
	Name      string
	CompanyID string
}

// Product is an element of Products.
type Product struct {
	Name, Description, Model, Type, CategoryID string
	NumberOfUnits                              string // prose
}

// UPC is an element of ProductUPCs.
type UPC struct{ UPC string }

// Image is an element of Images.
type Image struct{ URL, Caption string }

// Hazard is an element of Hazards.
type Hazard struct{ Name, HazardType, HazardTypeID string }

// Recall is one element of the service's answer, its fields named as there.
type Recall struct {
	RecallID              int
	RecallNumber          string // two digits of the fiscal year, three digits, a letter
	RecallDate            string // local time in Washington, without a zone
	Description           string
	URL                   string
	Title                 string
	ConsumerContact       string
	LastPublishDate       string
	Products              []Product
	Inconjunctions        []struct{ URL string }
	Images                []Image
	Injuries              []Name
	Manufacturers         []Name
	Retailers             []Name
	Importers             []Name
	Distributors          []Name
	SoldAtLabel           *string
	ManufacturerCountries []struct{ Country string }
	ProductUPCs           []UPC // 12 digits with a valid check digit
	Hazards               []Hazard
	Remedies              []Name
	RemedyOptions         []struct{ Option string }
}

// The numbers of fiscal years 1977 to 2026. A year has room for 999 notices,
// each number with the letter x, which the agency has never given out: an
// invented notice never stands for a real one.
const (
	firstYear = 1977
	years     = 50
	perYear   = 999
	// Max is how many different notices there can be.
	Max = years * perYear
)

// Between yields the notices from index first up to and without end. The notice
// at an index depends on the seed and the index alone. It panics when the
// indices are not within 0 to Max.
func Between(seed uint64, first, end int) iter.Seq[Recall] {
	if first < 0 || end > Max {
		panic(fmt.Sprintf("corpus: no notices %d to %d; there are %d", first, end, Max))
	}
	return func(yield func(Recall) bool) {
		for i := first; i < end; i++ {
			if !yield(at(seed, i)) {
				return
			}
		}
	}
}

// Write writes notices as the service answers them: one JSON array.
func Write(w io.Writer, recalls iter.Seq[Recall]) error {
	out := bufio.NewWriter(w)
	separator := "["
	for r := range recalls {
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encoding recall %s: %w", r.RecallNumber, err)
		}
		fmt.Fprintf(out, "%s\n%s", separator, text)
		separator = ","
	}
	if separator == "[" {
		fmt.Fprint(out, separator)
	}
	fmt.Fprint(out, "\n]\n")
	if err := out.Flush(); err != nil { // a bufio.Writer keeps its first error
		return fmt.Errorf("writing recalls: %w", err)
	}
	return nil
}

// Queries returns n different searches, such as people type: brands, classes of
// products, hazards, two or three of them together, some mistyped.
func Queries(seed uint64, n int) []string {
	random := rand.New(rand.NewPCG(seed, queryStream))
	queries, seen := make([]string, 0, n), map[string]bool{}
	for len(queries) < n {
		c := pick(random, classes)
		brand, danger := brandName(random), hazards[pick(random, c.hazards)].title
		var q string
		switch random.IntN(6) {
		case 0:
			q = brand
		case 1:
			q = brand + " " + c.one
		case 2:
			q = c.many
		case 3:
			q = c.one + " " + danger
		case 4:
			q = strings.Join([]string{pick(random, colours), c.one, c.part}, " ")
		case 5:
			q = mistyped(random, c.one) + " " + brand
		}
		if q = strings.ToLower(q); !seen[q] {
			seen[q] = true
			queries = append(queries, q)
		}
	}
	return queries
}

// mistyped exchanges two neighbouring letters, as fast fingers do.
func mistyped(random *rand.Rand, word string) string {
	letters := []byte(word)
	i := 1 + random.IntN(len(letters)-2)
	letters[i], letters[i+1] = letters[i+1], letters[i]
	return string(letters)
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func brandName(random *rand.Rand) string { return pick(random, brandHeads) + pick(random, brandTails) }
