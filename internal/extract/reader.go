package extract

import "github.com/crownsafe/api/internal/recall"

// reader gathers what one notice's fields say.
type reader struct {
	opts  Options
	found Codes
	seen  map[string]bool
}

func newReader(opts Options) *reader {
	return &reader{opts: opts, seen: map[string]bool{}}
}

func (r *reader) codes() Codes { return r.found }

func (r *reader) read(t *text) {
	for i := range t.tokens {
		switch t.tokens[i].lower {
		case "model", "models":
			r.readModels(t, i+1)
		}
	}
	if r.opts.Cut && len(t.tokens) > 0 {
		last := t.tokens[len(t.tokens)-1]
		r.found.Units = append(r.found.Units, recall.Unreadable(len(r.found.Units)+1, recall.Lot,
			recall.Quote{Text: t.source[last.start:last.end], Field: t.field, Start: last.start, End: last.end}))
	}
}

func (r *reader) readModels(t *text, i int) {
	for ; i < len(t.tokens); i++ {
		tok := &t.tokens[i]
		if tok.digits > 0 && len(tok.lower) >= 4 && !r.seen[tok.lower] {
			r.seen[tok.lower] = true
			r.found.Models = append(r.found.Models, t.source[tok.start:tok.end])
		} else if tok.lower == "." {
			return
		}
	}
}
