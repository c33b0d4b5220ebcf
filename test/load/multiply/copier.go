package multiply

import (
	"slices"
	"strings"

	"github.com/crownsafe/api/internal/gtin"
	"github.com/crownsafe/api/internal/recall"
)

// copier makes one copy of a notice. Whatever it replaces keeps its length in
// bytes, so that the places of quotes hold.
type copier struct {
	names, codes map[string]bool
	key          uint64
}

// copy makes the copy; its id and the address of its page get a suffix, and so
// do the links to other notices, which then join the copies of those.
func (c *copier) copy(n *recall.Notice, suffix string) recall.Notice {
	out := *n
	out.ID, out.URL = n.ID+"-"+suffix, c.address(n.URL, suffix)
	out.Title, out.Summary = c.text(n.Title), c.text(n.Summary)
	out.Remedy.Text, out.Remedy.Contact = c.text(n.Remedy.Text), c.text(n.Remedy.Contact)
	out.SoldAt = c.texts(n.SoldAt)
	out.Hazards = slices.Clone(n.Hazards)
	for i := range out.Hazards {
		out.Hazards[i].Text = c.text(out.Hazards[i].Text)
	}
	out.Products = make([]recall.Product, len(n.Products))
	for i := range n.Products {
		out.Products[i] = c.product(&n.Products[i])
	}
	out.Images = slices.Clone(n.Images)
	for i := range out.Images {
		out.Images[i] = c.address(out.Images[i], suffix)
	}
	out.Aliases = slices.Clone(n.Aliases)
	for i := range out.Aliases {
		if a := &out.Aliases[i]; a.IsAddress() {
			a.ID = c.address(a.ID, suffix)
		} else {
			a.ID += "-" + suffix
		}
	}
	return out
}

// address adds a suffix to the path, which an address without one doesn't get:
// it is the front page of a site, and no notice's.
func (c *copier) address(address, suffix string) string {
	if recall.AddressKey(address) == "" {
		return address
	}
	end := strings.IndexAny(address, "?#")
	if end < 0 {
		end = len(address)
	}
	return strings.TrimSuffix(address[:end], "/") + "-" + suffix + address[end:]
}

func (c *copier) product(p *recall.Product) recall.Product {
	out := recall.Product{Name: c.text(p.Name), Brand: c.text(p.Brand), Models: c.texts(p.Models)}
	out.GTINs = make([]recall.PrintedGTIN, len(p.GTINs))
	for i, g := range p.GTINs {
		out.GTINs[i] = c.barcode(g)
	}
	out.Units = make([]recall.Predicate, len(p.Units))
	for i, u := range p.Units {
		u.Models = c.texts(u.Models)
		u.Quote.Text = c.text(u.Quote.Text)
		if isCode(&u) {
			from := c.text(*u.From)
			u.From = &from
		}
		out.Units[i] = u
	}
	return out
}

func (c *copier) texts(list []string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = c.text(text)
	}
	return out
}

// text replaces the names and codes in a text by others of the same shape.
func (c *copier) text(text string) string {
	var out []byte
	eachWord(text, func(from, to int) {
		folded := strings.ToLower(text[from:to])
		if len(folded) != to-from || !c.names[folded] && !c.codes[folded] {
			return
		}
		if out == nil {
			out = []byte(text)
		}
		reshape(out[from:to], hash(c.key, folded))
	})
	if out == nil {
		return text
	}
	return string(out)
}

const (
	vowels     = "aeiou"
	consonants = "bcdfghjklmnprstvwz"
)

// reshape puts other vowels, consonants and digits in the places of a word's
// own. Equal words with equal keys, in whatever case, become equal words.
func reshape(word []byte, key uint64) {
	for i, b := range word {
		key = mix(key)
		switch {
		case b >= '0' && b <= '9':
			word[i] = '0' + byte(key%10)
		case b|0x20 >= 'a' && b|0x20 <= 'z':
			from := consonants
			if strings.IndexByte(vowels, b|0x20) >= 0 {
				from = vowels
			}
			word[i] = from[key%uint64(len(from))]&^0x20 | b&0x20
		}
	}
}

// barcode replaces all of a barcode but its zeros in front, the first digits of
// its firm, and its form in print.
func (c *copier) barcode(g recall.PrintedGTIN) recall.PrintedGTIN {
	const length, firm = 14, 3
	digits := []byte(g.GTIN)
	printed := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, g.Printed)
	at := strings.Index(g.GTIN, printed)
	kept := len(g.GTIN) - len(strings.TrimLeft(g.GTIN, "0")) + firm
	if len(digits) != length || at < 0 || kept >= length-1 {
		return g // no barcode in the usual form: the copies share it
	}
	reshape(digits[kept:length-1], hash(c.key, g.GTIN))
	check, ok := gtin.CheckDigit(string(digits[:length-1]))
	if !ok {
		return g
	}
	digits[length-1] = check
	form := []byte(g.Printed)
	for i := range form {
		if form[i] >= '0' && form[i] <= '9' {
			form[i] = digits[at]
			at++
		}
	}
	return recall.PrintedGTIN{GTIN: string(digits), Printed: string(form), From: g.From}
}

// eachWord calls yield with where each run of ASCII letters and digits is.
func eachWord(text string, yield func(from, to int)) {
	from := -1
	for i := 0; i <= len(text); i++ {
		inside := false
		if i < len(text) {
			b := text[i]
			inside = b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' || b >= 0x80
		}
		switch {
		case inside && from < 0:
			from = i
		case !inside && from >= 0:
			yield(from, i)
			from = -1
		}
	}
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// hash is FNV-1a of 64 bits over a key and a text.
func hash(key uint64, text string) uint64 {
	h := 14695981039346656037 ^ key
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// mix is the finaliser of SplitMix64: every bit of the key moves every other.
func mix(key uint64) uint64 {
	key += 0x9e3779b97f4a7c15
	key = (key ^ key>>30) * 0xbf58476d1ce4e5b9
	key = (key ^ key>>27) * 0x94d049bb133111eb
	return key ^ key>>31
}
