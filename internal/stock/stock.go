// Package stock reads lists of products as nurseries and shops keep them, CSV
// files with a header, and writes them back with an answer beside each row.
//
// It knows nothing of notices and of how an answer is reached. It drops no row:
// what cannot be read becomes a row with its fault, because a row without an
// answer must never pass for one that nothing was found for.
package stock

import (
	"errors"
	"fmt"

	"github.com/crownsafe/api/internal/recall"
)

// MaxRowBytes bounds one row. A longer one is a quote that was left open.
const MaxRowBytes = 1 << 20

// Row is one row of a list.
type Row struct {
	Line  int      // of the file at which the row begins, from 1
	Cells []string // as read, one for each column of the header
	Unit  recall.Unit
	// Fault says why the row cannot be asked about; nil: it can, as far as the
	// list's form goes.
	Fault *recall.BadUnit
}

// ErrNoColumns is wrapped by NewReader's error for a list whose header names no
// column that tells anything of a product.
var ErrNoColumns = errors.New("no column of the header is known")

// ErrEmpty is NewReader's error for a list without a header.
var ErrEmpty = errors.New("the list is empty; its first line must name the columns")

// fault makes a row's fault.
func fault(field, code, format string, args ...any) *recall.BadUnit {
	return &recall.BadUnit{Field: field, Code: code, Message: fmt.Sprintf(format, args...)}
}
