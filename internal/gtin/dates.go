package gtin

import (
	"fmt"
	"time"
)

// readDate reads the YYMMDD of an AI (section 3.4) as YYYY-MM-DD. Day 00 leaves
// the day open and gives YYYY-MM. The section reads the open day of an expiry
// date as the last of the month; the whole month is kept here, so that no day is
// stated which the label does not print.
func readDate(yymmdd string, now time.Time) (string, bool) {
	if len(yymmdd) != 6 || !allDigits(yymmdd) {
		return "", false
	}
	year := fullYear(twoDigits(yymmdd[:2]), now.Year())
	month, day := twoDigits(yymmdd[2:4]), twoDigits(yymmdd[4:])
	if month < 1 || month > 12 {
		return "", false
	}
	if day == 0 {
		return fmt.Sprintf("%04d-%02d", year, month), true
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day {
		return "", false
	}
	return t.Format(time.DateOnly), true
}

// fullYear places a two-digit year between 49 years before and 50 years after
// the current one (section 7.12).
func fullYear(yy, current int) int {
	year := current - current%100 + yy
	switch gap := yy - current%100; {
	case gap > 50:
		year -= 100
	case gap < -49:
		year += 100
	}
	return year
}

func twoDigits(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }
