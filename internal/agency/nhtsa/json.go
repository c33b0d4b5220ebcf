package nhtsa

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Parse implements agency.Agency.
func (a *Agency) Parse(ctx context.Context, format string, payload io.Reader, sink agency.Sink) error {
	switch format {
	case FormatFlat:
		return a.parseFlat(ctx, payload, sink)
	case FormatSocrata:
		return a.parseJSON(ctx, payload, sink, completenessSocrata, readSocrata)
	case FormatAPI:
		return a.parseJSON(ctx, payload, sink, completenessAPI, readAPI)
	}
	return fmt.Errorf("%s knows no format %q", Code, format)
}

// parseJSON reads an array of rows, which may stand in an object's "results".
func (a *Agency) parseJSON(ctx context.Context, payload io.Reader, sink agency.Sink, completeness int, read func([]byte) (row, error)) error {
	d := agency.NewJSONDecoder(payload)
	g := newGathering()
	var refused error
	element := func(position int, raw json.RawMessage) error {
		r, err := read(raw)
		if err == nil && !isCampaign(r.campaign) {
			err = fmt.Errorf("%q is no campaign number", r.campaign)
		}
		if err != nil {
			refused = sink.Reject(agency.Reject{NativeID: r.campaign, Position: position, Reason: err.Error(), Excerpt: agency.ExcerptOf(raw)})
			return refused
		}
		g.add(r, position, digestOf([]string{"", string(compact(raw))}))
		return ctx.Err()
	}
	var err error
	if completeness == completenessSocrata {
		err = agency.EachElement(d, element)
	} else {
		err = agency.EachMember(d, func(key string) error {
			if key == "results" {
				return agency.EachElement(d, element)
			}
			return agency.SkipValue(d)
		})
	}
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	if refused != nil || ctx.Err() != nil {
		return err
	}
	return errors.Join(err, a.emit(ctx, g, completeness, sink))
}

// compact brings a row to one form whatever its blanks and the order of its fields.
func compact(raw []byte) []byte {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return bytes.TrimSpace(raw)
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		return bytes.TrimSpace(raw)
	}
	return sorted
}

func readSocrata(raw []byte) (row, error) {
	var s struct {
		ID          agency.Text `json:"nhtsa_id"`
		Maker       agency.Text `json:"manufacturer"`
		Subject     agency.Text `json:"subject"`
		Component   agency.Text `json:"component"`
		Defect      agency.Text `json:"defect_summary"`
		Consequence agency.Text `json:"consequence_summary"`
		Corrective  agency.Text `json:"corrective_action"`
		Affected    agency.Text `json:"potentially_affected"`
		Received    agency.Text `json:"report_received_date"`
		Kind        agency.Text `json:"recall_type"`
		DoNotDrive  agency.Text `json:"do_not_drive_advisory"`
		ParkOutside agency.Text `json:"park_outside_advisory"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return row{}, fmt.Errorf("the record is not built like the data set's: %w", err)
	}
	return row{
		campaign: strings.ToUpper(strings.TrimSpace(string(s.ID))), manufacturer: string(s.Maker), subject: string(s.Subject),
		component: string(s.Component), defect: string(s.Defect), consequence: string(s.Consequence), corrective: string(s.Corrective),
		affected: strings.TrimSuffix(string(s.Affected), ".0"), received: digitsOfDay(string(s.Received)), kind: kindOf(string(s.Kind)),
		doNotDrive: yes(string(s.DoNotDrive)), parkOutside: yes(string(s.ParkOutside)),
	}, nil
}

// kindOf returns the flat file's letter for the data set's type of recall.
func kindOf(recallType string) string {
	switch strings.ToLower(strings.TrimSpace(recallType)) {
	case "child seat", "child restraint", "car seat":
		return kindChildRestraint
	case "tire", "tires":
		return kindTyre
	case "equipment":
		return kindEquipment
	case "vehicle":
		return kindVehicle
	}
	return ""
}

func readAPI(raw []byte) (row, error) {
	var s struct {
		ID          agency.Text `json:"NHTSACampaignNumber"`
		Maker       agency.Text `json:"Manufacturer"`
		Component   agency.Text `json:"Component"`
		Summary     agency.Text `json:"Summary"`
		Consequence agency.Text `json:"Consequence"`
		Remedy      agency.Text `json:"Remedy"`
		Notes       agency.Text `json:"Notes"`
		Received    agency.Text `json:"ReportReceivedDate"`
		Year        agency.Text `json:"ModelYear"`
		Make        agency.Text `json:"Make"`
		Model       agency.Text `json:"Model"`
		Affected    agency.Text `json:"PotentialNumberofUnitsAffected"`
		DoNotDrive  agency.Text `json:"parkIt"`
		ParkOutside agency.Text `json:"parkOutSide"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return row{}, fmt.Errorf("the record is not built like the API's: %w", err)
	}
	return row{
		campaign: strings.ToUpper(strings.TrimSpace(string(s.ID))), manufacturer: string(s.Maker), component: string(s.Component),
		defect: string(s.Summary), consequence: string(s.Consequence), corrective: string(s.Remedy), notes: string(s.Notes),
		received: digitsOfDay(string(s.Received)), year: string(s.Year), make: string(s.Make), model: string(s.Model),
		affected: string(s.Affected), doNotDrive: yes(string(s.DoNotDrive)), parkOutside: yes(string(s.ParkOutside)),
	}, nil
}

// digitsOfDay writes a day as YYYYMMDD, which the flat file has it in. The data
// set writes YYYY-MM-DD with a time, the API DD/MM/YYYY.
func digitsOfDay(s string) string {
	for _, layout := range []string{"2006-01-02", "02/01/2006"} {
		if t, err := time.Parse(layout, s[:min(len(s), len("2006-01-02"))]); err == nil {
			return t.Format("20060102")
		}
	}
	return strings.TrimSpace(s)
}
