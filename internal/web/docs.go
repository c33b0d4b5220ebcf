package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// docs is the API's document as the page shows it.
type docs struct {
	Title, Version, Description string
	Groups                      []docGroup
	Schemas                     []docSchema
}

type docGroup struct {
	Name, Description string
	Operations        []*docOperation
}

type docOperation struct {
	ID, Method, Path, Summary, Description string
	Also                                   []string // further paths of the same handler
	Parameters                             []docField
	Body                                   string // name of the body's schema
	Answer                                 string // name of the answer's schema
	Errors                                 []string
}

type docSchema struct {
	Name   string
	Fields []docField
}

type docField struct {
	Name, In, Type, Ref, Description string
	Required                         bool
}

// The parts of an OpenAPI document that the page needs.
type (
	apiDocument struct {
		Info       struct{ Title, Version, Description string }
		Tags       []struct{ Name, Description string }
		Paths      map[string]map[string]apiOperation
		Components struct{ Schemas map[string]apiSchema }
	}
	apiOperation struct {
		OperationID          string
		Summary, Description string
		Tags                 []string
		Parameters           []struct {
			Name, In, Description string
			Required              bool
			Schema                apiSchema
		}
		RequestBody struct {
			Content map[string]struct{ Schema apiSchema }
		}
		Responses map[string]struct {
			Description string
			Content     map[string]struct{ Schema apiSchema }
		}
	}
	apiSchema struct {
		Ref              string `json:"$ref"`
		Type             any
		Format           string
		Description      string
		Enum             []any
		Default          any
		Minimum, Maximum *float64
		Items            *apiSchema
		OneOf            []apiSchema
		Properties       map[string]apiSchema
		Required         []string
		Additional       json.RawMessage `json:"additionalProperties"`
	}
)

// copies matches the ids of operations that are another one under a further path.
var copies = regexp.MustCompile(`-\d+$`)

func readDocs(raw []byte) (docs, error) {
	var document apiDocument
	if err := json.Unmarshal(raw, &document); err != nil {
		return docs{}, fmt.Errorf("decoding %d bytes: %w", len(raw), err)
	}
	d := docs{Title: document.Info.Title, Version: document.Info.Version, Description: document.Info.Description}
	operations := readOperations(&document)
	for _, tag := range document.Tags {
		d.Groups = append(d.Groups, docGroup{Name: tag.Name, Description: tag.Description, Operations: operations[tag.Name]})
	}
	for _, name := range slices.Sorted(maps.Keys(document.Components.Schemas)) {
		schema := document.Components.Schemas[name]
		entry := docSchema{Name: name}
		for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
			property := schema.Properties[field]
			kind, ref := property.describe()
			entry.Fields = append(entry.Fields, docField{
				Name: field, Type: kind, Ref: ref, Description: property.Description, Required: slices.Contains(schema.Required, field),
			})
		}
		d.Schemas = append(d.Schemas, entry)
	}
	return d, nil
}

// readOperations returns the operations of each tag by path; those that only
// repeat another one are listed with it.
func readOperations(document *apiDocument) map[string][]*docOperation {
	byID := map[string]*docOperation{}
	also := map[string][]string{}
	tagged := map[string][]*docOperation{}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(document.Paths[path])) {
			op := document.Paths[path][method]
			if copies.MatchString(op.OperationID) {
				id := copies.ReplaceAllString(op.OperationID, "")
				also[id] = append(also[id], path)
				continue
			}
			entry := readOperation(op, strings.ToUpper(method), path)
			byID[entry.ID] = entry
			for _, tag := range op.Tags {
				tagged[tag] = append(tagged[tag], entry)
			}
		}
	}
	for id, paths := range also {
		if byID[id] != nil {
			byID[id].Also = paths
		}
	}
	return tagged
}

func readOperation(op apiOperation, method, path string) *docOperation {
	entry := &docOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		kind, ref := p.Schema.describe()
		entry.Parameters = append(entry.Parameters, docField{Name: p.Name, In: p.In, Type: kind, Ref: ref, Description: cmp.Or(p.Description, p.Schema.Description), Required: p.Required})
	}
	for _, content := range op.RequestBody.Content {
		_, entry.Body = content.Schema.describe()
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		if status != "200" {
			entry.Errors = append(entry.Errors, status+" "+response.Description)
			continue
		}
		for _, content := range response.Content {
			_, entry.Answer = content.Schema.describe()
		}
	}
	return entry
}

// describe words a schema's type and returns the name of the schema that it
// refers to, if any.
func (s *apiSchema) describe() (kind, ref string) {
	switch {
	case s.Ref != "":
		ref = s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		return ref, ref
	case s.Items != nil:
		kind, ref = s.Items.describe()
		return "list of " + kind, ref
	case len(s.OneOf) > 0:
		var kinds []string
		for i := range s.OneOf {
			k, r := s.OneOf[i].describe()
			kinds, ref = append(kinds, k), cmp.Or(ref, r)
		}
		return strings.Join(kinds, " or "), ref
	}
	kind = typeWords(s.Type)
	if s.Format == "date-time" {
		kind = strings.Replace(kind, "string", "time", 1)
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		kind = "one of " + strings.Join(values, ", ")
	}
	if s.Minimum != nil && s.Maximum != nil {
		kind += fmt.Sprintf(", %g to %g", *s.Minimum, *s.Maximum)
	}
	if s.Default != nil {
		kind += fmt.Sprintf(" (default %v)", s.Default)
	}
	return kind, ""
}

func typeWords(t any) string {
	switch v := t.(type) {
	case string:
		return v
	case []any:
		var kinds []string
		for _, k := range v {
			kinds = append(kinds, fmt.Sprint(k))
		}
		return strings.Join(kinds, " or ")
	}
	return "any"
}

func (s *Site) showDocs(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, "docs", http.StatusOK, s.docs)
}

func (s *Site) showErrors(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, "errors", http.StatusOK, s.Problems)
}
