package fsa

import (
	"bytes"
	"encoding/json"

	"github.com/crownsafe/api/internal/agency"
)

// words is a text of the API: a string, the string once for each language or
// source that has it, or by language.
type words string

// UnmarshalJSON takes every form and prefers English.
func (w *words) UnmarshalJSON(raw []byte) error {
	switch raw = bytes.TrimSpace(raw); {
	case len(raw) > 0 && raw[0] == '[':
		var list []words
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		*w = ""
		if len(list) > 0 {
			*w = list[0]
		}
		return nil
	case len(raw) > 0 && raw[0] == '{':
		var tagged map[string]agency.Text
		if err := json.Unmarshal(raw, &tagged); err != nil {
			return err
		}
		*w = words(tagged["en"])
		if *w == "" {
			*w = words(tagged["@value"])
		}
		return nil
	}
	return json.Unmarshal(raw, (*agency.Text)(w))
}

// Clean is agency.Text's.
func (w words) Clean() string { return agency.Text(w).Clean() }

// alert is what is read of an alert.
type alert struct {
	ID                agency.Text              `json:"@id"`
	Notation          agency.Text              `json:"notation"`
	Title             words                    `json:"title"`
	ShortTitle        words                    `json:"shortTitle"`
	Description       words                    `json:"description"`
	Created           agency.Text              `json:"created"`
	Modified          agency.Text              `json:"modified"`
	AlertURL          agency.Text              `json:"alertURL"`
	Status            labelled                 `json:"status"`
	Type              agency.List[agency.Text] `json:"type"`
	Problem           agency.List[problem]     `json:"problem"`
	ProductDetails    agency.List[product]     `json:"productDetails"`
	ReportingBusiness agency.List[business]    `json:"reportingBusiness"`
	OtherBusiness     agency.List[business]    `json:"otherBusiness"`
	ActionTaken       words                    `json:"actionTaken"`
	ConsumerAdvice    words                    `json:"consumerAdvice"`
	PreviousAlert     agency.List[linked]      `json:"previousAlert"`
}

// labelled is a term of one of the agency's code lists.
type labelled struct {
	ID    agency.Text `json:"@id"`
	Label words       `json:"label"`
}

type problem struct {
	RiskStatement  words                 `json:"riskStatement"`
	Allergen       agency.List[labelled] `json:"allergen"`
	ProductDetails agency.List[product]  `json:"productDetails"`
}

type product struct {
	Name     words                 `json:"productName"`
	Code     words                 `json:"productCode"`
	PackSize words                 `json:"packSizeDescription"`
	Batches  agency.List[batch]    `json:"batchDescription"`
	Allergen agency.List[labelled] `json:"allergen"`
}

// batch is what a pack of one batch prints. The descriptions hold ranges and
// remarks, the dates one day each.
type batch struct {
	BatchCode  words                    `json:"batchCode"`
	LotNumber  words                    `json:"lotNumber"`
	BestBefore words                    `json:"bestBeforeDescription"`
	UseBy      words                    `json:"useByDescription"`
	BestDate   agency.List[agency.Text] `json:"bestBeforeDate"`
	UseByDate  agency.List[agency.Text] `json:"useByDate"`
	Text       words                    `json:"batchTextDescription"`
}

type business struct {
	CommonName words `json:"commonName"`
}

// linked is another alert, by its address or as an object.
type linked string

// UnmarshalJSON takes both.
func (l *linked) UnmarshalJSON(raw []byte) error {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '{' {
		var o struct {
			ID agency.Text `json:"@id"`
		}
		if err := json.Unmarshal(raw, &o); err != nil {
			return err
		}
		*l = linked(o.ID)
		return nil
	}
	return json.Unmarshal(raw, (*agency.Text)(l))
}

// products are the alert's, wherever it lists them.
func (a *alert) products() []product {
	list := a.ProductDetails
	for _, p := range a.Problem {
		list = append(list, p.ProductDetails...)
	}
	return list
}

// detailed tells an alert as its own address gives it from one of the list.
func (a *alert) detailed() bool {
	if a.ActionTaken != "" || a.ConsumerAdvice != "" {
		return true
	}
	for _, p := range a.products() {
		if len(p.Batches) > 0 || p.PackSize != "" {
			return true
		}
	}
	return false
}

// content is what the alert says, without when it was touched last.
func (a *alert) content() any {
	c := *a
	c.Modified = ""
	return c
}
