package web

import "strings"

// filePolicy is the content security policy of what is no page.
var filePolicy = []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}

// layout is what a page is rendered with: what it shows, and the nonce that its style
// and script stand with. Each answer has a nonce of its own (CSP level 3, 2.3.1).
type layout struct {
	Nonce string
	View  any
}

// policy is a page's content security policy: nothing is loaded but what is listed,
// and no style or script but those with the nonce. The operators' page alone has a
// script, which asks for what is new.
func (s *Site) policy(page, nonce string) string {
	directives := []string{
		"default-src 'none'", "style-src 'nonce-" + nonce + "'", strings.TrimSpace("img-src 'self' " + s.PhotoOrigin),
		"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
	}
	if page == "ops" {
		directives = append(directives, "script-src 'nonce-"+nonce+"'", "connect-src 'self'")
	}
	return strings.Join(directives, "; ")
}
