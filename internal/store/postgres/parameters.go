package postgres

import (
	"net/url"
	"strings"
)

// parametersOf returns what a URL, or keyword=value pairs, that Open has read say
// beside user, password, place and database.
func parametersOf(text string) map[string]string {
	text = strings.TrimSpace(text)
	for _, scheme := range []string{"postgres://", "postgresql://"} {
		rest, ok := strings.CutPrefix(text, scheme)
		if !ok {
			continue
		}
		escaped, err := escape(rest)
		if err != nil {
			return nil
		}
		_, query, _ := strings.Cut(escaped, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return nil
		}
		all := map[string]string{}
		for key := range values {
			all[key] = values.Get(key)
		}
		return all
	}
	return pairsOf(text)
}

// pairsOf reads keyword=value pairs: a value with blanks stands in single quotes, and
// a backslash goes before each quote and backslash in it.
func pairsOf(text string) map[string]string {
	all := map[string]string{}
	for {
		key, rest, ok := strings.Cut(text, "=")
		if !ok {
			return all
		}
		rest = strings.TrimLeft(rest, " \t\n")
		var value strings.Builder
		quoted := strings.HasPrefix(rest, "'")
		if quoted {
			rest = rest[1:]
		}
		i := 0
		for ; i < len(rest); i++ {
			if c := rest[i]; c == '\\' && i+1 < len(rest) {
				i++
			} else if quoted && c == '\'' || !quoted && strings.IndexByte(" \t\n", c) >= 0 {
				break
			}
			value.WriteByte(rest[i])
		}
		all[strings.TrimSpace(key)] = value.String()
		text = rest[min(i+1, len(rest)):]
	}
}
