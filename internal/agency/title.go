package agency

import (
	"regexp"
	"strings"
)

var soldBy = regexp.MustCompile(`(?i)[\s,–—-]*\b(?:that (?:was|were) |which (?:was|were) |as )?sold (?:at|by|via|through|online|in|on|from|exclusively|only|under)\b`)

// SplitShop splits a title such as "Wooden Rattle – sold at Larkmere" into what
// the product is and where it was sold; shop is "" when the title doesn't say.
func SplitShop(title string) (product, shop string) {
	at := soldBy.FindStringIndex(title)
	if at == nil || at[0] == 0 {
		return title, ""
	}
	return strings.TrimSpace(title[:at[0]]), strings.Trim(title[at[0]:], " ,–—-\n")
}
