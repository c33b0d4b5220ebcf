package extract

import "github.com/crownsafe/api/internal/recall"

// bindModels limits marks to the models that their sentence names before them,
// or, where a notice goes through its models sentence by sentence, to those of
// the sentence before.
func (r *reader) bindModels() {
	r.bindBySentence()
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

// bindBySentence binds marks of one kind that each follow the sentence on their
// own model: "Model “QA1” is on the base. Serial numbers starting with 57X are
// included. Model “QB2” is on the back. All serial numbers are included."
func (r *reader) bindBySentence() {
	byKind := map[recall.UnitKind][]int{}
	for i := range r.marks {
		if k := &r.marks[i]; len(k.models) == 0 && !k.except && !k.doubt {
			byKind[k.kind] = append(byKind[k.kind], i)
		}
	}
	for _, marks := range byKind {
		bound := map[int][]string{}
		used := map[string]bool{}
		for _, i := range marks {
			models := r.modelsBefore(&r.marks[i])
			if len(models) == 0 || used[models[0]] {
				break
			}
			used[models[0]] = true
			bound[i] = models
		}
		if len(marks) < 2 || len(bound) < len(marks) {
			continue
		}
		for i, models := range bound {
			r.marks[i].models = models
		}
	}
}

// modelsBefore returns the models that the sentence before a mark's names, none
// where its own sentence names some.
func (r *reader) modelsBefore(k *mark) []string {
	sentence := k.text.sentenceOf(k.label.first)
	var models []string
	for _, m := range r.modelMarks {
		switch {
		case m.text != k.text:
		case m.sentence == sentence:
			return nil
		case m.sentence == sentence-1:
			models = m.models
		}
	}
	return models
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
