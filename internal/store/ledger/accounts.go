package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// EncodeScopes writes a key's scopes as a column has them: a JSON array.
func EncodeScopes(scopes []string) (string, error) {
	if len(scopes) == 0 {
		return "[]", nil
	}
	list, err := json.Marshal(scopes)
	if err != nil {
		return "", fmt.Errorf("writing the scopes of a key: %w", err)
	}
	return string(list), nil
}

// DecodeScopes reads what EncodeScopes wrote; store.ErrCorrupt for anything else.
func DecodeScopes(list string) ([]string, error) {
	var scopes []string
	if err := json.Unmarshal([]byte(list), &scopes); err != nil {
		return nil, fmt.Errorf("reading the scopes of a key: %w: %w", store.ErrCorrupt, err)
	}
	return scopes, nil
}

// entriesPerPage bounds how many entries of the audit log are in memory.
const entriesPerPage = 500

// EachEntry yields the audit log page by page; see account.Audit. page reads at
// most so many entries after a Seq.
func EachEntry(after int64, limit int, page func(after int64, most int) ([]account.Entry, error), yield func(account.Entry) error) error {
	for left := limit; ; {
		most := entriesPerPage
		if limit > 0 {
			most = min(left, entriesPerPage)
		}
		entries, err := page(after, most)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := yield(e); err != nil {
				return err
			}
			after = e.Seq
		}
		left -= len(entries)
		if len(entries) < most || limit > 0 && left == 0 {
			return nil
		}
	}
}
