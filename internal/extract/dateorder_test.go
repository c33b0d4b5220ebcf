package extract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/extract"
)

func TestOrderOfDatesIsThatOfTheWholeText(t *testing.T) {
	for _, tt := range []struct {
		name, language, text string
		want                 []string
	}{
		{"a neighbour behind proves that the day comes first", "en", "BEST BEFORE: 11/06/2026, 25/10/2026", []string{
			"1 best_before equals 2026-06-11", "2 best_before equals 2026-10-25"}},
		{"a date in another list proves it", "en", "Lot A1 Best By 03/04/2026; Lot A2 Best By 28.04.2026", []string{
			"1 lot equals A1", "1 best_before equals 2026-04-03", "2 lot equals A2", "2 best_before equals 2026-04-28"}},
		{"the end of a range proves it", "en", "Expiration dates 05/06/2026 - 30/06/2026", []string{"1 expiry range [2026-06-05..2026-06-30]"}},
		{"nothing proves it", "en", "Use by 05/06/2026", []string{"1 best_before equals 2026-05-06"}},
		{"nothing proves it, in French", "fr", "DDM 05/06/2026", []string{"1 best_before equals 2026-06-05"}},
		{"nothing proves it, in Britain", "en-GB", "Use by 05/06/2026", []string{"1 best_before equals 2026-06-05"}},
		{"nothing proves it, in Canada, where both are usual", "en-CA", "Use by 05/06/2026", []string{"1 best_before unreadable"}},
		{"month first is proved", "fr", "DDM 05/06/2026, 05/20/2026", []string{"1 best_before equals 2026-05-06", "2 best_before equals 2026-05-20"}},
		{"both are proved", "en", "Best by 25/10/2026, 05/06/2026, 10/26/2026", []string{
			"1 best_before equals 2026-10-25", "2 best_before equals 2026-10-26", "3 best_before unreadable"}},
		{"both are proved, both numbers are one", "en", "Best by 25/10/2026, 05/05/2026, 10/26/2026", []string{
			"1 best_before equals 2026-10-25", "2 best_before equals 2026-05-05", "3 best_before equals 2026-10-26"}},
		{"both are proved, in a range", "en", "Best by 25/10/2026, 10/26/2026; Sell by 01/02/2026 - 03/02/2026", []string{
			"1 best_before equals 2026-10-25", "2 best_before equals 2026-10-26", "3 best_before unreadable"}},
		{"numbers that are no dates prove nothing", "en", "Pack 13/2/1, parts 2026/13/05, Use by 05/06/2026", []string{"1 best_before equals 2026-05-06"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			codes := extract.Read([]extract.Field{{Name: "code_info", Text: tt.text}}, extract.Options{Language: tt.language})
			if diff := cmp.Diff(tt.want, units(codes)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tt.text, diff)
			}
		})
	}
}
