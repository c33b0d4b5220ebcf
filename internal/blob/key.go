package blob

import (
	"fmt"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of keys: in bytes those of Azure Blob Storage for the whole, and
// of common file systems for each segment; Azure's again for their number
// (https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
const (
	maxKey      = 1024
	maxSegment  = 255
	maxSegments = 254
)

// CheckKey returns ErrBadKey, with the reason, for what is no key. A key is
// UTF-8 of up to 1,024 bytes: up to 254 segments of up to 255 bytes with slashes
// between them. A segment neither starts nor ends with a dot, and there are no
// backslashes, colons, control characters and noncharacters, so that a key is a
// path that stays below its root on every system. Nobody uses one key as the
// folder of another: a store that cannot have both may answer ErrBadKey.
func CheckKey(key string) error {
	if reason := flaw(key); reason != "" {
		return fmt.Errorf("key %q %s: %w", key[:min(len(key), 100)], reason, ErrBadKey)
	}
	return nil
}

func flaw(key string) string {
	switch {
	case len(key) > maxKey:
		return "is too long"
	case !utf8.ValidString(key):
		return "is no UTF-8"
	case strings.ContainsFunc(key, forbidden):
		return "has a backslash, a colon, a control character or a noncharacter"
	case strings.Count(key, "/") >= maxSegments:
		return "has too many segments"
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "":
			return "has an empty segment"
		case len(segment) > maxSegment:
			return "has a segment that is too long"
		case segment[0] == '.' || segment[len(segment)-1] == '.':
			return "has a segment that starts or ends with a dot"
		}
	}
	return ""
}

// forbidden also has U+FFFE and U+FFFF, which XML can't hold and Azure's lists
// are XML.
func forbidden(r rune) bool {
	return r == '\\' || r == ':' || unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF
}

const maxContentType = 127

// CheckContentType returns ErrBadContentType for what is no media type, such as
// "text/csv; charset=utf-8", of up to 127 printable ASCII characters. None at
// all is none, and no error.
func CheckContentType(contentType string) error {
	if contentType == "" {
		return nil
	}
	printable := !strings.ContainsFunc(contentType, func(r rune) bool { return r < ' ' || r > '~' })
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !printable || len(contentType) > maxContentType || !strings.Contains(kind, "/") {
		return fmt.Errorf("content type %.40q: %w", contentType, ErrBadContentType)
	}
	return nil
}
