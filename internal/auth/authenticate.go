package auth

import "errors"

// Errors that say what is wrong with what somebody showed; tested with errors.Is.
var (
	// ErrInvalid: an access token, key or cookie is none of ours, or is good no more.
	ErrInvalid = errors.New("the credential is not valid")
	// ErrSeveral: more than one credential was shown.
	ErrSeveral = errors.New("more than one credential was shown")
)

// Credentials are what a request shows: the values of its headers Authorization
// and X-API-Key as they came, and that of its cookie, "" for none.
type Credentials struct {
	Authorization []string
	APIKey        []string
	Cookie        string
}

// None reports that nothing is shown.
func (c Credentials) None() bool {
	return len(c.Authorization) == 0 && len(c.APIKey) == 0 && c.Cookie == ""
}
