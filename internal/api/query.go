package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// maxListValues bounds a parameter that takes a list.
const maxListValues = 100

// strictQuery refuses what a lenient parser would quietly drop (a parameter
// that is unknown, given twice or badly encoded could turn an answer around),
// and brings lists to one form: a,b and a repeated parameter mean the same.
func strictQuery(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	normal, problem := readQuery(ctx.Operation(), r.URL.RawQuery)
	if problem != nil {
		problem.send(w, r)
		return
	}
	if normal != r.URL.RawQuery {
		address := *r.URL
		address.RawQuery = normal
		r.URL = &address
	}
	next(ctx)
}

// readQuery checks a raw query against an operation's parameters and returns it
// in the form that huma reads without surprises: every name with "=", every
// list value on its own.
func readQuery(op *huma.Operation, raw string) (string, *Problem) {
	if raw == "" {
		return "", nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", newProblem(codeMalformed, "The query string is not encoded as one: every % must be followed by two hexadecimal digits, and parameters are separated by &.")
	}
	known := queryParams(op)
	for name := range values {
		if known[name] == nil {
			return "", unknownParameter(op, name, values.Get(name))
		}
	}
	normal := url.Values{}
	for _, p := range op.Parameters { // in the declared order, so that the same request gets the same problem
		given := values[p.Name]
		if p.In != "query" || len(given) == 0 {
			continue
		}
		list, problem := readParameter(p, given)
		if problem != nil {
			return "", problem
		}
		if len(list) > 0 {
			normal[p.Name] = list
		}
	}
	return normal.Encode(), nil
}

func queryParams(op *huma.Operation) map[string]*huma.Param {
	known := map[string]*huma.Param{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			known[p.Name] = p
		}
	}
	return known
}

func readParameter(p *huma.Param, given []string) ([]string, *Problem) {
	location := "query." + p.Name
	if p.Schema.Type == huma.TypeArray {
		var list []string
		for _, v := range given {
			for piece := range strings.SplitSeq(v, ",") {
				if piece = strings.TrimSpace(piece); piece != "" {
					list = append(list, piece)
				}
			}
		}
		given = list
	} else if len(given) > 1 {
		return nil, fieldProblem(codeRepeated, location, "takes one value and was given "+strconv.Itoa(len(given)), "")
	}
	if len(given) > maxListValues {
		return nil, fieldProblem(codeOutOfRange, location, fmt.Sprintf("takes 1 to %d values and was given %d", maxListValues, len(given)), "")
	}
	for _, v := range given {
		if problem := checkCharacters(location, v, p.Name == "code"); problem != nil {
			return nil, problem
		}
		if p.Schema.Type == huma.TypeInteger && v != "" {
			if problem := checkInteger(p.Schema, location, v); problem != nil {
				return nil, problem
			}
		}
	}
	return given, nil
}

// checkCharacters refuses what is no text. A code may hold control characters:
// scanners send FNC1 as one.
func checkCharacters(location, value string, code bool) *Problem {
	if !utf8.ValidString(value) {
		return fieldProblem(codeCharacters, location, "is not valid UTF-8", value)
	}
	if code {
		return nil
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f }) {
		return fieldProblem(codeCharacters, location, "holds control characters", value)
	}
	return nil
}

func checkInteger(schema *huma.Schema, location, value string) *Problem {
	n, err := strconv.ParseInt(value, 10, 64)
	if err == nil && (schema.Minimum == nil || float64(n) >= *schema.Minimum) && (schema.Maximum == nil || float64(n) <= *schema.Maximum) {
		return nil
	}
	span := "must be a whole number"
	switch {
	case schema.Minimum != nil && schema.Maximum != nil:
		span += fmt.Sprintf(" from %.0f to %.0f", *schema.Minimum, *schema.Maximum)
	case schema.Minimum != nil:
		span += fmt.Sprintf(", %.0f or above", *schema.Minimum)
	}
	return fieldProblem(codeOutOfRange, location, span, value)
}

func unknownParameter(op *huma.Operation, name, value string) *Problem {
	var names []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	shownName := shown("", name)
	if len(names) == 0 {
		return newProblem(codeUnknown, fmt.Sprintf("This call takes no query parameters, so %q is unknown.", shownName),
			FieldError{Location: "query." + shownName, Message: "is not a parameter of this call", Value: shown("query."+name, value)})
	}
	near, likely := nearest(name, names)
	message, ends := fmt.Sprintf("is not a parameter of this call; the nearest one is %q", near), "."
	if likely {
		message, ends = fmt.Sprintf("is not a parameter of this call; did you mean %q?", near), ""
	}
	p := newProblem(codeUnknown, fmt.Sprintf("%q %s%s It takes %s.", shownName, message, ends, strings.Join(names, ", ")))
	p.Errors = []FieldError{{Location: "query." + shownName, Message: message, Value: shown("query."+name, value)}}
	return p
}

// maxMisspelt is how many letters of a name may be wrong.
const maxMisspelt = 2

// nearest returns the name with the smallest edit distance, the first one of
// several, and whether it is a likely misspelling: at most a third of the longer
// one's letters are wrong. To suggest any other would only mislead.
func nearest(name string, names []string) (best string, likely bool) {
	if len(name) > 64 {
		name = name[:64]
	}
	least := 1 << 30
	for _, candidate := range names {
		if d := editDistance(strings.ToLower(name), candidate); d < least {
			best, least = candidate, d
		}
	}
	return best, least <= maxMisspelt && 3*least <= max(len(name), len(best))
}

// editDistance counts insertions, deletions and substitutions (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
