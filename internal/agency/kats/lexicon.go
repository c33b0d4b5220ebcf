package kats

import "github.com/crownsafe/api/internal/agency"

// korean are the words that announce and join codes in SafetyKorea's notices.
// Korean hangs its particles onto words and numbers, so that a bound stands
// behind what it bounds: "2026년 3월부터 5월까지".
var korean = agency.NewGlossary([]agency.DateForm{
	{Pattern: `(?P<year>20\d{2})년 ?(?P<month>\d{1,2})월 ?(?P<day>\d{1,2})일`},
	{Pattern: `(?P<year>20\d{2})년 ?(?P<month>\d{1,2})월`},
	{Pattern: `\b(?P<year>20\d{2})[.\-/] ?(?P<month>\d{1,2})[.\-/] ?(?P<day>\d{1,2})\b\.?`},
	{Pattern: `\b(?P<year>20\d{2})[.\-/] ?(?P<month>0[1-9]|1[0-2])\b\.?`},
}, []agency.Gloss{
	{Pattern: `(모든|전체|전) ?(?:로트|제조번호|제조일자)`, English: "all "},
	{Pattern: `(?:유통|소비|사용) ?기한(?:은|이)?`, English: "expires "},
	{Pattern: `(?:제조|생산) ?(?:일자|년월일|연월일|년월|연월|기간|시기|일)(?:은|이|가)?`, English: "manufactured "},
	{Pattern: `(?:로트|LOT|Lot) ?(?:번호|No\.?)?(?:는|가)?`, English: "lot "},
	{Pattern: `제조 ?번호(?:는|가)?`, English: "batch number "},
	{Pattern: `(?:일련|시리얼) ?번호(?:는|가)?`, English: "serial number "},
	{Pattern: `(?:모델|형식) ?(?:명|번호)?(?:은|는|이)?`, English: "model "},
	{Pattern: `바코드 ?(?:번호)?(?:는|가)?`, English: "barcode "},
	{Pattern: `(?:판매) ?(?:기간|일자)(?:은|이)?`, English: "sold "},
	{Pattern: `(?:\d|년|월|일)(부터)`, English: " through "},
	{Pattern: `(까지)`, English: " "},
	{Pattern: `\d(?:년|월|일)? ?(~) ?`, English: " through "},
	{Pattern: `(?:년|월|일|\d) ?(이후)`, English: " or later "},
	{Pattern: `(?:년|월|일|\d) ?(이전)`, English: " or earlier "},
	{Pattern: `(?:등|외 ?\d+ ?(?:종|건|개))(?:[\s,.)]|$)`, English: " and all others "},
	{Pattern: `\s(및|와|과)\s`, English: "and"},
	{Pattern: `\s(또는)\s`, English: "or"},
	{Pattern: `(제외)`, English: "except"},
})
