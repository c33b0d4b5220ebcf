package lmw

import "github.com/crownsafe/api/internal/agency"

// months are German and Austrian names, in full and cut short.
var months = map[string]int{
	"januar": 1, "jänner": 1, "februar": 2, "feber": 2, "märz": 3, "april": 4, "mai": 5, "juni": 6, "juli": 7, "august": 8,
	"september": 9, "oktober": 10, "november": 11, "dezember": 12,
	"jan": 1, "feb": 2, "mär": 3, "mrz": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "okt": 10, "nov": 11, "dez": 12,
}

const monthName = `(?P<month>Januar|Jänner|Februar|Feber|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|` +
	`Jan|Feb|Mär|Mrz|Apr|Jun|Jul|Aug|Sept|Sep|Okt|Nov|Dez)\b\.?`

// german are the words that announce and join codes in the states' notices:
// the date of minimum durability and the use-by date in the words of the food
// information law (Regulation (EU) 1169/2011, annex X), lots in those of the
// Los-Kennzeichnungs-Verordnung, dates as DIN 1355 writes them.
var german = agency.NewGlossary([]agency.DateForm{
	{Pattern: `(?i)\b(?P<day>\d{1,2})\. ?` + monthName + ` ?(?P<year>\d{4})\b`, Months: months},
	{Pattern: `(?i)\b` + monthName + ` ?(?P<year>\d{4})\b`, Months: months},
	{Pattern: `\b(?P<day>\d{1,2})\. ?(?P<month>\d{1,2})\. ?(?P<year>\d{4}|\d{2})\b`},
	{Pattern: `\b(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>20\d{2})\b`},
	{Pattern: `\b(?P<month>0?[1-9]|1[0-2])[./](?P<year>20\d{2})\b`},
	{Pattern: `\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.`},
	{Pattern: `(?i)\b(?P<day>\d{1,2})\. ?` + monthName, Months: months},
}, []agency.Gloss{
	// A bound that stands before its label.
	{Pattern: `(?i)\bab (?:dem |einem )?(?:MHD|Mindesthaltbarkeitsdatum)\b`, English: "best before on or after"},
	{Pattern: `(?i)\bab (?:dem |einem )?(?:Verbrauchsdatum)\b`, English: "expires on or after"},
	{Pattern: `(?i)\bbis (?:zum |einschließlich )*(?:MHD|Mindesthaltbarkeitsdatum)\b`, English: "best before through"},
	{Pattern: `(?i)\bbis (?:zum |einschließlich )*(?:Verbrauchsdatum)\b`, English: "expires through"},
	{Pattern: `(?i)\bab (?:der |einschließlich )*Chargen?(?:-?(?:Nummer|Nr\.?))?`, English: "lot on or after"},
	{Pattern: `(?i)\bbis (?:zur |einschließlich )*Chargen?(?:-?(?:Nummer|Nr\.?))?`, English: "lot through"},
	{Pattern: `(?i)\b(Ende |Anfang |Mitte )(?:\p{L}{3,9}\.? ?\d|\d{1,2}[./])`},
	// Use-by, before best-before: "zu verbrauchen bis", "verbrauchen bis spätestens".
	{Pattern: `(?i)\b(?:zu )?verbrauchen bis(?: spätestens)?(?: zum| am)?\b`, English: "expires"},
	{Pattern: `(?i)\b(?:Verbrauchsdat(?:um|en)|Verbrauchsfrist(?:en)?|Verfalls?-?dat(?:um|en)|Ablaufdat(?:um|en)|verwendbar bis)\b`, English: "expires"},
	{Pattern: `(?i)\b(?:mindestens haltbar bis|haltbar bis)(?: einschließlich| zum)?\b`, English: "best before"},
	{Pattern: `(?i)\b(?:Mindesthaltbarkeits-?(?:dat(?:um|en|ums)|fristen|frist)?|Haltbarkeitsdat(?:um|en)|MHDs?|M\.H\.D\.)(?: \(MHD\))?`, English: "best before"},
	// Lists that go on.
	{Pattern: `(?i)\b(?:und|u\.|sowie|bzw\.) (?:alle )?(?:weitere|andere|folgende|frühere|spätere)[nr]?\b`, English: "and all other"},
	{Pattern: `(?i)(?:\busw\.|\bu\. ?a\.|\betc\.|\bund so weiter\b)`, English: "and all others"},
	// All of them.
	{Pattern: `(?i)\b(alle(?:r|n)?|sämtliche(?:n|r)?|jede)\b(?: \p{L}+)? ?(?:Charg|Los|MHD|Mindesthaltbar|Verbrauchs|Haltbar|Produktions|Serien|Lots?\b)`, English: "all"},
	// Lots. "Los" is a word of its own too, and needs a code or a sign behind it.
	{Pattern: `(?i)\bChargen?-?(?:Nummern?|Nr\.?|Codes?|Bezeichnung(?:en)?|Kennzeichnung(?:en)?|Kennung(?:en)?|Angaben?)`, English: "lot number"},
	{Pattern: `(?i)\b(?:Produktions)?Chargen?\b`, English: "lot"},
	{Pattern: `(?i)\bLos-?(?:Nummern?\b|Nr\.?|Codes?\b|Kennzeichnung(?:en)?\b|Kennung\b)`, English: "lot number"},
	{Pattern: `\b(Los|LOS|Lose)(?: ?:| +[A-Z]{0,3}[-. ]?\d)`, English: "lot"},
	{Pattern: `\bL(?:ot)?\.?[- ]?(?:Nr\.?|Nummern?\b|No\.|Code\b)`, English: "lot number"},
	// Serial numbers, dates of production and of sale.
	{Pattern: `(?i)\b(?:Serien|Fabrikations|Fertigungs|Geräte)-?(?:Nummern?\b|Nr\.?)`, English: "serial number"},
	{Pattern: `(?i)\b(?:Fahrgestell|Fahrzeug-?Identifizierungs|Fahrzeug-?Ident)-?(?:Nummern?\b|Nr\.?)`, English: "VIN"},
	{Pattern: `(?i)\b(?:Produktions|Herstellungs|Fertigungs)-?(?:Codes?|Nummern?\b|Nr\.?)`, English: "production code"},
	{Pattern: `(?i)\b(?:Herstellungs?|Produktions?|Fertigungs?|Bau)-?(?:dat(?:um|en|ums)|zeitr(?:aum|äume|aums)|jahre?|monate?|tage?|wochen?)\b`, English: "manufactured"},
	{Pattern: `(?i)\b(?:hergestellt|produziert|gefertigt|gebaut)\b`, English: "manufactured"},
	{Pattern: `(?i)\b(?:Verkaufs?-?(?:dat(?:um|en)|zeitr(?:aum|äume))|verkauft)\b`, English: "sold"},
	// Barcodes and models.
	{Pattern: `(?i)\b(?:EAN|GTIN)-?(?:Codes?|Nummern?|Nr\.?)`, English: "EAN"},
	{Pattern: `(?i)\b(?:Strich|Bar|Balken)-?codes?(?:-?(?:Nummern?|Nr\.?))?`, English: "barcode"},
	{Pattern: `(?i)\b(?:Modell|Typ|Typen)-?(?:Nummern?\b|Nr\.?|Bezeichnung(?:en)?\b)`, English: "model number"},
	{Pattern: `(?i)\b(?:Modelle?n?|Typ)\b`, English: "model"},
	{Pattern: `(?i)\b(?:Artikel|Bestell|Art\.?)-?(?:Nummern?\b|Nr\.?)`, English: "item number"},
	// What joins and bounds codes.
	{Pattern: `(?i)\b(?:und|oder) (?:später|höher|danach|neuer|länger)\b`, English: "or later"},
	{Pattern: `(?i)\b(?:und|oder) (?:früher|niedriger|davor|älter|kürzer)\b`, English: "or earlier"},
	{Pattern: `(?i)\b(?:bis einschließlich|bis zum|bis)\b`, English: "through"},
	{Pattern: `(?i)\b(?:zwischen)(?: dem)?\b`, English: "between"},
	{Pattern: `(?i)\b(?:beginnend mit|die mit)\b`, English: "starting with"},
	{Pattern: `(?i)\bendend auf\b`, English: "ending in"},
	{Pattern: `(?i)\b(?:ab|seit)(?: dem)?\b`, English: "on or after"},
	{Pattern: `(?i)\b(?:vom|von)(?: dem)?\b`, English: "from"},
	{Pattern: `(?i)\bvor(?: dem)?\b`, English: "before"},
	{Pattern: `(?i)\bnach(?: dem)?\b`, English: "after"},
	{Pattern: `(?i)(?:\baußer\b|\bausgenommen\b|\bmit Ausnahme (?:von|der|des)\b)`, English: "except"},
	{Pattern: `(?i)\b(?:und|sowie|bzw\.)(?: dem| der| den)?`, English: "and"},
	{Pattern: `(?i)\boder\b`, English: "or"},
	{Pattern: `(?i)\b(?:Nummern?\b|Nr\.)`, English: "number"},
})
