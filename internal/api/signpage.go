package api

import (
	"errors"
	"mime"
	"net/http"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// SignInPage is the path of the page on which people sign in.
const SignInPage = "/signin"

// The other pages by their paths: those for accounts, and the operators'.
const (
	verifyPage = "/verify"
	resetPage  = "/reset"
	opsPage    = "/ops"
)

// pageDone is what a page is told instead of a problem's code when all went well.
const pageDone = "done"

// registerAccountPages adds the forms for accounts, which work without scripts.
func (s *service) registerAccountPages() {
	for _, path := range []string{SignInPage, verifyPage, resetPage} {
		s.serve("GET "+path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			s.Pages.Account(w, r, path, r.URL.Query().Get("token"), "", http.StatusOK)
		}))
	}
	s.serve("POST "+SignInPage, s.form(SignInPage, s.signInByPage))
	s.serve("POST "+verifyPage, s.form(verifyPage, func(w http.ResponseWriter, r *http.Request) error {
		return badToken(s.Accounts.Verify(r.Context(), r.PostFormValue("token"), personOf(r.Context()).origin))
	}))
	s.serve("POST "+resetPage, s.form(resetPage, func(w http.ResponseWriter, r *http.Request) error {
		origin := personOf(r.Context()).origin
		if token := r.PostFormValue("token"); token != "" {
			return badToken(s.Accounts.Reset(r.Context(), token, r.PostFormValue("password"), origin))
		}
		if err := s.limitAccount(r.Context(), letters, r.PostFormValue("email")); err != nil {
			return err
		}
		return s.Accounts.RequestReset(r.Context(), r.PostFormValue("email"), origin)
	}))
	s.serve("POST /signout", http.HandlerFunc(s.signOutByPage))
}

// form answers a form of a page: do does what it asks for, and has answered itself
// when it returns errAnswered.
func (s *service) form(page string, do func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxAccountBytes)
		code, status, token := pageDone, http.StatusOK, ""
		err := r.ParseForm()
		switch {
		case formType(r) != "application/x-www-form-urlencoded":
			code, status = codeMediaType, http.StatusUnsupportedMediaType
		case tooLong(err):
			code, status = codeTooLarge, http.StatusRequestEntityTooLarge
		case err != nil:
			code, status = codeMalformed, http.StatusBadRequest
		case s.Accounts == nil:
			code, status = codeUnavailable, http.StatusServiceUnavailable
		default:
			err = do(w, r)
		}
		if errors.Is(err, errAnswered) {
			return
		}
		if err != nil && code == pageDone {
			p := s.accountProblem(r.Context(), page, err)
			code, status = p.Code, p.Status
			for name, values := range p.header {
				w.Header()[name] = values
			}
			token = r.PostFormValue("token")
			if page == SignInPage {
				token = "" // the operator's is never written into a page
			}
		}
		s.Pages.Account(w, r, page, token, code, status)
	})
}

func formType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

func tooLong(err error) bool {
	_, is := errors.AsType[*http.MaxBytesError](err)
	return is
}

var errAnswered = errors.New("it was answered already")

// signInByPage signs a browser in, with a password or with the operator's token,
// and sends it on.
func (s *service) signInByPage(w http.ResponseWriter, r *http.Request) (err error) {
	origin, cookie := personOf(r.Context()).origin, ""
	if token := r.PostFormValue("token"); token != "" {
		cookie, err = s.Accounts.OperatorCookie(r.Context(), token, origin)
	} else if err = s.limitGuess(r.Context(), r.PostFormValue("email"), origin); err == nil {
		cookie, err = s.Accounts.LoginBrowser(r.Context(), r.PostFormValue("email"), r.PostFormValue("password"), origin)
	}
	if err != nil {
		return err
	}
	if err := s.endShown(r); err != nil { // who signs in anew has no use for the session before
		return err
	}
	s.setCookie(w, cookie, int(auth.SessionLasts.Seconds())) // how long it is good is for the service to say
	http.Redirect(w, r, s.firstPage(r, cookie), http.StatusSeeOther)
	return errAnswered
}

// firstPage is where a browser that has just signed in goes: operators to theirs.
func (s *service) firstPage(r *http.Request, cookie string) string {
	caller, err := s.Accounts.Authenticate(r.Context(), auth.Credentials{Cookie: cookie})
	if err == nil && caller.May(account.Operator, auth.ScopeMonitor) {
		return opsPage
	}
	return "/"
}

// signOutByPage ends a browser's session and takes its cookie away. A session that
// can't be ended now keeps its cookie, so that nobody believes to be signed out.
func (s *service) signOutByPage(w http.ResponseWriter, r *http.Request) {
	if err := s.endShown(r); err != nil {
		s.fail(w, r, s.accountProblem(r.Context(), "signout", err))
		return
	}
	s.setCookie(w, "", -1)
	http.Redirect(w, r, SignInPage, http.StatusSeeOther)
}

// endShown ends the session whose cookie a browser shows, whatever else it shows. One
// that is good for nothing any more needs no end.
func (s *service) endShown(r *http.Request) error {
	if s.Accounts == nil {
		return nil
	}
	cookie, err := r.Cookie(s.Accounts.CookieName())
	if err != nil { // there is none
		return nil
	}
	caller, err := s.Accounts.Authenticate(r.Context(), auth.Credentials{Cookie: cookie.Value})
	switch {
	case errors.Is(err, auth.ErrInvalid):
		return nil
	case err != nil:
		return &outage{err}
	}
	return s.Accounts.Logout(r.Context(), caller, personOf(r.Context()).origin)
}

func (s *service) setCookie(w http.ResponseWriter, value string, maxAge int) {
	if s.Accounts == nil {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.Accounts.CookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.Accounts.SecureCookie(), SameSite: http.SameSiteLaxMode,
	})
}
