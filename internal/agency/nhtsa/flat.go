package nhtsa

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/crownsafe/api/internal/agency"
)

// The flat file's columns that are read, counted from 0 (RCL.txt counts from 1).
const (
	colRecordID     = 0
	colCampaign     = 1  // CAMPNO
	colMake         = 2  // MAKETXT
	colModel        = 3  // MODELTXT
	colYear         = 4  // YEARTXT
	colComponent    = 6  // COMPNAME
	colFiledBy      = 7  // MFGNAME
	colBegin        = 8  // BGMAN
	colEnd          = 9  // ENDMAN
	colType         = 10 // RCLTYPECD
	colAffected     = 11 // POTAFF
	colManufacturer = 14 // MFGTXT
	colReceived     = 15 // RCDATE
	colCreated      = 16 // DATEA
	colDefect       = 19 // DESC_DEFECT
	colConsequence  = 20 // CONEQUENCE_DEFECT
	colCorrective   = 21 // CORRECTIVE_ACTION
	colNotes        = 22 // NOTES, since 2007
	colDoNotDrive   = 27 // DO_NOT_DRIVE, since 2025
	colParkOutside  = 28 // PARK_OUTSIDE, since 2025

	minColumns = 23
	maxColumns = 29
)

// longestLine is what is read of one line; the dictionary promises 17,108 bytes.
const longestLine = 1 << 20

// parseFlat reads the flat file, which has a row for each campaign, make,
// model, year and component, in no promised order: campaigns are gathered over
// the whole file. In memory are the texts of each campaign once, and its
// distinct products, never the rows.
func (a *Agency) parseFlat(ctx context.Context, payload io.Reader, sink agency.Sink) error {
	lines := bufio.NewReaderSize(agency.SkipMark(payload), longestLine)
	g := newGathering()
	var broken error
	for position := 1; broken == nil; position++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := lines.ReadSlice('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			if err := sink.Reject(agency.Reject{Position: position, Reason: "the line is longer than 1 MiB", Excerpt: agency.ExcerptOf(line)}); err != nil {
				return err
			}
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			broken = fmt.Errorf("reading line %d: %w", position, err)
		}
		text := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		columns := strings.Split(text, "\t")
		if reason := faultOf(columns); reason != "" {
			if err != nil { // the last line, without its end
				broken = fmt.Errorf("%w (in line %d)", agency.ErrTruncated, position)
			}
			g.damaged(columns)
			if err := sink.Reject(agency.Reject{NativeID: campaignOf(columns), Position: position, Reason: reason, Excerpt: agency.ExcerptOf(line)}); err != nil {
				return err
			}
			continue
		}
		g.add(rowOf(columns), position, digestOf(columns))
	}
	return errors.Join(broken, a.emit(ctx, g, completenessFlat, sink))
}

// faultOf says why a row can't be read, or "".
func faultOf(columns []string) string {
	switch {
	case len(columns) < minColumns || len(columns) > maxColumns:
		return fmt.Sprintf("the row has %d columns instead of %d to %d", len(columns), minColumns, maxColumns)
	case campaignOf(columns) == "":
		return fmt.Sprintf("%q is no campaign number", columns[colCampaign])
	}
	return ""
}

// campaignOf returns a row's campaign number, or "".
func campaignOf(columns []string) string {
	if len(columns) <= colCampaign {
		return ""
	}
	if number := strings.ToUpper(strings.TrimSpace(columns[colCampaign])); isCampaign(number) {
		return number
	}
	return ""
}

func rowOf(columns []string) row {
	column := func(i int) string {
		if i < len(columns) {
			return strings.TrimSpace(columns[i])
		}
		return ""
	}
	r := row{
		campaign: campaignOf(columns), make: column(colMake), model: column(colModel), year: column(colYear),
		component: column(colComponent), manufacturer: column(colManufacturer),
		begin: column(colBegin), end: column(colEnd), kind: column(colType), affected: column(colAffected),
		received: column(colReceived), created: column(colCreated),
		defect: column(colDefect), consequence: column(colConsequence), corrective: column(colCorrective), notes: column(colNotes),
		doNotDrive: yes(column(colDoNotDrive)), parkOutside: yes(column(colParkOutside)),
	}
	if r.manufacturer == "" {
		r.manufacturer = column(colFiledBy)
	}
	return r
}

func yes(s string) bool { return strings.EqualFold(s, "yes") || strings.EqualFold(s, "true") }

// digestOf digests a row but for its running number, which is given anew
// whenever the file is built.
func digestOf(columns []string) digest {
	h := sha256.New()
	for _, c := range columns[colCampaign:] {
		_, _ = io.WriteString(h, strings.TrimSpace(c)) // a hash never fails to write
		_, _ = h.Write([]byte{'\t'})
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return digest{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]), binary.BigEndian.Uint64(sum[16:24])}
}

// digest sums up rows in any order.
type digest [3]uint64

func (d *digest) add(other digest) {
	for i := range d {
		d[i] += other[i]
	}
}
