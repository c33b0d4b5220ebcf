package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/crownsafe/api/internal/recall"
)

// notContent are the fields that change without the notice changing.
var notContent = []string{"provenance", "revision", "first_seen_at"}

// differences compares two revisions of a notice field by field, as a reader of
// the JSON sees them. The order is that of the paths; list items are compared
// by their place, so that the paths can be looked up in both revisions.
func differences(before, after *recall.Notice) ([]FieldChange, error) {
	from, err := fieldsOf(before)
	if err != nil {
		return nil, err
	}
	to, err := fieldsOf(after)
	if err != nil {
		return nil, err
	}
	changes := []FieldChange{}
	compare("", from, to, &changes)
	return changes, nil
}

func fieldsOf(n *recall.Notice) (map[string]any, error) {
	raw, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encoding notice %s: %w", n.ID, err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("decoding notice %s: %w", n.ID, err)
	}
	for _, name := range notContent {
		delete(fields, name)
	}
	return fields, nil
}

// compare walks two JSON values and notes where they differ, as deep as both
// are of the same kind.
func compare(path string, from, to any, changes *[]FieldChange) {
	switch a := from.(type) {
	case map[string]any:
		if b, ok := to.(map[string]any); ok {
			compareObjects(path, a, b, changes)
			return
		}
	case []any:
		if b, ok := to.([]any); ok {
			for i := range max(len(a), len(b)) {
				compare(fmt.Sprintf("%s[%d]", path, i), at(a, i), at(b, i), changes)
			}
			return
		}
	}
	if !reflect.DeepEqual(from, to) {
		*changes = append(*changes, FieldChange{Field: path, From: from, To: to})
	}
}

func compareObjects(path string, a, b map[string]any, changes *[]FieldChange) {
	names := map[string]bool{}
	for _, object := range []map[string]any{a, b} {
		for name := range object {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		compare(inner, a[name], b[name], changes)
	}
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}
