package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// Credentials are what a request shows: the values of its headers Authorization
// and X-API-Key as they came, and that of its cookie, "" for none.
type Credentials struct {
	Authorization []string
	APIKey        []string
	Cookie        string
	// Ask is asked before the store is asked about a key or a cookie that was not good
	// here before; its error becomes Authenticate's. nil: the store is asked at once.
	Ask func() error
}

// None reports that nothing is shown.
func (c Credentials) None() bool {
	return len(c.Authorization) == 0 && len(c.APIKey) == 0 && c.Cookie == ""
}

// standing is who a session or a key belongs to, as the store has it.
type standing struct {
	session account.Session
	key     account.Key
	user    account.User
}

// Authenticate tells who shows credentials. Nobody, without an error, is who shows
// none. ErrSeveral for more than one header's worth; ErrInvalid for one that is not
// good, or good no more; any other error says that this couldn't be found out, and
// the caller must not be taken for anybody then.
//
// A browser sends its cookie whatever else a page asks for, so that a header beats
// the cookie; and a cookie that is good no more is as none, because a browser that
// was signed in goes on showing it.
//
// An ended session and a revoked key are refused at once in this process, and
// within a second in others; so does what an administrator changes take effect.
func (s *Service) Authenticate(ctx context.Context, shown Credentials) (Caller, error) {
	switch {
	case len(shown.Authorization)+len(shown.APIKey) > 1:
		return Nobody, ErrSeveral
	case len(shown.Authorization) == 1:
		scheme, token, _ := strings.Cut(shown.Authorization[0], " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Nobody, ErrInvalid
		}
		return s.byBearer(ctx, strings.TrimLeft(token, " "))
	case len(shown.APIKey) == 1:
		return s.byKey(ctx, shown.APIKey[0], shown.Ask)
	case shown.Cookie != "":
		caller, err := s.byCookie(ctx, shown.Cookie, shown.Ask)
		if errors.Is(err, ErrInvalid) {
			return Nobody, nil
		}
		return caller, err
	}
	return Nobody, nil
}

// operator is who shows the operator's token.
var operator = Caller{Kind: OperatorToken, Role: account.Operator}

func (s *Service) byBearer(ctx context.Context, token string) (Caller, error) {
	if s.isOperatorToken(token) {
		return operator, nil
	}
	c, err := s.checkAccess(ctx, token)
	if err != nil {
		return Nobody, err
	}
	found, err := s.stands(ctx, s.sessions, c.Session, nil, func(ctx context.Context) (standing, error) { return s.findSession(ctx, c.Session) })
	if err != nil {
		return Nobody, err
	}
	if found.session.Kind != account.SessionAPI || found.user.ID != c.Subject {
		return Nobody, ErrInvalid
	}
	return s.userOf(found)
}

func (s *Service) isOperatorToken(shown string) bool { return SameToken(shown, s.operatorToken()) }

// SameToken compares what is shown with a token in a time that tells nothing of the
// token, its length included. Nothing is the same as the empty token.
func SameToken(shown, token string) bool {
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && token != ""
}

// stands returns what is remembered of who shows something, or asks the store; the
// zero value for what nobody has. That is remembered apart, so that whoever makes
// things up pushes out nobody who is known.
func (s *Service) stands(ctx context.Context, known *recent[standing], shown string, ask func() error, find func(ctx context.Context) (standing, error)) (standing, error) {
	if _, is := s.madeUp.get(shown); is {
		return standing{}, nil
	}
	if ask != nil && !known.had(shown) {
		if err := ask(); err != nil {
			return standing{}, err
		}
	}
	found, err := known.load(ctx, shown, find)
	if errors.Is(err, store.ErrNotFound) {
		s.madeUp.set(shown, struct{}{})
		return standing{}, nil
	}
	return found, err
}

func (s *Service) findSession(ctx context.Context, id string) (standing, error) {
	session, err := s.store.Session(ctx, id)
	return s.withUser(ctx, session, err)
}

func (s *Service) withUser(ctx context.Context, session account.Session, err error) (standing, error) {
	var user account.User
	if err == nil {
		user, err = s.store.User(ctx, session.UserID)
	}
	if err != nil {
		return standing{}, fmt.Errorf("looking for a session: %w", err)
	}
	return standing{session: session, user: user}, nil
}

// userOf is the caller that a session stands for.
func (s *Service) userOf(found standing) (Caller, error) {
	if !found.session.Live(s.now()) || s.hasEnded(found.session.ID) || !s.open(found.user) {
		return Nobody, ErrInvalid
	}
	return Caller{
		Kind: AsUser, Role: found.user.Role, UserID: found.user.ID, SessionID: found.session.ID,
		Cookie: found.session.Kind == account.SessionBrowser,
	}, nil
}

// open reports that somebody may use their account.
func (s *Service) open(u account.User) bool { return u.DisabledAt.IsZero() && !s.hasEnded(u.ID) }

func (s *Service) hasEnded(id string) bool {
	_, ended := s.ended.get(id)
	return ended
}

// end makes sessions, keys or users count as ended in this process from now on,
// whatever was remembered of them.
func (s *Service) end(ids ...string) {
	for _, id := range ids {
		s.ended.set(id, struct{}{})
	}
}

func (s *Service) byKey(ctx context.Context, key string, ask func() error) (Caller, error) {
	if !wellFormed(key, keyPrefix) {
		return Nobody, ErrInvalid
	}
	hash := hashOf(key)
	found, err := s.stands(ctx, s.keys, string(hash), ask, func(ctx context.Context) (standing, error) {
		key, user, err := s.store.KeyByHash(ctx, hash)
		if err != nil {
			return standing{}, fmt.Errorf("looking for a key: %w", err)
		}
		return standing{key: key, user: user}, nil
	})
	if err != nil {
		return Nobody, err
	}
	now := s.now()
	if found.key.ID == "" || !found.key.Good(now) || s.hasEnded(found.key.ID) || !s.open(found.user) {
		return Nobody, ErrInvalid
	}
	s.mu.Lock()
	s.used[found.key.ID] = now
	s.mu.Unlock()
	c := Caller{Kind: AsKey, Role: found.user.Role, UserID: found.user.ID, KeyID: found.key.ID}
	for _, scope := range found.key.Scopes {
		c.Scopes = append(c.Scopes, Scope(scope))
	}
	return c, nil
}

func (s *Service) byCookie(ctx context.Context, cookie string, ask func() error) (Caller, error) {
	if token, ok := strings.CutPrefix(cookie, operatorCookie); ok {
		return s.byOperatorCookie(ctx, token)
	}
	if !wellFormed(cookie, cookiePrefix) {
		return Nobody, ErrInvalid
	}
	hash := hashOf(cookie)
	found, err := s.stands(ctx, s.cookies, string(hash), ask, func(ctx context.Context) (standing, error) {
		session, err := s.store.SessionBySecret(ctx, hash)
		return s.withUser(ctx, session, err)
	})
	if err != nil {
		return Nobody, err
	}
	caller, err := s.userOf(found)
	if err == nil && found.session.Kind != account.SessionBrowser {
		return Nobody, ErrInvalid
	}
	if err == nil {
		s.slide(ctx, found.session)
	}
	return caller, err
}

// slide keeps, at most once a minute, that a browser's session is in use, so that
// it goes on; never beyond SessionLasts.
func (s *Service) slide(ctx context.Context, session account.Session) {
	if !s.touched.first(session.ID, struct{}{}) {
		return
	}
	now := s.now()
	expires := now.Add(CookieLasts)
	if last := session.CreatedAt.Add(SessionLasts); last.Before(expires) {
		expires = last
	}
	if err := s.store.TouchSession(ctx, session.ID, now, expires); err != nil {
		s.logger.WarnContext(ctx, "a browser's session could not be kept going", "error", err)
	}
}

// operatorCookie begins the cookie of a browser that showed the operator's token.
// What follows is a token of our own: the store needn't be there for it.
const operatorCookie = "op."

// OperatorCookie gives a browser that shows the operator's token a cookie that
// stands for it for as long as a browser's session lasts. A changed operator's
// token ends it. ErrCredentials when it isn't the token.
func (s *Service) OperatorCookie(ctx context.Context, token string, o Origin) (cookie string, err error) {
	defer func() { s.attempted(err) }()
	if err := s.mayTry(o); err != nil {
		return "", err
	}
	if !s.isOperatorToken(token) {
		s.networks.fail(o.place())
		s.refuse(ctx, actSignIn, string(OperatorToken), "", "token", o)
		return "", ErrCredentials
	}
	// The database may be what an operator comes to look after.
	if err := s.record(ctx, actSignIn, string(OperatorToken), "", o); err != nil {
		s.logger.WarnContext(ctx, "an operator's sign-in could not be written into the audit log", "error", err)
	}
	now := s.now()
	text, err := s.keyring.sign(claims{Shown: s.shownToken(), RegisteredClaims: jwt.RegisteredClaims{
		ID: newID(), Issuer: issuer, Audience: jwt.ClaimStrings{operatorAudience},
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(CookieLasts)),
	}})
	return operatorCookie + text, err
}

func (s *Service) byOperatorCookie(ctx context.Context, text string) (Caller, error) {
	if len(text) > maxTokenBytes {
		return Nobody, ErrInvalid
	}
	c, err := s.keyring.check(ctx, text, operatorAudience, s.now)
	if err != nil {
		return Nobody, err
	}
	if s.operatorToken() == "" || c.Shown != s.shownToken() || c.ID == "" {
		return Nobody, ErrInvalid
	}
	_, here := s.operatorEnded.get(c.ID)
	signedOut, err := s.operatorEnds.load(ctx, c.ID, func(ctx context.Context) (bool, error) { return s.findOperatorEnd(ctx, c.ID), nil })
	if err != nil || signedOut || here {
		return Nobody, cmp.Or(err, ErrInvalid)
	}
	caller := operator
	caller.Cookie, caller.SessionID = true, c.ID
	return caller, nil
}

// operatorEndOwner is in whose name the store keeps which operators' cookies were
// signed out: as attempts, which it forgets when the cookies' time is over.
const operatorEndOwner = "operator-cookie"

// findOperatorEnd reports that an operator's cookie was signed out, in whichever
// process. Where the store doesn't answer, the cookie goes on, unless this process
// knows better: the store may be what the operator looks after.
func (s *Service) findOperatorEnd(ctx context.Context, id string) bool {
	_, err := s.store.KnownAttempt(ctx, operatorEndOwner, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.logger.WarnContext(ctx, "whether an operator signed out could not be found out", "error", err)
	}
	if err == nil {
		s.operatorEnded.set(id, struct{}{})
	}
	return err == nil
}

// endOperatorCookie signs an operator's cookie out, and every copy of it.
func (s *Service) endOperatorCookie(ctx context.Context, id string, o Origin) error {
	// Any cookie's time is over by when this is forgotten.
	ended, err := s.store.BeginAttempt(ctx, operatorEndOwner, id, nil, s.now(), CookieLasts, CookieLasts)
	if err != nil {
		return fmt.Errorf("signing an operator out: %w", err)
	}
	s.operatorEnded.set(id, struct{}{})
	if !ended.First { // by somebody with a copy
		return nil
	}
	if err := s.record(ctx, actSignOut, string(OperatorToken), sessionName(id), o); err != nil {
		s.logger.WarnContext(ctx, "the end of an operator's sign-in could not be written into the audit log", "error", err)
	}
	return nil
}

// shownToken is a fingerprint of the operator's token that doesn't help to find it.
func (s *Service) shownToken() string {
	sum := sha256.Sum256([]byte("crownsafe operator's cookie\n" + s.operatorToken()))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// mayTry returns a *WaitError for an address that showed too many wrong secrets.
func (s *Service) mayTry(o Origin) error {
	if wait := s.networks.wait(o.place()); wait > 0 {
		return &WaitError{max(wait, time.Second)}
	}
	return nil
}
