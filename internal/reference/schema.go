package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rawSchema is a JSON Schema, as far as this service's documents use it.
type rawSchema struct {
	Ref                  string `json:"$ref"`
	Type                 any    `json:"type"` // a word, or a list of words
	Format, Description  string
	Enum                 []any
	Minimum, Maximum     *float64
	MaxLength            *int
	Default              any
	Items                *rawSchema
	OneOf                []rawSchema
	AdditionalProperties json.RawMessage
	Properties           map[string]rawSchema
	Required             []string
}

// name is the name of the schema that is referred to; empty: none is.
func (s rawSchema) name() string { return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:] }

// kind words a type: "string", "Notice or null", "list of Match".
func (s rawSchema) kind() string {
	switch {
	case s.Ref != "":
		return s.name()
	case len(s.OneOf) > 0:
		var kinds []string
		for _, one := range s.OneOf {
			kinds = append(kinds, one.kind())
		}
		return strings.Join(kinds, " or ")
	case s.Items != nil:
		return "list of " + s.Items.kind()
	}
	var values rawSchema
	if json.Unmarshal(s.AdditionalProperties, &values) == nil && (values.Type != nil || values.Ref != "" || values.Items != nil) {
		return "object, each value " + values.kind()
	}
	var words []string
	switch t := s.Type.(type) {
	case string:
		words = []string{t}
	case []any:
		for _, word := range t {
			words = append(words, fmt.Sprint(word))
		}
	default:
		return "any"
	}
	if s.Format != "" && !strings.HasPrefix(s.Format, "int") && s.Format != "double" {
		words[0] = s.Format
	}
	return strings.Join(words, " or ")
}

// words is the type with its bounds.
func (s rawSchema) words() string {
	text := s.kind()
	enum := s.Enum
	if s.Items != nil {
		enum = s.Items.Enum
	}
	if len(enum) > 0 {
		var values []string
		for _, v := range enum {
			values = append(values, fmt.Sprintf("`%v`", v))
		}
		text += ": " + strings.Join(values, ", ")
	}
	if s.Minimum != nil && s.Maximum != nil {
		text += fmt.Sprintf(", %v to %v", *s.Minimum, *s.Maximum)
	}
	if s.MaxLength != nil {
		text += fmt.Sprintf(", at most %d characters", *s.MaxLength)
	}
	if s.Default != nil {
		text += fmt.Sprintf(", default %v", s.Default)
	}
	return text
}

func (s rawSchema) fields() []Parameter {
	var fields []Parameter
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		fields = append(fields, Parameter{Name: name, Type: p.words(), Description: p.Description, Required: slices.Contains(s.Required, name)})
	}
	return fields
}
