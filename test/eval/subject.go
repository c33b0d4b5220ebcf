package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/recall"
)

// subject is the program with the real notices in it.
type subject struct {
	app    *app.App
	snap   *catalogue.Snapshot
	folder string // its data directory
}

// open imports the files into a fresh data directory and loads the catalogue.
func open(ctx context.Context, files string, progress io.Writer) (*subject, error) {
	folder, err := os.MkdirTemp("", "crownsafe-eval-")
	if err != nil {
		return nil, fmt.Errorf("making a data directory: %w", err)
	}
	s := &subject{folder: folder}
	cfg, err := config.Load(ctx, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	cfg.Data, cfg.Offline = folder, true
	if s.app, err = app.Open(ctx, cfg, slog.New(slog.DiscardHandler), "eval"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if _, err := s.app.Runner.Import(ctx, []string{files}, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("importing %s: %w", files, err), s.close())
	}
	if err := s.app.Load(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.snap = s.app.Catalogue.Current()
	fmt.Fprintf(progress, "measuring on %d notices\n", s.snap.Len())
	return s, nil
}

func (s *subject) close() error {
	return errors.Join(s.app.Close(), os.RemoveAll(s.folder))
}

// ask puts every question of the set.
func (s *subject) ask(set caseSet) (report, error) {
	var r report
	for i := range set.units {
		r.Units = append(r.Units, s.askUnit(&set.units[i]))
	}
	for i := range set.searches {
		found, err := s.search(&set.searches[i])
		if err != nil {
			return r, err
		}
		r.Searches = append(r.Searches, found)
	}
	return r, nil
}

func (s *subject) askUnit(c *unitCase) unitResult {
	verdict, err := s.app.Lookup.Verdict(s.snap, c.Ask)
	if err != nil {
		return unitResult{unitCase: c, Refused: err.Error()}
	}
	result := unitResult{unitCase: c, Got: verdict.Verdict}
	for i := range verdict.Matches {
		match := &verdict.Matches[i]
		result.Matches = append(result.Matches, fmt.Sprintf("%s %s", match.Recall.ID, match.Verdict))
		if match.Verdict == c.Verdict && slices.Contains(c.Recalls, match.Recall.ID) {
			result.Named++
		}
		if i == 0 && match.Need != nil {
			result.Need = match.Need.Identifier
		}
	}
	return result
}

func (s *subject) search(c *searchCase) (searchResult, error) {
	query := catalogue.Query{Words: c.Words, Limit: max(c.Rank, shownHits)}
	for name, value := range c.Params {
		switch name {
		case "agency":
			query.Agencies = []string{value}
		case "audience":
			query.Audiences = []recall.Audience{recall.Audience(value)}
		case "country":
			query.Countries = []string{value}
		case "hazard":
			query.Hazards = []recall.HazardType{recall.HazardType(value)}
		case "sort":
			query.Sort = catalogue.Sort(value)
		case "category":
			query.Categories = []string{value}
		default:
			return searchResult{}, fmt.Errorf("%s has the unknown parameter %q", c.ID, name)
		}
	}
	page, err := s.snap.Search(query)
	if err != nil {
		return searchResult{}, fmt.Errorf("searching for %q: %w", c.Words, err)
	}
	result := searchResult{searchCase: c}
	for i := range page.Hits {
		id := page.Hits[i].Notice.ID
		result.Hits = append(result.Hits, id)
		if result.FoundAt == 0 && slices.Contains(c.Recalls, id) {
			result.FoundAt = i + 1
		}
	}
	return result, nil
}

// The agency's own categories that say for whom a product is made: what stands
// on the shelf for babies, and what for children of any age.
var (
	infantCategories = []string{"babies-and-kids", "nursery-equipment", "baby-walkers-and-jumpers"}
	childCategories  = []string{"toys", "nightwear"}
)

// goldFile holds, for each recall, the categories under which the agency's
// website lists it.
const goldFile = "derived_recall_number_to_cpsc_web_categories.json"

// audience compares what notices were sorted to with the agency's categories.
func (s *subject) audience(files string) (audienceResult, error) {
	var result audienceResult
	content, err := os.ReadFile(filepath.Join(files, "us-cpsc", goldFile))
	if errors.Is(err, os.ErrNotExist) {
		return result, nil // measured only where the folder holds it
	}
	if err != nil {
		return result, fmt.Errorf("reading the agency's categories: %w", err)
	}
	var gold map[string][]string
	if err := json.Unmarshal(content, &gold); err != nil {
		return result, fmt.Errorf("reading the agency's categories: %w", err)
	}
	for number, categories := range gold {
		notice, _, ok := s.snap.Notice("us-cpsc:" + number)
		if !ok {
			continue
		}
		result.add(number, notice.Title, isForChildren(categories), notice.Audience != recall.General)
	}
	return result, nil
}

func isForChildren(categories []string) bool {
	return slices.ContainsFunc(categories, func(c string) bool {
		return slices.Contains(infantCategories, c) || slices.Contains(childCategories, c)
	})
}
