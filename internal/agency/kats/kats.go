// Package kats reads the recalls of the Korean Agency for Technology and
// Standards from SafetyKorea's open interface (safetykorea.kr), which needs a
// service key: the list of recalls and the details of each.
//
// It knows nothing of storage, of the catalogue, or of who asks, and lets the
// key into nothing but the header of a request.
package kats

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/agency"
)

// Code is the agency's code in notice ids.
const Code = "kr-kats"

// FormatRecalls is the service's envelope {"resultCode", "resultMsg",
// "resultData"} around recalls: many in a list, one in a detail.
const FormatRecalls = "recall-json"

// DefaultBaseURL is the service.
const DefaultBaseURL = "https://www.safetykorea.kr/openapi/api/recall"

// Options configures an Agency; the zero value reads files and asks nobody.
type Options struct {
	BaseURL string           // of the service; empty: DefaultBaseURL
	Key     string           // the service key; empty: the live feed can't be asked
	Now     func() time.Time // refuses dates in the future; nil: time.Now
}

// Agency reads SafetyKorea's recalls. It is safe for concurrent use.
type Agency struct {
	baseURL, key string
	now          func() time.Time
}

var _ agency.Agency = (*Agency)(nil)

// New returns the agency.
func New(o Options) *Agency {
	a := &Agency{baseURL: strings.TrimRight(cmp.Or(o.BaseURL, DefaultBaseURL), "/"), key: strings.TrimSpace(o.Key), now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	return a
}

// withheld says what is missing and how to get it.
const withheld = "CROWNSAFE_KEY_KR_KATS is not set: SafetyKorea gives a service key to those who register at www.safetykorea.kr (Open API)"

// Describe implements agency.Agency. The terms under which the service gives a
// key out are not public, so its words are not passed on.
func (a *Agency) Describe() agency.Description {
	d := agency.Description{
		Code:        Code,
		Name:        "Korean Agency for Technology and Standards (SafetyKorea)",
		Country:     "KR",
		Licence:     "terms of SafetyKorea's Open API; none stated for passing on",
		Attribution: "출처: 국가기술표준원 제품안전정보센터 (SafetyKorea)",
		Republish:   false,
		Interval:    6 * time.Hour,
		Objective:   24 * time.Hour,
	}
	if a.key == "" {
		d.Withheld = withheld
	}
	return d
}

// codeOK is the result code of an answer that is one.
const codeOK = "2000"

// Recognise knows an answer by its envelope and by the fields of one of its
// first recalls. The list of foreign recalls, which repeats other agencies'
// notices under numbers of its own, is not read.
func (a *Agency) Recognise(_ string, head []byte) agency.Recognition {
	outer := agency.ReadHead(head)
	code, hasCode := outer.Fields["resultCode"]
	switch {
	case outer.Array:
		return agency.Recognition{}
	case hasCode && code != codeOK && outer.Has("resultMsg"):
		return agency.Recognition{Kind: agency.ErrorBody, Note: a.redact(code + ": " + agency.Clean(outer.Fields["resultMsg"]))}
	case !outer.Has("resultData"):
		return agency.Recognition{}
	}
	_, data, _ := bytes.Cut(head, []byte(`"resultData"`))
	records := agency.ReadHeads(bytes.TrimLeft(data, ": \t\r\n"))
	for _, r := range records {
		if isRecall(r) {
			return agency.Recognition{Kind: agency.Notices, Format: FormatRecalls}
		}
	}
	if hasCode && outer.Has("resultMsg") && (records[0].Empty || outer.Fields["resultData"] == "") {
		return agency.Recognition{Kind: agency.Empty, Format: FormatRecalls}
	}
	return agency.Recognition{}
}

// isRecall tells a Korean recall from the service's other records.
func isRecall(record agency.Head) bool {
	return record.Has("recallUid") && (record.Has("recallProductName") || record.Has("publishDate"))
}

// redact takes the key out of words that the service said: some services repeat
// a key that they don't know.
func (a *Agency) redact(said string) string {
	if a.key == "" {
		return said
	}
	return strings.ReplaceAll(said, a.key, "(the key)")
}

// envelope is what an answer says of itself.
type envelope struct {
	code, message agency.Text
	hasData       bool
}

// ok reports an answer with a list of recalls, be it empty.
func (e envelope) ok() bool { return e.hasData && e.code == codeOK }

// readAnswer reads an answer and gives each record of resultData: an array, one
// record without its array, or null.
func readAnswer(body []byte, each func(position int, raw json.RawMessage) error) (envelope, error) {
	var e envelope
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	d := json.NewDecoder(bytes.NewReader(body))
	err := agency.EachMember(d, func(key string) error {
		switch key {
		case "resultCode":
			return agency.DecodeValue(d, &e.code)
		case "resultMsg":
			return agency.DecodeValue(d, &e.message)
		case "resultData":
			e.hasData = true
			if value := bytes.TrimLeft(body[d.InputOffset():], ": \t\r\n"); len(value) > 0 && value[0] == '[' {
				return agency.EachElement(d, each)
			}
			var raw json.RawMessage
			if err := agency.DecodeValue(d, &raw); err != nil {
				return err
			}
			switch string(raw) {
			case "null", `""`, "{}":
				return nil
			}
			return each(1, raw)
		}
		return agency.SkipValue(d)
	})
	if err == nil {
		err = agency.EndOfJSON(d)
	}
	return e, err
}
