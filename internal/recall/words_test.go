package recall_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"Fisher-Price Rock 'n Play":      "fisher price rock n play",
		"Children’s Pajamas":             "children sleepwear",
		"high chairs":                    "highchair",
		"Highchair":                      "highchair",
		"Cots & Pushchairs":              "crib stroller",
		"Graco® Pack 'n Play™ playards":  "graco playyard playard",
		"jouets d'éveil":                 "toy d eveil",
		"lait infantile 1er âge":         "formula 1er age",
		"Sièges auto":                    "carseat",
		"YOYO³ stroller":                 "yoyo stroller",
		"QX-831":                         "qx 831",
		"dresses, boxes, babies, series": "dress box baby sery",
		"":                               "",
	} {
		if diff := cmp.Diff(want, strings.Join(recall.Words(text), " ")); diff != "" {
			t.Errorf("Words(%q):\n%s", text, diff)
		}
	}
}

func TestModelKeys(t *testing.T) {
	for model, want := range map[string]string{" qx-831/b ": "QX831B", "Modèle é5": "MODELEE5", "": "", "310 (MAESTRO)": "310MAESTRO"} {
		if got := recall.ModelKey(model); got != want {
			t.Errorf("ModelKey(%q) = %q, want %q", model, got, want)
		}
	}
	for key, want := range map[string]bool{"QX831": true, "QX83": false, "123456": true, "12345": false, "MAESTRO": false,
		"CR2032": false, "EN71": false, "ASTMF963": false, "16CFR1234": false} {
		if got := recall.SpecificModel(key); got != want {
			t.Errorf("SpecificModel(%q) = %t, want %t", key, got, want)
		}
	}
}

func TestSimilarWords(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"graco", "graco", true}, {"graco", "gracco", true}, {"graco", "garco", true}, {"evenflo", "evenfla", true},
		{"crib", "crab", false}, {"fisherprice", "fishrprise", true}, {"graco", "chicco", false}, {"12345", "12346", false},
		{"swing", "swingset", false},
	} {
		if got := recall.SimilarWords(c.a, c.b); got != c.want {
			t.Errorf("SimilarWords(%q, %q) = %t, want %t", c.a, c.b, got, c.want)
		}
	}
}

func TestWordsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		words := recall.Words(text)
		for _, w := range words {
			if w == "" || strings.ContainsAny(w, " -'") {
				t.Fatalf("Words(%q) holds %q", text, w)
			}
		}
		if diff := cmp.Diff(words, recall.Words(strings.ToUpper(strings.ToLower(text)))); diff != "" && isPlain(text) {
			t.Fatalf("case makes a difference in %q:\n%s", text, diff)
		}
	})
}

func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}
