package opss

import (
	"github.com/crownsafe/api/internal/agency"
)

// item is what is read of an item of the content API.
type item struct {
	BasePath     agency.Text `json:"base_path"`
	ContentID    agency.Text `json:"content_id"`
	DocumentType agency.Text `json:"document_type"`
	Title        agency.Text `json:"title"`
	Description  agency.Text `json:"description"`
	Locale       agency.Text `json:"locale"`
	// FirstPublished is when GOV.UK had it first, PublicUpdated when it last
	// changed in a way that readers were told of.
	FirstPublished agency.Text `json:"first_published_at"`
	PublicUpdated  agency.Text `json:"public_updated_at"`
	Details        struct {
		Body          agency.Text               `json:"body"`
		Metadata      metadata                  `json:"metadata"`
		Attachments   agency.List[attachment]   `json:"attachments"`
		ChangeHistory agency.List[changedEntry] `json:"change_history"`
	} `json:"details"`
	Withdrawn *withdrawn `json:"withdrawn_notice"`
}

type metadata struct {
	AlertType   agency.Text              `json:"product_alert_type"`
	RiskLevel   agency.Text              `json:"product_risk_level"`
	Category    agency.Text              `json:"product_category"`
	MeasureType agency.List[agency.Text] `json:"product_measure_type"`
	AlertDate   agency.Text              `json:"product_recall_alert_date"`
}

type attachment struct {
	URL         agency.Text `json:"url"`
	ContentType agency.Text `json:"content_type"`
}

type changedEntry struct {
	Note agency.Text `json:"note"`
	At   agency.Text `json:"public_timestamp"`
}

// withdrawn is empty for a notice that stands.
type withdrawn struct {
	Explanation agency.Text `json:"explanation"`
	At          agency.Text `json:"withdrawn_at"`
}

func (w *withdrawn) says() bool { return w != nil && (w.Explanation != "" || w.At != "") }

// content is what the notice says, without what GOV.UK changes whenever it
// renders or republishes an item.
func (it *item) content() any {
	content := []any{it.Title, it.Description, it.Details.Body, it.Details.Metadata, it.Details.Attachments, it.Details.ChangeHistory, it.FirstPublished}
	if it.Withdrawn.says() {
		content = append(content, it.Withdrawn)
	}
	return content
}

// result is what is read of a result of the search API.
type result struct {
	Title        agency.Text `json:"title"`
	Description  agency.Text `json:"description"`
	Link         agency.Text `json:"link"`
	ContentID    agency.Text `json:"content_id"`
	DocumentType agency.Text `json:"document_type"`
	Timestamp    agency.Text `json:"public_timestamp"`
	metadata
}

// item gives a result the form of the item that it points to, with an empty body.
func (r *result) item() item {
	it := item{BasePath: r.Link, ContentID: r.ContentID, Title: r.Title, Description: r.Description, PublicUpdated: r.Timestamp}
	it.Details.Metadata = r.metadata
	return it
}

func (r *result) content() any {
	return []any{r.Title, r.Description, r.Link, r.metadata}
}
