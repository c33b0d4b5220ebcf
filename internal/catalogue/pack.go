package catalogue

import "github.com/crownsafe/api/internal/recall"

// packBrief appends what a decision needs of a notice.
func (p *packer) packBrief(n *recall.Notice) {
	p.text(n.ID)
	p.text(n.Agency)
	p.text(n.URL)
	p.text(n.Title)
	p.time(n.PublishedAt)
	p.text(string(n.Status))
	p.texts(n.Countries)
	p.text(string(n.Audience))
	p.number(uint64(len(n.Products)))
	for i := range n.Products {
		p.packProduct(&n.Products[i])
	}
	p.number(uint64(len(n.Hazards)))
	for _, h := range n.Hazards {
		p.text(string(h.Type))
		p.text(h.Text)
	}
	p.number(uint64(len(n.Remedy.Types)))
	for _, t := range n.Remedy.Types {
		p.text(string(t))
	}
	p.text(n.Remedy.Text)
	p.text(n.Remedy.Contact)
}

func (u *unpacker) unpackBrief(n *recall.Notice) {
	n.ID = u.text()
	n.Agency = u.text()
	n.URL = u.text()
	n.Title = u.text()
	n.PublishedAt = u.time()
	n.Status = recall.Status(u.text())
	n.Countries = u.texts()
	n.Audience = recall.Audience(u.text())
	n.Products = make([]recall.Product, u.number())
	for i := range n.Products {
		u.unpackProduct(&n.Products[i])
	}
	n.Hazards = make([]recall.Hazard, u.number())
	for i := range n.Hazards {
		n.Hazards[i] = recall.Hazard{Type: recall.HazardType(u.text()), Text: u.text()}
	}
	n.Remedy.Types = make([]recall.RemedyType, u.number())
	for i := range n.Remedy.Types {
		n.Remedy.Types[i] = recall.RemedyType(u.text())
	}
	n.Remedy.Text = u.text()
	n.Remedy.Contact = u.text()
}

func (p *packer) packProduct(r *recall.Product) {
	p.text(r.Name)
	p.text(r.Brand)
	p.number(uint64(len(r.GTINs)))
	for _, g := range r.GTINs {
		p.text(g.GTIN)
		p.text(g.Printed)
		p.text(g.From)
	}
	p.texts(r.Models)
	p.number(uint64(len(r.Units)))
	for i := range r.Units {
		p.packPredicate(&r.Units[i])
	}
}

func (u *unpacker) unpackProduct(r *recall.Product) {
	r.Name = u.text()
	r.Brand = u.text()
	r.GTINs = make([]recall.PrintedGTIN, u.number())
	for i := range r.GTINs {
		r.GTINs[i] = recall.PrintedGTIN{GTIN: u.text(), Printed: u.text(), From: u.text()}
	}
	r.Models = u.texts()
	r.Units = make([]recall.Predicate, u.number())
	for i := range r.Units {
		u.unpackPredicate(&r.Units[i])
	}
}

func (p *packer) packPredicate(r *recall.Predicate) {
	p.signed(int64(r.Group))
	p.texts(r.Models)
	p.text(string(r.Kind))
	p.text(string(r.Op))
	p.bit(r.Except)
	p.maybeText(r.From)
	p.maybeText(r.To)
	p.bit(r.FromInclusive)
	p.bit(r.ToInclusive)
	p.text(r.WherePrinted)
	p.text(r.Quote.Text)
	p.text(r.Quote.Field)
	p.signed(int64(r.Quote.Start))
	p.signed(int64(r.Quote.End))
}

func (u *unpacker) unpackPredicate(r *recall.Predicate) {
	r.Group = int(u.signed())
	r.Models = u.texts()
	r.Kind = recall.UnitKind(u.text())
	r.Op = recall.Op(u.text())
	r.Except = u.bit()
	r.From = u.maybeText()
	r.To = u.maybeText()
	r.FromInclusive = u.bit()
	r.ToInclusive = u.bit()
	r.WherePrinted = u.text()
	r.Quote.Text = u.text()
	r.Quote.Field = u.text()
	r.Quote.Start = int(u.signed())
	r.Quote.End = int(u.signed())
}

// packRest appends what only the whole notice has.
func (p *packer) packRest(n *recall.Notice) {
	p.text(n.Language)
	p.text(n.Summary)
	p.bit(n.UpdatedAt != nil)
	if n.UpdatedAt != nil {
		p.time(*n.UpdatedAt)
	}
	p.time(n.FirstSeenAt)
	p.signed(int64(n.Revision))
	p.text(n.AgencyStatus)
	p.texts(n.Categories)
	p.maybeCount(n.Incidents.Reports)
	p.maybeCount(n.Incidents.Injuries)
	p.maybeCount(n.Incidents.Deaths)
	p.number(uint64(len(n.UnitsCount)))
	for _, c := range n.UnitsCount {
		p.text(c.Country)
		p.signed(int64(c.Count))
		p.bit(c.Approximate)
	}
	p.texts(n.SoldAt)
	p.texts(n.Images)
	p.number(uint64(len(n.Aliases)))
	for _, a := range n.Aliases {
		p.text(a.ID)
		p.text(string(a.Kind))
	}
	p.time(n.Provenance.FetchedAt)
	p.text(n.Provenance.SourceURL)
	p.text(n.Provenance.SHA256)
	p.text(n.Provenance.Raw)
	p.text(n.Provenance.Licence)
	p.text(n.Provenance.Attribution)
}

func (u *unpacker) unpackRest(n *recall.Notice) {
	n.Language = u.text()
	n.Summary = u.text()
	if u.bit() {
		t := u.time()
		n.UpdatedAt = &t
	}
	n.FirstSeenAt = u.time()
	n.Revision = int(u.signed())
	n.AgencyStatus = u.text()
	n.Categories = u.texts()
	n.Incidents = recall.Incidents{Reports: u.maybeCount(), Injuries: u.maybeCount(), Deaths: u.maybeCount()}
	n.UnitsCount = make([]recall.UnitCount, u.number())
	for i := range n.UnitsCount {
		n.UnitsCount[i] = recall.UnitCount{Country: u.text(), Count: int(u.signed()), Approximate: u.bit()}
	}
	n.SoldAt = u.texts()
	n.Images = u.texts()
	n.Aliases = make([]recall.Alias, u.number())
	for i := range n.Aliases {
		n.Aliases[i] = recall.Alias{ID: u.text(), Kind: recall.AliasKind(u.text())}
	}
	n.Provenance.FetchedAt = u.time()
	n.Provenance.SourceURL = u.text()
	n.Provenance.SHA256 = u.text()
	n.Provenance.Raw = u.text()
	n.Provenance.Licence = u.text()
	n.Provenance.Attribution = u.text()
}
