package azure

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/egress"
)

// Security is what options say of how safe the way to the account is.
type Security struct {
	TLS   bool
	Local bool // the account is on this machine, as an emulator is
	// Way is what opens the account: "key", "signature" or "identity".
	Way string
	// Secret is the key or the signature's own; empty with an identity.
	Secret string
	// Published says that the key is the emulator's, which Microsoft publishes.
	Published bool
	// Expires is the signature's end; zero: a policy of the account has it, or
	// there is none.
	Expires time.Time
}

// publishedAccount is the name of the emulator's account, whose key everybody knows:
// https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const publishedAccount = "devstoreaccount1"

// Describe reads options as Open does. Its errors hold nothing of them.
func Describe(o Options) (Security, error) {
	a := access{endpoint: o.AccountURL, name: o.AccountName, rawKey: o.AccountKey, sas: o.SAS}
	if o.ConnectionString != "" {
		var err error
		if a, err = parseConnectionString(o.ConnectionString); err != nil {
			return Security{}, err
		}
	}
	u, err := url.Parse(a.endpoint)
	if err != nil {
		return Security{}, errors.New("the account's URL is none")
	}
	s := Security{TLS: strings.EqualFold(u.Scheme, "https"), Local: egress.ThisMachine(u.Hostname()) || strings.HasSuffix(strings.ToLower(u.Hostname()), ".localhost"), Way: "identity"}
	switch {
	case a.rawKey != "":
		s.Way, s.Secret, s.Published = "key", a.rawKey, a.name == publishedAccount
	case a.sas != "":
		query, err := url.ParseQuery(strings.TrimPrefix(a.sas, "?"))
		if err != nil {
			return Security{}, errors.New("the shared access signature can't be read")
		}
		s.Way, s.Secret, s.Expires = "signature", query.Get("sig"), readExpiry(query.Get("se"))
	}
	return s, nil
}

// readExpiry reads a signature's end, which has a time of day or hasn't:
// https://learn.microsoft.com/rest/api/storageservices/formatting-datetime-values
func readExpiry(text string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	return time.Time{}
}

// PublicAccess asks the account what anybody may read of the container: "blob",
// "container", or nothing. A signature may not be allowed to ask.
func (s *Store) PublicAccess(ctx context.Context) (string, error) {
	ctx, cancel := s.patiently(ctx)
	defer cancel()
	found, err := s.container.GetProperties(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("asking Azure container %s for its public access: %w", s.options.Container, s.translated(ctx, err, reading))
	}
	if found.BlobPublicAccess == nil {
		return "", nil
	}
	return string(*found.BlobPublicAccess), nil
}
