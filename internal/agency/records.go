package agency

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// EachRecord reads a JSON payload that is an array of records, an object that
// holds them in one of its members (lists names those), or one bare record, and
// gives every record, as written, with its position from 1. The members beside
// a list are skipped. Errors are as of EachElement.
func EachRecord(payload io.Reader, lists []string, each func(position int, raw json.RawMessage) error) error {
	d := NewJSONDecoder(payload)
	start, err := firstByte(d)
	if err != nil {
		return err
	}
	if start == '[' {
		err = EachElement(d, each)
	} else {
		err = eachListed(d, lists, each)
	}
	if err != nil {
		return err
	}
	return EndOfJSON(d)
}

// eachListed reads an object with its records in a member, or the one record
// that the object is.
func eachListed(d *json.Decoder, lists []string, each func(int, json.RawMessage) error) error {
	listed := false
	record := map[string]json.RawMessage{}
	err := EachMember(d, func(key string) error {
		if slices.Contains(lists, key) {
			listed = true
			return EachElement(d, each)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%w (in %s)", ErrTruncated, key)
		}
		record[key] = value
		return nil
	})
	if err != nil || listed {
		return err
	}
	raw, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("reading the one record of the payload: %w", err)
	}
	return each(1, raw)
}

// firstByte returns the first byte of the value that the decoder stands before.
func firstByte(d *json.Decoder) (byte, error) {
	if !d.More() {
		return 0, fmt.Errorf("%w (it is empty)", ErrTruncated)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(d.Buffered(), first); err != nil {
		return 0, fmt.Errorf("%w (it is empty)", ErrTruncated)
	}
	return first[0], nil
}
