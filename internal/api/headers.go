package api

import (
	"net/http"
	"strings"
)

// Header values that never change are shared between answers.
var (
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	apiPolicy  = []string{"default-src 'none'; frame-ancestors 'none'"}
	// noFeatures keeps from pages, and from what they might embed, what they have no
	// use for. The form for a photograph needs none of it.
	noFeatures = []string{"accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"}
	sameOrigin = []string{"same-origin"}
	// anyOrigin is for the API's answers where other origins may read them.
	anyOrigin = []string{"cross-origin"}
	// onlySecure is for two years, as the preload list wants it; subdomains are others' business.
	onlySecure = []string{"max-age=63072000"}
)

// secure sets the headers that tell browsers what not to do with an answer. Pages
// replace the content security policy by their own.
func (s *service) secure(h http.Header, r *http.Request) {
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = apiPolicy
	h["Permissions-Policy"] = noFeatures
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	if s.origins != nil && strings.HasPrefix(r.URL.Path, "/api/") {
		h["Cross-Origin-Resource-Policy"] = anyOrigin
	}
	if s.overTLS || s.Proxies.secure(r) {
		h["Strict-Transport-Security"] = onlySecure
	}
}
