package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// shelf is a store.Notices in memory that only feeds catalogues.
type shelf struct {
	store.Notices // what a catalogue never calls

	mu     sync.Mutex
	byID   map[string]store.Stored
	serial int64
	err    error // what every call returns, if set
	calls  int
}

func newShelf(notices ...recall.Notice) *shelf {
	s := &shelf{byID: map[string]store.Stored{}}
	s.put(notices...)
	return s
}

func (s *shelf) put(notices ...recall.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range notices {
		s.serial++
		s.byID[n.ID] = store.Stored{Serial: s.serial, Notice: n, Tombstone: n.Status == recall.Withdrawn}
	}
}

// withdraw does what store.Notices says of it.
func (s *shelf) withdraw(id string) {
	n := s.byID[id].Notice
	n.Status = recall.Withdrawn
	s.put(n)
}

// supersede makes an id a tombstone that is not a withdrawn notice.
func (s *shelf) supersede(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	old := s.byID[id]
	old.Serial, old.Tombstone = s.serial, true
	s.byID[id] = old
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) Serial(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	return s.serial, s.err
}

func (s *shelf) Changes(ctx context.Context, since int64, limit int, yield func(store.Stored) error) error {
	s.mu.Lock()
	var list []store.Stored
	for _, stored := range s.byID {
		if stored.Serial > since {
			list = append(list, stored)
		}
	}
	err := s.err
	s.mu.Unlock()
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b store.Stored) int { return cmp.Compare(a.Serial, b.Serial) })
	for _, stored := range list {
		if err := yield(stored); err != nil {
			return err
		}
	}
	return nil
}

// The words that synthetic notices are made of.
var (
	synthKinds = strings.Fields(`stroller crib highchair bassinet walker swing bouncer rattle teether pacifier carseat playpen
		dresser lamp heater blender helmet scooter bicycle tricycle pram cot gate mattress bottle cup plush doll puzzle train
		trampoline tent lantern charger kettle toaster fan humidifier monitor blanket sleepsack pajamas hoodie jacket sandals`)
	synthAdjectives = strings.Fields(`folding portable wooden electric rechargeable adjustable musical convertible deluxe compact
		mini travel outdoor organic magnetic inflatable stackable glow soft classic`)
	synthHazards = []recall.HazardType{recall.HazardFall, recall.HazardFire, recall.HazardChoking, recall.HazardBurn,
		recall.HazardTipOver, recall.HazardLead, recall.HazardMicrobial, recall.HazardEntrapment}
	synthProse = strings.Fields(`the recalled product was sold in several colours and has a label under the seat where its number
		stands the frame can collapse while a child is in it and the buckle may open without notice consumers reported that screws
		loosened and small parts came off the firm received reports of broken hinges overheated motors cracked housings and sharp
		edges nobody else was hurt units made before spring carry another fastening and are not part of it owners find the mark on
		the underside near the left wheel between two rivets it measures about thirty inches and weighs eleven pounds shops online
		and nationwide offered it for about forty dollars from january until october`)
	synthAgencies = []string{"us-cpsc", "us-fda", "fr-rappelconso", "ca-hc", "eu-safety-gate", "uk-opss"}
	synthCountry  = []string{"US", "US", "FR", "CA", "DE", "GB"}
	syllables     = strings.Fields("ba bo da do fe fi ga go ka ki la lo ma mi na no pa pe ra ri sa so ta tu va vo za zu bri clo dren flo gral stu")
)

// synthetic returns the i-th of an endless row of notices; the same every time.
func synthetic(i int) recall.Notice {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	brandNumber := r.IntN(40 + i/6)
	br := rand.New(rand.NewPCG(uint64(brandNumber), 11))
	brand := ""
	for range 2 + br.IntN(3) {
		brand += syllables[br.IntN(len(syllables))]
	}
	brand = strings.ToUpper(brand[:1]) + brand[1:]
	a := r.IntN(len(synthAgencies))
	kind := pick(synthKinds)
	line := ""
	for range 2 {
		line += pick(syllables)
	}
	name := fmt.Sprintf("%s %s %s %s", brand, line, pick(synthAdjectives), kind)
	var prose []string
	for range 90 + r.IntN(120) {
		prose = append(prose, pick(synthProse))
	}
	hazard := synthHazards[r.IntN(len(synthHazards))]
	model := fmt.Sprintf("%c%c-%d", 'A'+r.IntN(26), 'A'+r.IntN(26), 1000+i)
	n := recall.Notice{
		ID: fmt.Sprintf("%s:%02d-%06d", synthAgencies[a], i%40, i), Agency: synthAgencies[a],
		URL:      fmt.Sprintf("https://agency.example/recalls/%d/%s", 2000+i%26, strings.ReplaceAll(strings.ToLower(name), " ", "-")),
		Language: "en", Title: fmt.Sprintf("%s Recalls %s Due to %s Hazard", brand, name, hazard),
		Summary:     strings.Join(prose, " ") + ". Model " + model + ".",
		PublishedAt: time.Date(2000+i%26, time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC),
		FirstSeenAt: time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC), Revision: 1, Status: recall.Active, AgencyStatus: "ongoing",
		Countries: []string{synthCountry[a]}, Audience: []recall.Audience{recall.Infant, recall.Child, recall.General}[r.IntN(3)],
		Categories: []string{pick([]string{"toys", "nursery", "appliances", "furniture", "food", "clothing"})},
		Hazards:    []recall.Hazard{{Type: hazard, Text: "The " + kind + " poses a " + string(hazard) + " hazard; " + strings.Join(prose[:12], " ")}},
		Remedy:     recall.Remedy{Types: []recall.RemedyType{recall.RemedyRefund}, Text: "Stop using the " + kind + " at once and write to " + brand + " for a full refund or a free repair kit.", Contact: "Toll-free from 8 to 17 o'clock or at recall@" + strings.ToLower(brand) + ".example"},
		UnitsCount: []recall.UnitCount{{Country: synthCountry[a], Count: 100 + r.IntN(90000), Approximate: true}},
		SoldAt:     []string{pick([]string{"Baby shops and online from January 2019 to May 2021 for about $40", "Toy shops nationwide", "Its own site"})},
		Images:     []string{fmt.Sprintf("https://agency.example/images/%d-front.jpg", i), fmt.Sprintf("https://agency.example/images/%d-label.jpg", i)},
		Provenance: recall.Provenance{FetchedAt: time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC), SourceURL: "https://agency.example/api/all.json",
			SHA256: fmt.Sprintf("%064x", r.Uint64()), Raw: fmt.Sprintf("raw/%064x.gz", i/500), Licence: "public domain", Attribution: "by the agency named"},
	}
	p := recall.Product{Name: name, Brand: brand, Models: []string{model}}
	if r.IntN(2) == 0 {
		digits := fmt.Sprintf("%011d", 80000000000+i*7)
		check, _ := gtin.CheckDigit(digits)
		printed := digits + string(check)
		p.GTINs = []recall.PrintedGTIN{{GTIN: gtin.Pad14(printed), Printed: printed, From: "description"}}
	}
	for u := range r.IntN(3) {
		p.Units = append(p.Units, recall.Equals(u, recall.Lot, fmt.Sprintf("L%d", 10000+r.IntN(90000)), recall.Quote{Text: "lot printed under the seat", Field: "description", Start: 10, End: 36}))
	}
	n.Products = []recall.Product{p}
	n.Normalise()
	return n
}

func synthetics(from, to int) []recall.Notice {
	list := make([]recall.Notice, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, synthetic(i))
	}
	return list
}
