package kats

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/extract"
	"github.com/crownsafe/api/internal/recall"
)

// dangers leads from pieces of Korean words to the taxonomy.
var dangers = []struct {
	piece string
	kind  recall.HazardType
}{
	{"일산화탄소", recall.HazardCarbonMonox}, {"자석", recall.HazardMagnet}, {"자력", recall.HazardMagnet},
	{"단추형 전지", recall.HazardBattery}, {"단추형전지", recall.HazardBattery}, {"코인 배터리", recall.HazardBattery}, {"버튼 배터리", recall.HazardBattery},
	{"교살", recall.HazardStrangulation}, {"목 졸림", recall.HazardStrangulation}, {"목졸림", recall.HazardStrangulation}, {"조임끈", recall.HazardStrangulation}, {"코드 및 조임", recall.HazardStrangulation},
	{"작은 부품", recall.HazardChoking}, {"작은부품", recall.HazardChoking}, {"삼킴", recall.HazardChoking}, {"삼킬", recall.HazardChoking}, {"기도", recall.HazardChoking},
	{"질식", recall.HazardSuffocation}, {"익사", recall.HazardDrowning}, {"끼임", recall.HazardEntrapment}, {"끼일", recall.HazardEntrapment}, {"협착", recall.HazardEntrapment},
	{"전도", recall.HazardTipOver}, {"넘어", recall.HazardTipOver}, {"추락", recall.HazardFall}, {"낙상", recall.HazardFall}, {"떨어질", recall.HazardFall},
	{"감전", recall.HazardShock}, {"절연", recall.HazardShock}, {"폭발", recall.HazardExplosion}, {"파열", recall.HazardExplosion},
	{"화상", recall.HazardBurn}, {"화재", recall.HazardFire}, {"발화", recall.HazardFire}, {"과열", recall.HazardFire}, {"온도상승", recall.HazardFire}, {"가연성", recall.HazardFire},
	{"베임", recall.HazardLaceration}, {"찔림", recall.HazardLaceration}, {"날카로운", recall.HazardLaceration}, {"절단", recall.HazardLaceration},
	{"충돌", recall.HazardImpact}, {"타박", recall.HazardImpact}, {"제동", recall.HazardCrash},
	{"납이", recall.HazardLead}, {"납 ", recall.HazardLead}, {"납(", recall.HazardLead}, {"납,", recall.HazardLead}, {"납성분", recall.HazardLead}, {"총 납", recall.HazardLead}, {"총납", recall.HazardLead},
	{"프탈레이트", recall.HazardChemical}, {"가소제", recall.HazardChemical}, {"카드뮴", recall.HazardChemical}, {"폼알데하이드", recall.HazardChemical}, {"포름알데히드", recall.HazardChemical},
	{"니켈", recall.HazardChemical}, {"붕소", recall.HazardChemical}, {"유해물질", recall.HazardChemical}, {"방부제", recall.HazardChemical}, {"염소화", recall.HazardChemical}, {"pH", recall.HazardChemical}, {"유해원소", recall.HazardChemical}, {"중금속", recall.HazardChemical}, {"아릴아민", recall.HazardChemical},
	{"중독", recall.HazardPoisoning}, {"미생물", recall.HazardMicrobial}, {"세균", recall.HazardMicrobial}, {"곰팡이", recall.HazardMicrobial},
	{"알레르기", recall.HazardAllergen}, {"소음", recall.HazardNoise}, {"청력", recall.HazardNoise},
	{"표시사항", recall.HazardMislabelled}, {"내구성", recall.HazardMalfunction}, {"파손", recall.HazardMalfunction}, {"안전기준 부적합", recall.HazardOther},
}

// notDangers hold a danger's piece and mean something else: "절대" is no cut,
// "반납" no lead, "전도성" no tipping over.
var notDangers = strings.NewReplacer("반납", "", "납품", "", "납부", "", "전도성", "", "시도", "", "온도 및 기도", "")

// hazards reads what the agency says of the harm and of accidents, sentence by
// sentence, so that each hazard has the words that name it.
func (r *row) hazards() []recall.Hazard {
	var found []recall.Hazard
	add := func(kind recall.HazardType, text string) {
		if !slices.ContainsFunc(found, func(h recall.Hazard) bool { return h.Type == kind }) {
			found = append(found, recall.Hazard{Type: kind, Text: text})
		}
	}
	for _, t := range []agency.Text{r.Harm, r.Accidents} {
		for sentence := range strings.SplitSeq(strings.ReplaceAll(value(t), ". ", ".\n"), "\n") {
			words := notDangers.Replace(sentence) + " "
			for _, d := range dangers {
				if strings.Contains(words, d.piece) {
					add(d.kind, strings.TrimSpace(sentence))
				}
			}
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(h recall.Hazard) bool {
			return h.Type == recall.HazardOther || h.Type == recall.HazardMalfunction
		})
	}
	if said := value(r.Harm); len(found) == 0 && said != "" {
		add(recall.HazardOther, said)
	}
	return found
}

// measures leads from pieces of Korean words to remedies.
var measures = []struct {
	piece string
	kind  recall.RemedyType
}{
	{"환불", recall.RemedyRefund}, {"환급", recall.RemedyRefund}, {"교환", recall.RemedyReplace}, {"교체", recall.RemedyReplace},
	{"수리", recall.RemedyRepair}, {"무상점검", recall.RemedyInspect}, {"점검", recall.RemedyInspect}, {"폐기", recall.RemedyDispose},
	{"수거", recall.RemedyReturn}, {"회수", recall.RemedyReturn}, {"반품", recall.RemedyReturn},
	{"사용중지", recall.RemedyStopUse}, {"사용 중지", recall.RemedyStopUse}, {"사용을 중지", recall.RemedyStopUse}, {"사용을 중단", recall.RemedyStopUse}, {"사용 중단", recall.RemedyStopUse},
	{"표시사항 수정", recall.RemedyLabel}, {"스티커", recall.RemedyLabel}, {"개선", recall.RemedyRepair},
}

func (r *row) remedies() []recall.RemedyType {
	said := lines(r.Means, r.Announcement)
	var found []recall.RemedyType
	for _, m := range measures {
		if strings.Contains(said, m.piece) && !slices.Contains(found, m.kind) {
			found = append(found, m.kind)
		}
	}
	return found
}

// infantPieces and childPieces are of the names of products and of the agency's
// own categories.
var (
	infantPieces = []string{"유아", "아기", "영아", "신생아", "젖병", "노리개", "젖꼭지", "치발기", "딸랑이", "기저귀", "유모차", "보행기", "카시트", "아기띠", "속싸개", "턱받이", "보행차", "범보", "이유식"}
	childPieces  = []string{"어린이", "완구", "아동", "장난감", "인형", "키즈", "학용품", "킥보드", "놀이"}
)

// own are the texts that tell what the product is.
func (r *row) own() string {
	return strings.Join([]string{value(r.Category), value(r.Item), value(r.Product)}, "\n")
}

func (r *row) audience() recall.Audience {
	own := r.own()
	holds := func(piece string) bool { return strings.Contains(own, piece) }
	switch {
	case slices.ContainsFunc(infantPieces, holds):
		return recall.Infant
	case slices.ContainsFunc(childPieces, holds):
		return recall.Child
	}
	return extract.AudienceOf(value(r.Product))
}

// categoryPieces leads from the agency's categories to ours.
var categoryPieces = []struct{ piece, slug string }{
	{"완구", "toys"}, {"유아용", "nursery"}, {"유모차", "nursery"}, {"보행기", "nursery"}, {"어린이용품", "baby-and-child"}, {"어린이제품", "baby-and-child"},
	{"섬유", "clothing"}, {"의류", "clothing"}, {"가구", "furniture"}, {"침대", "furniture"}, {"전기", "appliances"}, {"전자", "electronics"}, {"조명", "lighting"},
	{"전지", "batteries"}, {"배터리", "batteries"}, {"자전거", "sports"}, {"스포츠", "sports"}, {"장신구", "jewellery"}, {"생활용품", "household"}, {"화장품", "cosmetics"},
}

func (r *row) categories() []string {
	var slugs []string
	own := r.own()
	for _, c := range categoryPieces {
		if strings.Contains(own, c.piece) && !slices.Contains(slugs, c.slug) {
			slugs = append(slugs, c.slug)
		}
	}
	return slugs
}
