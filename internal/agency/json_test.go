package agency_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
)

func TestTextTakesEveryScalar(t *testing.T) {
	for raw, want := range map[string]agency.Text{
		`"26901"`: "26901", `26901`: "26901", `00006.5`: "", `1e3`: "1e3", `true`: "true", `null`: "", `"  a\u00a0b "`: "  a\u00a0b ", `[1]`: "", `{}`: "",
	} {
		var got agency.Text
		err := json.Unmarshal([]byte(raw), &got)
		if refused := raw == `[1]` || raw == `{}` || raw == `00006.5`; (err != nil) != refused {
			t.Errorf("%s: error %v, want one: %v", raw, err, refused)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	if got := agency.Text(" N/A ").Clean(); got != "" {
		t.Errorf("N/A is %q, want nothing", got)
	}
}

func TestListTakesWhatStandsForOne(t *testing.T) {
	for raw, want := range map[string]agency.List[agency.Text]{
		`["a",1]`: {"a", "1"}, `"a"`: {"a"}, `""`: nil, `null`: nil, `[]`: {},
	} {
		var got agency.List[agency.Text]
		if err := json.Unmarshal([]byte(raw), &got); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
	}
}

// ways are the two ways through an array.
var ways = map[string]func(*json.Decoder, func(int, json.RawMessage) error) error{
	"one after the other": agency.EachElement,
	"ahead": func(d *json.Decoder, each func(int, json.RawMessage) error) error {
		return agency.EachElementAhead(d, func(position int, raw json.RawMessage) func() error {
			return func() error { return each(position, raw) }
		})
	},
}

func TestEachElement(t *testing.T) {
	for name, test := range map[string]struct {
		payload   string
		elements  []string
		truncated bool
		fails     bool
	}{
		"an array behind a byte order mark": {payload: "\ufeff[1, {\"a\": 2}]", elements: []string{"1", `{"a": 2}`}},
		"an empty array":                    {payload: `[]`},
		"null":                              {payload: `null`},
		"nothing":                           {payload: ``, truncated: true, fails: true},
		"cut in an element":                 {payload: `[1,{"a`, elements: []string{"1"}, truncated: true, fails: true},
		"cut between elements":              {payload: `[1,`, elements: []string{"1"}, truncated: true, fails: true},
		"cut behind an element":             {payload: `[1`, elements: []string{"1"}, truncated: true, fails: true},
		"no JSON":                           {payload: `[1,}`, elements: []string{"1"}, fails: true},
		"an object":                         {payload: `{"a":1}`, fails: true},
		"a second value":                    {payload: `[1] [2]`, elements: []string{"1"}, fails: true},
	} {
		for way, each := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				var elements []string
				d := agency.NewJSONDecoder(strings.NewReader(test.payload))
				err := each(d, func(position int, raw json.RawMessage) error {
					if position != len(elements)+1 {
						t.Errorf("position %d of element %d", position, len(elements)+1)
					}
					elements = append(elements, string(raw))
					return nil
				})
				if err == nil {
					err = agency.EndOfJSON(d)
				}
				if (err != nil) != test.fails || errors.Is(err, agency.ErrTruncated) != test.truncated {
					t.Errorf("error = %v, want one: %v, of a cut payload: %v", err, test.fails, test.truncated)
				}
				if diff := cmp.Diff(test.elements, elements); diff != "" {
					t.Errorf("elements (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestReadHead(t *testing.T) {
	for name, test := range map[string]struct {
		head string
		want agency.Head
	}{
		"an array of objects": {`[{"a":1,"b":[1,{"c":2}],"d":null},{"e":1}]`, agency.Head{Array: true, Fields: map[string]string{"a": "1", "b": "[", "d": ""}}},
		"an object":           {"\ufeff{\"a\":{\"x\":[1]},\"b\":\"y\"}", agency.Head{Fields: map[string]string{"a": "{", "b": "y"}}},
		"cut in a field":      {`[{"a":1,"b":"lon`, agency.Head{Array: true, Fields: map[string]string{"a": "1"}}},
		"cut in a list":       {`{"a":1,"b":[1,2`, agency.Head{Fields: map[string]string{"a": "1", "b": "["}}},
		"an empty array":      {`[]`, agency.Head{Array: true, Empty: true}},
		"an array of numbers": {`[1]`, agency.Head{Array: true}},
		"no JSON":             {`Recall Number,Date`, agency.Head{}},
		"nothing":             {``, agency.Head{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, agency.ReadHead([]byte(test.head))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadHeads(t *testing.T) {
	for head, want := range map[string][]string{
		`[{"a":1},{"a":2,"b":[3]},{"a":"cut`: {"1", "2", ""},
		`[{"a":1},4,{"a":2}]`:                {"1"},
		`{"a":1}{"a":2}`:                     {"1"},
		`[{"a":[1`:                           {"["},
		`[]`:                                 {""},
		`no JSON`:                            {""},
	} {
		var got []string
		for _, h := range agency.ReadHeads([]byte(head)) {
			got = append(got, h.Fields["a"])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", head, diff)
		}
	}
}

func TestApology(t *testing.T) {
	for head, want := range map[string]string{
		"<!DOCTYPE html><html><head><title>Access &amp; Denied</title>": "Access & Denied",
		"\ufeff\n <HTML lang=en><TITLE>\nSorry\n</TITLE>":               "Sorry",
		"<html><body>no":                     "a web page without a title",
		`{"a":"<html>"}`:                     "",
		`<?xml version="1.0"?><html></html>`: "",
	} {
		said, is := agency.Apology([]byte(head))
		if said != want || is != (want != "") {
			t.Errorf("%q: %q, %v; want %q", head, said, is, want)
		}
	}
}

func TestExcerptOf(t *testing.T) {
	if got := []rune(agency.ExcerptOf([]byte(strings.Repeat("é", 5000) + "\xff"))); len(got) != 2000 {
		t.Errorf("%d characters, want 2,000", len(got))
	}
	if got := agency.ExcerptOf([]byte("a\xffb")); got != "a\ufffdb" {
		t.Errorf("%q", got)
	}
}
