package auth

// CookieName is the name of the browsers' cookie. Its prefix has browsers refuse
// one that another host set, or that came in the clear (RFC 6265bis, section 4.1.3.2).
func (s *Service) CookieName() string {
	if s.plainHTTP {
		return "crownsafe"
	}
	return "__Host-crownsafe"
}

// SecureCookie reports that browsers are to send the cookie over https only.
func (s *Service) SecureCookie() bool { return !s.plainHTTP }
