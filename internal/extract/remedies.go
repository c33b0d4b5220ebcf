package extract

import "github.com/crownsafe/api/internal/recall"

var remedyWords = newLexicon(
	entry[recall.RemedyType]{recall.RemedyRefund, []string{"refund*", "rembours*", "store credit", "gift card*", "money back", "credit"}},
	entry[recall.RemedyType]{recall.RemedyReplace, []string{"replace*", "replacing", "remplace*", "échange*", "exchange*"}},
	entry[recall.RemedyType]{recall.RemedyRepair, []string{"repair*", "répar*", "retrofit*", "fix", "software update*", "firmware update*", "rework*", "repair kit*", "corrective kit*"}},
	entry[recall.RemedyType]{recall.RemedyDispose, []string{"dispose*", "discard*", "destroy*", "throw away", "thrown away", "thrown out", "throw out", "throw it out", "throw it away", "throw them away", "détruire", "jeter", "disposal", "trash"}},
	entry[recall.RemedyType]{recall.RemedyReturn, []string{"return", "returned", "returning", "return it", "rapporter", "ramener", "retourner", "renvoyer", "bring back"}},
	entry[recall.RemedyType]{recall.RemedyInstructions, []string{"new instructions", "updated instructions", "revised instructions", "new instruction*", "nouvelles instructions", "updated user manual*", "revised user manual*", "new owner’s manual", "correct instructions"}},
	entry[recall.RemedyType]{recall.RemedyInspect, []string{"inspect*", "vérifier", "examine"}},
	entry[recall.RemedyType]{recall.RemedyLabel, []string{"warning label*", "new label*", "replacement label*", "relabel*", "nouvelle étiquette"}},
	entry[recall.RemedyType]{recall.RemedyStopUse, []string{"stop using", "stop use", "do not use", "do not eat", "do not consume", "discontinue use", "stop riding", "stop wearing", "do not feed", "cease using", "not use", "ne plus utiliser", "ne plus consommer", "ne pas consommer", "ne pas utiliser", "take them away from children", "take the recalled", "cesser d’utiliser", "keep away from", "unplug"}},
	entry[recall.RemedyType]{recall.RemedyNone, []string{"no remedy", "no remedy available", "unable to offer a remedy", "not offering a remedy", "aucune compensation", "out of business", "no longer in business"}},
	// Words of a remedy that promise none.
	entry[recall.RemedyType]{"", []string{"return call*", "return to service", "credit card*", "return address", "no refund*", "without returning", "not be replaced", "n'est pas remboursé"}},
)

// Remedies tells which of the taxonomy's remedies a text promises or demands,
// each once, in order of first appearance. It is empty when it names none.
func Remedies(source string) []recall.RemedyType {
	t := tokenise("", source)
	var found []recall.RemedyType
	seen := map[recall.RemedyType]bool{}
	for i := 0; i < len(t.tokens); {
		kind, span := remedyWords.at(t, i)
		if kind != "" && !seen[kind] {
			seen[kind] = true
			found = append(found, kind)
		}
		i += max(span, 1)
	}
	return found
}
