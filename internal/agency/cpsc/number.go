package cpsc

import (
	"fmt"
	"regexp"
	"strings"
)

// wireNumber is a recall number in any notation: "26348" of the REST service,
// "26-348" of cpsc.gov, "01101a" of a recall around 2000 that shares its number
// with others. The first two digits are the fiscal year; leading zeros count.
var wireNumber = regexp.MustCompile(`^(\d{2})-?(\d{3})([A-Za-z]?)$`)

// printedNumber writes a recall number as cpsc.gov prints it, which is the
// notice's native id.
func printedNumber(wire string) (string, error) {
	wire = strings.TrimSpace(wire)
	m := wireNumber.FindStringSubmatch(wire)
	if m == nil {
		return "", fmt.Errorf("%q is no recall number", wire)
	}
	return m[1] + "-" + m[2] + strings.ToLower(m[3]), nil
}
