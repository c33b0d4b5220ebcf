package catalogue

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
)

func TestTokensAreThoseOfTheVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([A-Za-z0-9éßœ한½²]{1,4}[ \-/.,:'’®&]{0,2})*`)).Draw(t, "text")
		got := []string{}
		eachToken(recall.Fold(text), func(token string, _ bool) { got = append(got, token) })
		if want := recall.Tokens(text); !slices.Equal(got, want) {
			t.Fatalf("tokens of %q: %q, want %q", text, got, want)
		}
	})
}

func TestSpansCoverEveryWord(t *testing.T) {
	type span struct {
		word   string
		tokens []string
	}
	for text, want := range map[string][]span{
		"wooden toy":         {{"wooden", []string{"wooden"}}, {"toy", []string{"toy"}}},
		"blue pushchair cot": {{"blue", []string{"blue"}}, {"stroller", []string{"pushchair"}}, {"crib", []string{"cot"}}},
		"my travel cot tips": {{"my", []string{"my"}}, {"playyard", []string{"travel", "cot"}}, {"tip", []string{"tip"}}},
		"high chair":         {{"highchair", []string{"high", "chair"}}},
		"folding high chair": {{"folding", []string{"folding"}}, {"highchair", []string{"high", "chair"}}},
		"bouncer seat cover": {{"bouncer", []string{"bouncer", "seat"}}, {"cover", []string{"cover"}}},
	} {
		tokens := recall.Tokens(text)
		for i := range tokens {
			tokens[i] = recall.Singular(tokens[i])
		}
		var got []span
		eachSpan(tokens, recall.Words(text), func(w string, from, to int) { got = append(got, span{w, tokens[from:to]}) })
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestSpansNeverRunOut(t *testing.T) {
	words := []string{"cot", "travel", "car", "seat", "high", "chair", "wooden", "n", "play", "pack", "bouncer", "baby", "crib"}
	rapid.Check(t, func(t *rapid.T) {
		var text string
		for _, w := range rapid.SliceOfN(rapid.SampledFrom(words), 0, 9).Draw(t, "words") {
			text += w + " "
		}
		tokens, count := recall.Tokens(text), 0
		eachSpan(tokens, recall.Words(text), func(_ string, from, to int) {
			if from > to || to > len(tokens) {
				t.Fatalf("%q: a span from %d to %d of %d tokens", text, from, to, len(tokens))
			}
			count++
		})
		if count != len(recall.Words(text)) {
			t.Fatalf("%q: %d spans for words %q", text, count, recall.Words(text))
		}
	})
}
