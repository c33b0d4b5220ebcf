package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examplesJSON holds questions with what the real program answered to them: test/docs
// asks, writes this file (make docs), and fails when an answer has become another one.
//
//go:embed examples.json
var examplesJSON []byte

// example is one question and its answer.
type example struct {
	// Operation is the id; examples of one operation differ in Name.
	Operation string `json:"operation,omitempty"`
	Name      string `json:"name"`
	Summary   string `json:"summary"`
	// Parameters are by their names, wherever they stand.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Body is what is sent as JSON; File names a file that is sent instead.
	Body json.RawMessage `json:"body,omitempty"`
	File string          `json:"file,omitempty"`
	// Status and Type are the answer's, and Answer its body, where that is JSON or text.
	Status int             `json:"status"`
	Type   string          `json:"type,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// describeExamples adds the examples to the operations that they are of, under each of
// an operation's paths.
func describeExamples(document *huma.OpenAPI) {
	var all []example
	if err := json.Unmarshal(examplesJSON, &all); err != nil {
		panic(fmt.Errorf("reading examples.json: %w", err)) // it is part of the program
	}
	operations := map[string][]*huma.Operation{}
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if op != nil {
				id := strings.TrimSuffix(op.OperationID, "-2")
				operations[id] = append(operations[id], op)
			}
		}
	}
	for i := range all {
		for _, op := range operations[all[i].Operation] {
			all[i].describe(op)
		}
	}
}

// describe adds one example to an operation. A tool that reads the document finds a
// question and its answer under the same name. A question that was refused stands in the
// extension alone: it needn't be one that the document allows.
func (e *example) describe(op *huma.Operation) {
	refused := e.Status >= http.StatusBadRequest
	for _, param := range op.Parameters {
		if value, ok := e.Parameters[param.Name]; ok && !refused {
			if param.Examples == nil {
				param.Examples = map[string]*huma.Example{}
			}
			param.Examples[e.Name] = &huma.Example{Value: typed(param, value)}
		}
	}
	if op.RequestBody != nil && len(e.Body) > 0 && !refused {
		addExample(op.RequestBody.Content[jsonType[0]], e, e.Body)
	}
	response := op.Responses[strconv.Itoa(e.Status)]
	if response == nil {
		response = op.Responses["default"]
	}
	if response != nil && len(e.Answer) > 0 {
		addExample(response.Content[e.Type], e, e.Answer)
	}
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	listed, _ := op.Extensions[examplesExtension].([]example)
	question := *e
	question.Operation, question.Type, question.Answer = "", "", nil
	op.Extensions[examplesExtension] = append(listed, question)
}

// examplesExtension lists an operation's questions in order.
const examplesExtension = "x-crownsafe-examples"

func addExample(media *huma.MediaType, e *example, value json.RawMessage) {
	if media == nil {
		return
	}
	if media.Examples == nil {
		media.Examples = map[string]*huma.Example{}
	}
	media.Examples[e.Name] = &huma.Example{Summary: e.Summary, Value: value}
}

// typed is a parameter's value as its schema has it.
func typed(param *huma.Param, value string) any {
	switch schema := param.Schema; {
	case schema == nil:
	case schema.Type == huma.TypeArray:
		return strings.Split(value, ",")
	case schema.Type == huma.TypeInteger:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return n
		}
	}
	return value
}
