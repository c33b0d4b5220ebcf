package api

import "net/http"

// Kind explains one code of a problem, for docs/errors.md and /docs/errors.
type Kind struct {
	Code    string
	Status  int
	Title   string
	Meaning string
}

// The codes that this package gives itself.
const (
	codeMalformed    = "malformed"
	codeUnknown      = "unknown_parameter"
	codeRepeated     = "repeated_parameter"
	codeNotFound     = "not_found"
	codeUnauthorized = "unauthorized"
	codeForbidden    = "forbidden"
	codeOrigin       = "cross_origin"
	codeRateLimited  = "rate_limited"
	codeInProgress   = "in_progress"
	codeKeyReused    = "idempotency_key_reused"
	codeMethod       = "method_not_allowed"
	codeTimeout      = "timeout"
	codeTooLarge     = "too_large"
	codeURITooLong   = "uri_too_long"
	codeMediaType    = "unsupported_media_type"
	codeInvalid      = "invalid"
	codeOutOfRange   = "out_of_range"
	codeBadCursor    = "bad_cursor"
	codeCharacters   = "characters"
	codeLength       = "length"
	codeImage        = "bad_image"
	codeInternal     = "internal"
	codeUnavailable  = "unavailable"
	codeCredentials  = "credentials"
	codeUnverified   = "email_unverified"
	codeTooManyKeys  = "too_many_keys"
	codeWeakPassword = "weak_password"
	codeBadToken     = "bad_token"
	codeTooMany      = "too_many_attempts"
	codeNoMail       = "mail_unavailable"
)

// kinds is the whole list, in the order of the documentation.
var kinds = []Kind{
	{codeMalformed, http.StatusBadRequest, "The request cannot be read", "The body is no JSON, or the query string is not encoded as one."},
	{codeUnknown, http.StatusBadRequest, "Unknown query parameter", "The call has no parameter of this name; the nearest known one is named."},
	{codeRepeated, http.StatusBadRequest, "Query parameter given twice", "The parameter takes one value and was given several."},
	{codeUnauthorized, http.StatusUnauthorized, "Not authorised", "The call needs a token or a key, and none is shown, or one that is not good now."},
	{codeCredentials, http.StatusUnauthorized, "Wrong address or password", "The address or the password is wrong, or too many wrong passwords came before; which of them isn't told."},
	{codeForbidden, http.StatusForbidden, "Not allowed", "Who you are is known, and the call needs more: another role, or a key with another scope."},
	{codeOrigin, http.StatusForbidden, "From another site", "A browser sent this for a page of another site. Only pages of this service may change something in your name."},
	{codeUnverified, http.StatusForbidden, "Address not confirmed", "The password is right, but the address was not confirmed yet. /api/v1/auth/verify sends another letter."},
	{codeNotFound, http.StatusNotFound, "Not found", "There is nothing at this address, or no notice has this id."},
	{codeMethod, http.StatusMethodNotAllowed, "Method not allowed", "The address exists, but not for this method; the Allow header lists those that it takes."},
	{codeTimeout, http.StatusRequestTimeout, "The request took too long", "The body did not arrive in time."},
	{codeInProgress, http.StatusConflict, "Still under way", "The first request with this Idempotency-Key is not answered yet. Ask again in a moment."},
	{codeTooManyKeys, http.StatusConflict, "Too many keys", "A user has at most 50 good keys. Revoke one first."},
	{codeTooLarge, http.StatusRequestEntityTooLarge, "The request is too large", "The body is larger than this call takes, or the call costs more than the rate limit could ever let through; the detail says how much it may be."},
	{codeURITooLong, http.StatusRequestURITooLong, "The address is too long", "No barcode and no search is this long."},
	{codeMediaType, http.StatusUnsupportedMediaType, "Unsupported media type", "The body is of a type that this call doesn't take, or compressed. It must be application/json, or a JPEG, PNG or WebP picture where a picture is asked for."},
	{codeInvalid, http.StatusUnprocessableEntity, "Invalid field", "A field holds something that cannot be used; errors[] says which and why."},
	{codeOutOfRange, http.StatusUnprocessableEntity, "Value out of range", "A value lies outside the range that the message names."},
	{codeBadCursor, http.StatusUnprocessableEntity, "Broken cursor", "The cursor is not one that this search gave out. Start again without it."},
	{"check_digit", http.StatusUnprocessableEntity, "Wrong check digit", "The barcode's last digit does not fit the others, so at least one was misread. suggestions[] holds the code with the check digit corrected."},
	{codeLength, http.StatusUnprocessableEntity, "Wrong length", "No barcode has this many digits. With 11 digits a leading zero or the check digit was lost: suggestions[] holds both readings."},
	{codeCharacters, http.StatusUnprocessableEntity, "Unusable characters", "The value holds characters that cannot be part of it, or is not UTF-8."},
	{"no_gtin", http.StatusUnprocessableEntity, "Not a product's barcode", "The code is something else: a pallet, a place, a bare lot number or a web address."},
	{"contradiction", http.StatusUnprocessableEntity, "Contradicting fields", "Two fields name different products."},
	{"date", http.StatusUnprocessableEntity, "Unreadable date", "Dates are YYYY-MM-DD; YYYY-MM and YYYY mean the whole period."},
	{"country", http.StatusUnprocessableEntity, "Unknown country code", "Countries are two letters, ISO 3166-1 alpha-2."},
	{"too_long", http.StatusUnprocessableEntity, "Field too long", "The field holds more than is read; the message says how much that is."},
	{codeImage, http.StatusUnprocessableEntity, "Damaged picture", "The picture begins as one should and then breaks off or makes no sense. Take or send it again."},
	{"empty", http.StatusUnprocessableEntity, "Nothing was given", "Give a barcode, or a brand with a product name or a model."},
	{codeWeakPassword, http.StatusUnprocessableEntity, "Unusable password", "The password is too short, too long, easy to guess, made of the address, or known to be stolen; the message says which."},
	{codeBadToken, http.StatusUnprocessableEntity, "Token not good", "The token from a letter was used already, or its time is over, or a newer letter was sent."},
	{codeKeyReused, http.StatusUnprocessableEntity, "Idempotency-Key used before", "The Idempotency-Key came with another request before. Take a new key for a new request."},
	{codeRateLimited, http.StatusTooManyRequests, "Too many requests", "The RateLimit headers tell what is left, and Retry-After how many seconds to wait. Keys may ask more often."},
	{codeTooMany, http.StatusTooManyRequests, "Too many attempts", "Too many wrong passwords or tokens came from this address. Retry-After says when the next is tried."},
	{codeInternal, http.StatusInternalServerError, "Internal error", "Something failed on our side. The trace id finds it in the logs."},
	{codeUnavailable, http.StatusServiceUnavailable, "Not available now", "The service cannot answer this now. Ask again later."},
	{codeNoMail, http.StatusServiceUnavailable, "No mail can be sent", "The call needs a letter to be sent, and no mail server is set up."},
}

// Kinds returns every code that a problem can have, with its meaning.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

func kindOf(code string) Kind {
	for _, k := range kinds {
		if k.Code == code {
			return k
		}
	}
	panic("api: problem code " + code + " is not in the table of codes")
}

// unitCode returns the code of a bad unit as it is published.
func unitCode(code string) string {
	for _, k := range kinds {
		if k.Code == code && k.Status == http.StatusUnprocessableEntity {
			return code
		}
	}
	return codeInvalid
}

// gtinCode reports whether a code says what is wrong with a barcode.
func gtinCode(code string) bool {
	switch code {
	case "check_digit", codeLength, codeCharacters, "no_gtin":
		return true
	}
	return false
}

// codeOfStatus returns the code for an error that only has a status.
func codeOfStatus(status int) string {
	switch {
	case status == http.StatusUnprocessableEntity:
		return codeInvalid
	case status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable:
		return codeInternal
	}
	for _, k := range kinds {
		if k.Status == status {
			return k.Code
		}
	}
	return codeMalformed
}
