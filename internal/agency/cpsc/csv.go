package cpsc

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// parseCSV reads cpsc.gov's export: one recall a row, columns by name.
func (a *Agency) parseCSV(ctx context.Context, payload io.Reader, sink agency.Sink) error {
	rows := csv.NewReader(agency.SkipMark(payload))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("reading the header of CPSC's export: %w", csvError(rows, err))
	}
	if !isExport(header) {
		return fmt.Errorf("the header %q is not that of CPSC's export", header)
	}
	cells, err := rows.Read()
	for position := 1; err == nil; position++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		// The next row is read first: only the last one may have been cut.
		next, nextErr := rows.Read()
		switch {
		case len(cells) == len(header):
			if err := a.readRow(header, cells, position, sink); err != nil {
				return err
			}
		case len(cells) < len(header) && errors.Is(nextErr, io.EOF):
			return fmt.Errorf("reading row %d of CPSC's export: %w (%d of %d cells)", position, agency.ErrTruncated, len(cells), len(header))
		default:
			if err := sink.Reject(agency.Reject{
				Position: position, Reason: fmt.Sprintf("%d cells under %d columns", len(cells), len(header)),
				Excerpt: agency.ExcerptOf([]byte(strings.Join(cells, ","))),
			}); err != nil {
				return err
			}
		}
		cells, err = next, nextErr
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading CPSC's export: %w", csvError(rows, err))
	}
	return nil
}

func (a *Agency) readRow(header, cells []string, position int, sink agency.Sink) error {
	row := make(map[string]string, len(header))
	for i, column := range header {
		row[column] = cells[i]
	}
	record, err := a.record(rowRecall(row))
	if err != nil {
		return sink.Reject(agency.Reject{
			NativeID: row["Recall Number"], Position: position, Reason: err.Error(),
			Excerpt: agency.ExcerptOf([]byte(strings.Join(cells, ","))),
		})
	}
	maps.DeleteFunc(row, func(_, cell string) bool { return cell == "" }) // columns come and go between exports
	record.SourceHash = agency.HashOf(row)
	return sink.Record(record)
}

// csvError says ErrTruncated where the payload ends inside a quoted cell.
func csvError(rows *csv.Reader, err error) error {
	if errors.Is(err, csv.ErrQuote) {
		if _, behind := rows.Read(); errors.Is(behind, io.EOF) {
			return fmt.Errorf("%w (%w)", agency.ErrTruncated, err)
		}
	}
	return err
}

// rowRecall brings a row into the shape that both formats share. A unilateral
// warning stands in columns of its own; its number is of the same series.
func rowRecall(row map[string]string) source {
	cell := func(column string) agency.Text { return agency.Text(row[column]) }
	s := source{
		number: row["Recall Number"], date: row["Date"],
		title: cell("Recall Heading").Clean(), description: cell("Description").Clean(),
		incidents: cell("Incidents").Clean(), remedy: cell("Remedy").Clean(),
		products: appendText(nil, cell("Name of product")), units: appendText(nil, cell("Units")),
		hazards: appendText(nil, cell("Hazard Description")), soldAt: appendText(nil, cell("Sold At")),
		manufacturers: appendText(nil, cell("Manufacturers")), importers: appendText(nil, cell("Importers")),
		distributors: appendText(nil, cell("Distributors")),
		completeness: completenessCSV,
	}
	if warning := cell("Product Safety Warning Number").Clean(); warning != "" {
		if agency.Missing(s.number) {
			s.number, s.date = warning, row["Product Safety Warning Date"]
		} else {
			s.warning = warning
		}
	}
	if s.description == "" {
		s.description = cell("Original Product Safety Warning Announcement").Clean()
	}
	if s.remedy == "" {
		s.remedy = cell("Consumer Action").Clean()
	}
	for option := range strings.SplitSeq(row["Remedy Type"], ",") {
		s.remedyOptions = appendText(s.remedyOptions, agency.Text(option))
	}
	switch label := strings.ToLower(row["Custom Label"]); {
	case strings.Contains(label, "retailer"), strings.Contains(label, "seller"), strings.Contains(label, "sold"):
		s.soldAt = appendText(s.soldAt, cell("Custom Field"))
	}
	return s
}
