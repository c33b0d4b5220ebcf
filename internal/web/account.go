package web

import "net/http"

// accountTroubles words why a form for an account had no effect, by the code of the
// API's problem.
var accountTroubles = map[string]string{
	"credentials":       "The address or the password is wrong. After several wrong passwords none is tried for a while; a new password helps at once.",
	"email_unverified":  "The password is right, but the address was not confirmed yet. Open the link in the letter.",
	"too_many_attempts": "Too many attempts came from your address. Please try again later.",
	"rate_limited":      "Too many attempts came from your address. Please try again in a minute.",
	"weak_password":     "This password can't be used. Take at least 12 characters that are hard to guess and in no list of stolen passwords, and not your address.",
	"bad_token":         "This link is not good any more: it was used, or its time is over, or a newer letter was sent.",
	"invalid":           "Something in the form can't be used. Please look at it again.",
	"mail_unavailable":  "No letters can be sent here. Ask whoever runs this service.",
	"unavailable":       "This can't be done now. Please try again in a moment.",
}

// accountDone words what a form led to, by its page.
var accountDone = map[string]string{
	"/verify": "The address is confirmed. You can sign in now.",
	"/reset":  "If there is such an account, it is done: a letter is on its way, or the new password is set. All its sign-ins have ended where it is.",
}

var accountTitles = map[string]string{"/signin": "Sign in", "/verify": "Confirm your address", "/reset": "Set a new password"}

// Account writes one of the pages for accounts, by its path. token is that of a
// letter's link; code is empty before the form was sent, "done" when it had its
// effect, else the code of the API's problem of this status.
func (s *Site) Account(w http.ResponseWriter, r *http.Request, page, token, code string, status int) {
	view := struct {
		Page, Title, Token, Trouble, Done string
	}{Page: page, Title: accountTitles[page], Token: token}
	switch code {
	case "":
	case "done":
		view.Done = accountDone[page]
	default:
		view.Trouble = accountTroubles[code]
		if view.Trouble == "" {
			view.Trouble = accountTroubles["unavailable"]
		}
	}
	s.render(w, r, "account", status, view)
}
