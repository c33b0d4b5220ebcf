package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
)

const (
	// longest is how many items an example's list of objects has, and longestWords how
	// many a list of anything else.
	longest, longestWords = 2, 4
	// recordedAt is when the examples pretend to have been made.
	recordedAt = "2026-11-24T06:00:00Z"
)

// constants stand for values that differ from run to run or from machine to machine. A
// key names the field, or the object and the field in it.
var constants = map[string]any{
	"age_seconds": 412, "uptime_seconds": 86400.5, "latency_ms": 0.4, "wait_seconds": 0, "expires_in": 900,
	"acquired": 58, "active": 0, "idle": 4, "in_use": 0, "connections": 4, "requests": 120, "entries": 12, "size_bytes": 49152,
	"hits": 96, "misses": 24, "hit_rate": 80, "reuse_rate": 95, "loads": 24,
	"trace_id": "0af7651916cd43dd8448eb211c80319c", "network": "192.0.2.0", "agent": "curl/8.5.0", "prefix": "crs_live_EXAM", "seq": 17,
	"access_token": placeholderAccess, "refresh_token": placeholderRefresh, "key": placeholderKey,
	"security.status": "healthy", "security.worst": "LOW", "security.issues": []string{"3 findings of severity LOW"},
	"security.findings": map[string]int{"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 3},
	"totals":            map[string]int{"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": 3},
	"risk_level":        "LOW", "health_score": 95, "penalties": []map[string]any{{"reason": "security_finding", "points": 5, "why": "a finding of severity LOW"}},
}

// What examples show instead of secrets.
const (
	placeholderAccess  = "ACCESS_TOKEN"
	placeholderRefresh = "REFRESH_TOKEN"
	placeholderKey     = "API_KEY"
	placeholderLetter  = "TOKEN_FROM_THE_LETTER"
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// normaliser rewrites JSON answers so that every run gives the same: it replaces what
// differs and cuts long lists. The order of fields stays.
type normaliser struct {
	start time.Time
	// learned is called with each field before it is replaced.
	learned func(key, value string)
	// id gives the id that stands for a live one.
	id func(live string) string
}

func (n *normaliser) rewrite(raw []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	parsed, err := parse(dec)
	if err != nil {
		return nil, fmt.Errorf("reading %.60s: %w", raw, err)
	}
	return encode(n.value("", "", well(parsed)))
}

// well makes the dashboard's band that of the score that stands for the machine's own.
func well(parsed any) any {
	o, ok := parsed.(object)
	if !ok || !slices.ContainsFunc(o, func(m member) bool { return m.key == "health_score" }) {
		return parsed
	}
	for i := range o {
		if o[i].key == "status" {
			o[i].value = "healthy"
		}
	}
	return o
}

// encode is json.Marshal that leaves <, > and & as they are.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

func (n *normaliser) value(parent, key string, v any) any {
	if text, ok := v.(string); ok {
		n.learned(key, text)
	}
	fixed, is := constants[parent+"."+key]
	if !is {
		fixed, is = constants[key]
	}
	if is && v != nil { // what is null stays null
		return fixed
	}
	switch v := v.(type) {
	case object:
		for i := range v {
			v[i].value = n.value(key, v[i].key, v[i].value)
		}
		return v
	case []any:
		return n.list(key, v)
	case string:
		return n.text(v)
	}
	return v
}

func (n *normaliser) list(key string, items []any) []any {
	most := longestWords
	if len(items) > 0 {
		if _, of := items[0].(object); of {
			most = longest
		}
	}
	for i := range items {
		items[i] = n.value(key, "", items[i]) // also of those that are cut: their ids count
	}
	return items[:min(len(items), most)]
}

// text replaces ids, and times since the start: the difference stays, to the hour.
func (n *normaliser) text(s string) string {
	s = uuid.ReplaceAllStringFunc(s, n.id)
	if at, err := time.Parse(time.RFC3339, s); err == nil && at.After(n.start.Add(-time.Minute)) {
		base, _ := time.Parse(time.RFC3339, recordedAt)
		return base.Add(at.Sub(n.start).Round(time.Hour)).Format(time.RFC3339)
	}
	return s
}

// object is a JSON object whose fields keep their order.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		key, err := encode(m.key)
		if err != nil {
			return nil, err
		}
		value, err := encode(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// parse reads one value.
func parse(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := parse(dec)
			if err != nil {
				return nil, err
			}
			o = append(o, member{fmt.Sprint(key), value})
		}
		_, err = dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			item, err := parse(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}
