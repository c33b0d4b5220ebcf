// Package reference writes the API reference, as Markdown and as one page of HTML, from
// an OpenAPI 3.1 document: every operation with who may call it, its parameters, its
// answers, and its examples as code in four languages.
//
// It reads nothing but the document and what it is given beside it. It knows nothing of
// how the document was made, nor of the program that it describes.
package reference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Document is an OpenAPI document, as far as the reference tells of it.
type Document struct {
	Title, Version, Description string
	Groups                      []Group
	Schemas                     []Schema
}

// Group is the operations of one tag, in order of path.
type Group struct {
	Name, Description string
	Operations        []*Operation
}

// Operation is one operation, under all of its paths.
type Operation struct {
	ID, Method, Path string
	// Others are further paths with the same handler.
	Others               []string
	Summary, Description string
	Access               Access
	Parameters           []Parameter
	// Body is the schema of what is sent as JSON; BodyTypes are the media types.
	Body      string
	BodyTypes []string
	Answers   []Answer
	Examples  []Example
}

// Access is who may call an operation, and what a call counts.
type Access struct {
	Role  string `json:"role"`
	Scope string `json:"scope"`
	Limit string `json:"limit"`
	Cost  int    `json:"cost"`
}

// Parameter is one parameter, or one field of a schema.
type Parameter struct {
	Name, In, Type, Description string
	Required                    bool
}

// Answer is one of an operation's answers.
type Answer struct {
	Status, Description, Type, Schema string
}

// Example is a question and what was answered.
type Example struct {
	Name       string
	Summary    string
	Status     int
	File       string // what is sent; empty: Body
	Parameters map[string]string
	Body       json.RawMessage // nil: none
	Type       string          // of the answer
	Answer     json.RawMessage // nil: no JSON, or none
}

// Schema is one of the document's schemas.
type Schema struct {
	Name, Description string
	Fields            []Parameter
}

// The document's JSON.
type (
	rawDocument struct {
		Info       struct{ Title, Version, Description string }
		Tags       []struct{ Name, Description string }
		Paths      map[string]map[string]*rawOperation
		Components struct{ Schemas map[string]rawSchema }
	}
	rawOperation struct {
		OperationID          string
		Summary, Description string
		Tags                 []string
		Parameters           []rawParameter
		RequestBody          *struct{ Content map[string]rawMedia }
		Responses            map[string]struct {
			Description string
			Content     map[string]rawMedia
		}
		Access   Access `json:"x-crownsafe-access"`
		Examples []struct {
			Name, Summary, File string
			Status              int
			Parameters          map[string]string
			Body                json.RawMessage
		} `json:"x-crownsafe-examples"`
	}
	rawParameter struct {
		Name, In, Description string
		Required              bool
		Schema                rawSchema
	}
	rawMedia struct {
		Schema   rawSchema
		Examples rawExamples
	}
	rawExamples map[string]struct{ Value json.RawMessage }
)

// Parse reads a document.
func Parse(document []byte) (*Document, error) {
	var raw rawDocument
	if err := json.Unmarshal(document, &raw); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	d := &Document{Title: raw.Info.Title, Version: raw.Info.Version, Description: raw.Info.Description}
	groups := map[string]*Group{}
	for _, tag := range raw.Tags {
		groups[tag.Name] = &Group{Name: tag.Name, Description: tag.Description}
	}
	for _, op := range raw.operations() {
		group := groups[op.tag]
		if group == nil {
			return nil, fmt.Errorf("reading the OpenAPI document: %s has the unknown tag %q", op.ID, op.tag)
		}
		group.Operations = append(group.Operations, op.Operation)
	}
	for _, tag := range raw.Tags {
		d.Groups = append(d.Groups, *groups[tag.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Components.Schemas)) {
		s := raw.Components.Schemas[name]
		d.Schemas = append(d.Schemas, Schema{Name: name, Description: s.Description, Fields: s.fields()})
	}
	return d, nil
}

type tagged struct {
	*Operation
	tag string
}

// operations lists each operation once, in order of path and method.
func (raw *rawDocument) operations() []tagged {
	byID := map[string]tagged{}
	var order []string
	for _, path := range slices.SortedFunc(maps.Keys(raw.Paths), versionedFirst) {
		for _, method := range []string{"get", "post", "put", "delete"} {
			op := raw.Paths[path][method]
			if op == nil {
				continue
			}
			id := strings.TrimSuffix(op.OperationID, "-2")
			if first, ok := byID[id]; ok {
				first.Others = append(first.Others, path)
				continue
			}
			byID[id] = tagged{op.operation(id, strings.ToUpper(method), path), first(op.Tags)}
			order = append(order, id)
		}
	}
	list := make([]tagged, len(order))
	for i, id := range order {
		list[i] = byID[id]
	}
	return list
}

// versionedFirst puts the paths that stay before their other forms.
func versionedFirst(a, b string) int {
	of := func(path string) int {
		if strings.HasPrefix(path, "/api/v1/") {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(of(a), of(b)), cmp.Compare(a, b))
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func (op *rawOperation) operation(id, method, path string) *Operation {
	o := &Operation{ID: id, Method: method, Path: path, Summary: op.Summary, Description: op.Description, Access: op.Access}
	for _, p := range op.Parameters {
		o.Parameters = append(o.Parameters, Parameter{
			Name: p.Name, In: p.In, Type: p.Schema.words(), Description: cmp.Or(p.Description, p.Schema.Description), Required: p.Required,
		})
	}
	if op.RequestBody != nil {
		o.BodyTypes = slices.Sorted(maps.Keys(op.RequestBody.Content))
		o.Body = op.RequestBody.Content[jsonType].Schema.name()
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		kind := first(slices.Sorted(maps.Keys(r.Content)))
		o.Answers = append(o.Answers, Answer{Status: status, Description: r.Description, Type: kind, Schema: r.Content[kind].Schema.name()})
	}
	for _, e := range op.Examples {
		o.Examples = append(o.Examples, op.answered(Example{
			Name: e.Name, Summary: e.Summary, File: e.File, Status: e.Status, Parameters: e.Parameters, Body: compact(e.Body),
		}))
	}
	return o
}

// answered completes an example with the answer that stands under its name.
func (op *rawOperation) answered(e Example) Example {
	r, ok := op.Responses[fmt.Sprint(e.Status)]
	if !ok {
		r = op.Responses["default"]
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Content)) {
		e.Type, e.Answer = kind, r.Content[kind].Examples[e.Name].Value
	}
	return e
}

const jsonType = "application/json"

// compact takes the line ends and blanks out of JSON.
func compact(value json.RawMessage) json.RawMessage {
	var out bytes.Buffer
	if len(value) == 0 || json.Compact(&out, value) != nil {
		return nil
	}
	return out.Bytes()
}
