package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/recall"
)

// unitFields are the names of a unit's fields, as they stand in JSON.
var unitFields = func() []string {
	var names []string
	t := reflect.TypeFor[recall.Unit]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}()

// readUnit reads one unit strictly: a field that is unknown, given twice or of
// another type is refused, because a code that was quietly dropped could turn
// the answer around.
func readUnit(registry huma.Registry, schema *huma.Schema, raw []byte, at string) (recall.Unit, *Problem) {
	var parsed any
	if err := json.Unmarshal(raw, &parsed); err != nil {
		return recall.Unit{}, newProblem(codeMalformed, "The unit is not JSON.", FieldError{Location: at, Message: "is not JSON"})
	}
	if object, ok := parsed.(map[string]any); ok {
		if p := unknownField(object, unitFields, at); p != nil {
			return recall.Unit{}, p
		}
		if name := repeatedField(raw); name != "" {
			return recall.Unit{}, fieldProblem(codeInvalid, at+"."+shown("", name), "is given twice", "")
		}
	}
	path := huma.NewPathBuffer(nil, 0)
	path.Push(at)
	var result huma.ValidateResult
	huma.Validate(registry, schema, path, huma.ModeWriteToServer, parsed, &result)
	if len(result.Errors) > 0 {
		return recall.Unit{}, problemOf(http.StatusUnprocessableEntity, "", result.Errors)
	}
	var u recall.Unit
	if err := json.Unmarshal(raw, &u); err != nil {
		return recall.Unit{}, newProblem(codeInvalid, "The unit holds something that cannot be used.", FieldError{Location: at, Message: "cannot be used"})
	}
	return u, nil
}

// unknownField names the first field, in order, that an object must not have.
func unknownField(object map[string]any, known []string, at string) *Problem {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, name) {
			message := "is not a field; the fields are " + strings.Join(known, ", ")
			if near, likely := nearest(name, known); likely {
				message = fmt.Sprintf("is not a field; did you mean %q?", near)
			}
			return fieldProblem(codeInvalid, at+"."+shown("", name), message, "")
		}
	}
	return nil
}

// repeatedField returns the name of a field that a flat JSON object holds
// twice, or "".
func repeatedField(raw []byte) string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	seen := map[string]bool{}
	if _, err := dec.Token(); err != nil { // the opening brace
		return ""
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return ""
		}
		key, _ := name.(string)
		if seen[key] {
			return key
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return ""
		}
	}
	return ""
}

// readBatch takes a batch apart without looking into its units.
func readBatch(raw []byte) ([]json.RawMessage, *Problem) {
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, newProblem(codeInvalid, `The body must be an object: {"units": [...]}.`, FieldError{Location: "body", Message: "must be an object"})
	}
	if p := unknownField(object, []string{"units"}, "body"); p != nil {
		return nil, p
	}
	if repeatedField(raw) != "" {
		return nil, fieldProblem(codeInvalid, "body.units", "is given twice", "")
	}
	var batch struct {
		Units []json.RawMessage `json:"units"`
	}
	if err := json.Unmarshal(raw, &batch); err != nil || batch.Units == nil {
		return nil, fieldProblem(codeInvalid, "body.units", "must be a list of units", "")
	}
	if len(batch.Units) > maxBatch {
		return nil, fieldProblem(codeOutOfRange, "body.units", fmt.Sprintf("takes 0 to %d units and was given %d", maxBatch, len(batch.Units)), "")
	}
	return batch.Units, nil
}
