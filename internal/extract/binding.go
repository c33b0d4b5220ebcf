package extract

import "github.com/crownsafe/api/internal/recall"

// bindModels limits marks to the models that their sentence names before them.
func (r *reader) bindModels() {
	for i := range r.marks {
		k := &r.marks[i]
		if len(k.models) > 0 || k.except {
			continue
		}
		from := 0
		for j := range i {
			if before := &r.marks[j]; before.text == k.text && before.kind == k.kind {
				from = before.label.first
			}
		}
		for _, m := range r.modelMarks {
			if m.text == k.text && m.first < k.label.first && m.first >= from && m.sentence == k.text.sentenceOf(k.label.first) {
				k.models = append(k.models, m.models...)
			}
		}
		if len(k.models) >= len(r.found.Models) {
			k.models = nil // they are all the models that the notice has
		}
	}
}

// coverOtherModels makes sure that limits bound to some models leave every unit
// of the notice's other models covered.
func (r *reader) coverOtherModels(groups []group) []group {
	bound := map[string]bool{}
	for _, g := range groups {
		limited := false
		for _, p := range g.preds {
			for _, m := range p.Models {
				bound[squeeze(m)], limited = true, true
			}
		}
		if !limited {
			return groups
		}
	}
	if len(groups) == 0 {
		return groups
	}
	var others []string
	for _, m := range r.found.Models {
		if !bound[squeeze(m)] {
			others = append(others, m)
		}
	}
	if len(others) == 0 {
		return groups
	}
	first := groups[0].preds[0]
	all := recall.All(0, first.Kind, first.Quote)
	all.Models = others
	return append(groups, group{preds: []recall.Predicate{all}})
}

// leaveOpen says that the notice's list of models is not whole: who holds a
// model that was not read must not be told that no notice names it. Units of the
// models that were read stay covered as they are.
func (r *reader) leaveOpen(groups []group) []group {
	last := r.modelMarks[len(r.modelMarks)-1]
	k := mark{text: last.text, kind: recall.Lot, label: mention{first: last.first, next: last.first + 1}, end: max(last.end, last.text.tokens[last.first].end)}
	if r.unexplained != nil {
		k = *r.unexplained
	}
	if len(groups) == 0 {
		named := recall.All(0, k.kind, k.quote(value{}))
		named.Models = append(named.Models, r.found.Models...)
		groups = append(groups, group{preds: []recall.Predicate{named}})
	}
	for _, g := range groups {
		for _, p := range g.preds {
			if p.Op == recall.OpUnreadable {
				return groups
			}
		}
	}
	return append(groups, r.unreadable(k))
}

// modelsCut tells whether the text was cut off in the sentence that names its
// last models.
func (r *reader) modelsCut() bool {
	if !r.opts.Cut || len(r.modelMarks) == 0 {
		return false
	}
	t, last := r.cutText(), r.modelMarks[len(r.modelMarks)-1]
	return last.text == t && last.sentence == t.sentenceOf(len(t.tokens)-1)
}
