package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/recall"
)

// ContentHash returns the hexadecimal SHA-256 of what a notice says: of its
// normalised JSON without provenance, revision and first_seen_at, which tell
// of our reading and not of the recall. It is empty for a notice that has no
// JSON (a date beyond the year 9999), which no store takes.
func ContentHash(n recall.Notice) string {
	n = Canonical(n)
	n.Provenance = recall.Provenance{}
	n.Revision = 0
	n.FirstSeenAt = time.Time{}
	content, err := json.Marshal(&n)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Canonical returns a notice normalised, without touching the products of the
// one given: callers may share them between goroutines.
func Canonical(n recall.Notice) recall.Notice {
	n.Products = slices.Clone(n.Products)
	for i := range n.Products {
		n.Products[i].Units = slices.Clone(n.Products[i].Units)
	}
	n.Normalise()
	return n
}
