package agency_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/agency"
)

func TestClean(t *testing.T) {
	for raw, want := range map[string]string{
		"plain text":                 "plain text",
		"  two  blanks\t":            "two blanks",
		"a\u00a0b\u202fc\u200bd":     "a b cd",
		"Smith &amp;amp; Sons&nbsp;": "Smith & Sons",
		"one<br/>two</p>three":       "one\ntwo\nthree",
		"<b>bold</b> & 3 < 4":        "bold & 3 < 4",
		"un¤deux\r\ntrois":           "un\ndeux\ntrois",
		"e\u0301te\u0301":            "été",
		"a \n \n b":                  "a\nb",
	} {
		if got := agency.Clean(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestCleanFindsNothingLeftInPlainText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := agency.Clean(rapid.StringOf(rapid.RuneFrom([]rune("aé \t\n\r\u00a0¤1.-"))).Draw(t, "text"))
		if again := agency.Clean(once); again != once {
			t.Fatalf("%q became %q", once, again)
		}
	})
}

func TestHashOfDoesNotSeeBlanksAndOrder(t *testing.T) {
	a := agency.HashOf(json.RawMessage(`{"a":1,"b":[1,2]}`))
	if b := agency.HashOf(json.RawMessage("{ \"b\": [1, 2],\n\"a\": 1 }")); a != b {
		t.Error("blanks or the order of fields change the hash")
	}
	if b := agency.HashOf(map[string]any{"b": []int{1, 2}, "a": 1}); a != b {
		t.Error("the same value as a map has another hash")
	}
	if b := agency.HashOf(json.RawMessage(`{"a":1,"b":[2,1]}`)); a == b {
		t.Error("the order of a list doesn't change the hash")
	}
}
