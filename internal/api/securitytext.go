package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// securityTextPath is where RFC 9116 wants to find whom to tell of a vulnerability.
const securityTextPath = "/.well-known/security.txt"

// securityTextFor is how long what the file says is vouched for. It counts from today,
// because whoever runs this program has taken its word for today: it lapses with the
// service, and never while it runs. RFC 9116 asks for less than a year.
const securityTextFor = 90 * 24 * time.Hour

// securityText answers security.txt (RFC 9116).
func (s *service) securityText(w http.ResponseWriter, r *http.Request) {
	var text strings.Builder
	text.WriteString("Contact: mailto:security@crownsafe.com\n")
	today := s.Now().UTC().Truncate(24 * time.Hour)
	fmt.Fprintf(&text, "Expires: %s\n", today.Add(securityTextFor).Format(time.RFC3339))
	text.WriteString("Preferred-Languages: en\n")
	if public := strings.TrimSuffix(s.PublicURL, "/"); strings.HasPrefix(public, "https://") {
		fmt.Fprintf(&text, "Canonical: %s%s\n", public, securityTextPath)
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=86400")
	h.Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text.String())) // the client may be gone
	}
}
