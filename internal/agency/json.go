package agency

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Text is a JSON field that an agency gives as a string, but also as a number,
// a boolean or null, from one answer to the next. It holds the value as text
// (numbers as written, null as ""); it is not cleaned.
type Text string

// UnmarshalJSON takes any scalar and refuses arrays and objects.
func (t *Text) UnmarshalJSON(raw []byte) error {
	switch raw = bytes.TrimSpace(raw); {
	case len(raw) == 0 || string(raw) == "null":
		*t = ""
	case raw[0] == '"':
		return json.Unmarshal(raw, (*string)(t))
	case raw[0] == '[' || raw[0] == '{':
		return fmt.Errorf("%s stands where a text belongs", excerpt(raw, 40))
	default:
		*t = Text(raw)
	}
	return nil
}

// Clean returns the text cleaned, and "" for the ways of saying that there is none.
func (t Text) Clean() string {
	if s := Clean(string(t)); !Missing(s) {
		return s
	}
	return ""
}

// List is a JSON field that holds an array, but also null, or one element
// without its array.
type List[T any] []T

// UnmarshalJSON takes an array, one bare element, null or "".
func (l *List[T]) UnmarshalJSON(raw []byte) error {
	switch raw = bytes.TrimSpace(raw); {
	case len(raw) == 0 || string(raw) == "null" || string(raw) == `""`:
		*l = nil
		return nil
	case raw[0] == '[':
		return json.Unmarshal(raw, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = List[T]{one}
	return nil
}

// NewJSONDecoder decodes a payload, after its byte order mark if it has one.
func NewJSONDecoder(payload io.Reader) *json.Decoder {
	return json.NewDecoder(SkipMark(payload))
}

// SkipMark drops a UTF-8 byte order mark from the beginning of a payload.
func SkipMark(payload io.Reader) io.Reader {
	buffered := bufio.NewReaderSize(payload, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // three bytes were peeked just now
	}
	return buffered
}

// EachElement reads the array that the decoder stands before and gives every
// element, as written, with its position from 1. Only one element is in memory
// at a time. Errors about the payload wrap ErrTruncated where it ends early; an
// error of each stops the reading and is returned.
func EachElement(d *json.Decoder, each func(position int, raw json.RawMessage) error) error {
	switch start, err := d.Token(); {
	case err != nil:
		return jsonError(d, err)
	case start == nil:
		return nil // null: an array without elements
	case start != json.Delim('['):
		return fmt.Errorf("%v stands where an array belongs (byte %d)", start, d.InputOffset())
	}
	for position := 1; d.More(); position++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("reading element %d: %w", position, jsonError(d, err))
		}
		if err := each(position, raw); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return jsonError(d, err)
	}
	return nil
}

// EachMember reads the object that the decoder stands before and calls member
// with the decoder standing before the value of each key, which member must
// read whole; SkipValue does so.
func EachMember(d *json.Decoder, member func(key string) error) error {
	switch start, err := d.Token(); {
	case err != nil:
		return jsonError(d, err)
	case start != json.Delim('{'):
		return fmt.Errorf("%v stands where an object belongs (byte %d)", start, d.InputOffset())
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return jsonError(d, err)
		}
		if err := member(key.(string)); err != nil { // a key is always a string
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return jsonError(d, err)
	}
	return nil
}

// DecodeValue decodes the next value; the error wraps ErrTruncated where the
// payload ends early.
func DecodeValue(d *json.Decoder, into any) error {
	if err := d.Decode(into); err != nil {
		return jsonError(d, err)
	}
	return nil
}

// SkipValue reads a value and forgets it.
func SkipValue(d *json.Decoder) error {
	var ignored json.RawMessage
	return DecodeValue(d, &ignored)
}

// EndOfJSON reports an error when something follows the payload's value.
func EndOfJSON(d *json.Decoder) error {
	switch _, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("after the end of the payload's value: %w", err)
	}
	return fmt.Errorf("something follows the end of the payload's value (byte %d)", d.InputOffset())
}

// jsonError tells where a payload broke off. A decoder that meets the end in
// the middle says io.EOF, io.ErrUnexpectedEOF or a syntax error, by the place.
func jsonError(d *json.Decoder, err error) error {
	var syntax *json.SyntaxError
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &syntax) && strings.Contains(syntax.Error(), "unexpected end")
	if cut {
		return fmt.Errorf("%w (after %d bytes)", ErrTruncated, d.InputOffset())
	}
	return fmt.Errorf("the payload can't be read behind byte %d: %w", d.InputOffset(), err)
}

// Head is what the beginning of a JSON payload tells about its kind.
type Head struct {
	Array bool // the payload is an array; the fields are those of its first element
	Empty bool // an array without elements
	// Fields are the first object's fields in so far as the beginning holds
	// them: scalars as text, arrays and objects as their opening bracket.
	Fields map[string]string
}

// Has reports whether the first object has every one of the fields.
func (h Head) Has(fields ...string) bool {
	for _, f := range fields {
		if _, ok := h.Fields[f]; !ok {
			return false
		}
	}
	return len(fields) > 0
}

// ReadHead reads the first object of a payload, or of the array that a payload
// is, from the payload's beginning, which may break off anywhere. What is no
// such JSON gives an empty Head.
func ReadHead(head []byte) Head { return readHeads(head, 1)[0] }

// ReadHeads reads the first objects of the array that a payload is: the very
// first record may be a broken one. Otherwise it is ReadHead's alone.
func ReadHeads(head []byte) []Head {
	const most = 20
	return readHeads(head, most)
}

// readHeads returns one Head at least.
func readHeads(head []byte, most int) []Head {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(head, []byte("\ufeff"))))
	d.UseNumber()
	var h Head
	token, err := d.Token()
	if err == nil && token == json.Delim('[') {
		h.Array = true
		token, err = d.Token()
		h.Empty = err == nil && token == json.Delim(']')
	}
	if err != nil || token != json.Delim('{') {
		return []Head{h}
	}
	var whole bool
	h.Fields, whole = readFields(d)
	heads := []Head{h}
	for whole && h.Array && len(heads) < most {
		if token, err = d.Token(); err != nil || token != json.Delim('{') {
			break
		}
		h.Fields, whole = readFields(d)
		heads = append(heads, h)
	}
	return heads
}

// readFields reads the object that was just opened. whole tells that it was
// read to its end.
func readFields(d *json.Decoder) (fields map[string]string, whole bool) {
	fields = map[string]string{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fields, false
		}
		name, _ := key.(string)
		value, err := d.Token()
		if err != nil {
			return fields, false
		}
		if value == nil {
			value = ""
		}
		fields[name] = fmt.Sprint(value)
		if _, ok := value.(json.Delim); ok && !skipOpen(d) {
			return fields, false
		}
	}
	_, err := d.Token()
	return fields, err == nil
}

// skipOpen reads to the end of the array or object that was just opened.
func skipOpen(d *json.Decoder) bool {
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return true
}

var (
	pageStart = regexp.MustCompile(`(?i)^\s*<(!doctype\s+html|html)\b`)
	pageTitle = regexp.MustCompile(`(?is)<title\b[^>]*>(.{1,300}?)</title`)
)

// Apology recognises a web page where notices were expected, which is how
// firewalls and failing servers answer with status 200, and returns what the
// page says in its title.
func Apology(head []byte) (said string, is bool) {
	head = bytes.TrimPrefix(head[:min(len(head), 16<<10)], []byte("\ufeff"))
	if !pageStart.Match(head) {
		return "", false
	}
	if title := pageTitle.FindSubmatch(head); title != nil {
		if said = Clean(string(title[1])); said != "" {
			return said, true
		}
	}
	return "a web page without a title", true
}

// ExcerptOf returns the beginning of a rejected record.
func ExcerptOf(raw []byte) string { return excerpt(raw, 2000) }

func excerpt(raw []byte, length int) string {
	r := []rune(strings.ToValidUTF8(string(raw[:min(len(raw), 4*length)]), "\uFFFD"))
	return string(r[:min(len(r), length)])
}
