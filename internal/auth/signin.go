package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// SignedIn is what a client gets that signed in or refreshed.
type SignedIn struct {
	User          account.User
	Session       account.Session
	AccessToken   string
	AccessExpires time.Time
	RefreshToken  string
}

// Login signs in with a password, for a client that keeps tokens. ErrCredentials
// for a wrong address and a wrong password alike, in the same time, and while an
// account is held back; ErrUnverified where the password is right and the address
// wasn't proved; a *WaitError for an address that tried too often; ErrBusy.
func (s *Service) Login(ctx context.Context, email, password string, o Origin) (in SignedIn, err error) {
	defer func() { s.attempted(err) }()
	user, err := s.byPassword(ctx, email, password, o)
	if err != nil {
		return SignedIn{}, err
	}
	secret := newSecret(refreshPrefix)
	session, err := s.start(ctx, user, account.SessionAPI, RefreshLasts, secret, o)
	if err != nil {
		return SignedIn{}, err
	}
	return s.signedIn(user, session, secret)
}

// LoginBrowser signs in with a password, for a browser, and returns the value of
// its cookie. Errors are Login's.
func (s *Service) LoginBrowser(ctx context.Context, email, password string, o Origin) (cookie string, err error) {
	defer func() { s.attempted(err) }()
	user, err := s.byPassword(ctx, email, password, o)
	if err != nil {
		return "", err
	}
	cookie = newSecret(cookiePrefix)
	_, err = s.start(ctx, user, account.SessionBrowser, CookieLasts, cookie, o)
	return cookie, err
}

func (s *Service) signedIn(user account.User, session account.Session, secret string) (SignedIn, error) {
	token, expires, err := s.accessToken(session)
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{User: user, Session: session, AccessToken: token, AccessExpires: expires, RefreshToken: secret}, nil
}

func (s *Service) start(ctx context.Context, user account.User, kind account.SessionKind, lasts time.Duration, secret string, o Origin) (account.Session, error) {
	now := s.now()
	session := account.Session{
		ID: newID(), UserID: user.ID, Kind: kind, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(lasts), Agent: o.agent(), Network: o.network(),
	}
	err := s.recorded(ctx, actSignIn, userName(user.ID), sessionName(session.ID), o, func() error {
		if err := s.store.StartSession(ctx, session, hashOf(secret)); err != nil {
			return fmt.Errorf("starting a session: %w", err)
		}
		return nil
	})
	return session, err
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// errHeldBack is ErrCredentials of a user whom no password is tried for at the
// moment, which only the service itself tells apart.
var errHeldBack = fmt.Errorf("%w", ErrCredentials)

// attempted tells the observer what became of an attempt to sign in. One that nothing
// was decided about has failed.
func (s *Service) attempted(err error) {
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "done"
	case errors.Is(err, errHeldBack):
		outcome = "locked"
	case errors.Is(err, ErrCredentials), errors.Is(err, ErrUnverified):
		outcome = "refused"
	case isWait(err):
		outcome = "limited"
	}
	s.observe(outcome)
}

func isWait(err error) bool {
	_, is := errors.AsType[*WaitError](err)
	return is
}

// byPassword returns whose address and password these are.
func (s *Service) byPassword(ctx context.Context, email, password string, o Origin) (account.User, error) {
	if err := s.mayTry(o); err != nil {
		return account.User{}, err
	}
	var user account.User
	a, err := ParseAddress(email)
	done, turnErr := s.hasher.turn(ctx)
	if turnErr != nil {
		return account.User{}, turnErr
	}
	defer done()
	// With the turn: whoever guesses at many passwords at once is counted one by one.
	if err == nil {
		user, err = s.store.UserByEmail(ctx, a.Key)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, ErrAddress) {
		return account.User{}, fmt.Errorf("looking for a user: %w", err)
	}
	right := s.hasher.matches(user.PasswordHash, password)
	if user.ID == "" {
		s.networks.fail(o.place())
		s.refuse(ctx, actSignIn, string(Anonymous), "", "address", o)
		return account.User{}, ErrCredentials
	}
	familiar, held, err := s.heldBack(ctx, user, o)
	switch {
	case err != nil:
		return account.User{}, err
	case held:
		s.networks.fail(o.place())
		s.refuse(ctx, actSignIn, string(Anonymous), userName(user.ID), "held_back", o)
		return account.User{}, errHeldBack
	case !right:
		s.familiar.fail(familiar)
		return account.User{}, s.wrongPassword(ctx, user, o)
	}
	s.familiar.clear(familiar)
	return user, s.rightPassword(ctx, user, password, o)
}

// heldBack reports that no password is tried for a user now. From a network in which
// the user is signed in already some more are, which are counted under the name that
// it returns: otherwise anybody could keep somebody out by guessing again and again,
// and whoever sits in that network must not guess for ever.
func (s *Service) heldBack(ctx context.Context, user account.User, o Origin) (familiar string, held bool, err error) {
	if !s.now().Before(user.LockedUntil) {
		return "", false, nil
	}
	network, err := s.familiarNetwork(ctx, user.ID, o)
	if err != nil || network == "" {
		return "", true, err
	}
	// With a new password the count begins anew, in every process.
	familiar = fmt.Sprintf("%s %d %s", user.ID, user.PasswordAt.UnixMicro(), network)
	return familiar, s.familiar.wait(familiar) > 0, nil
}

// familiarNetwork returns the network that a request comes from if a user is signed
// in from there already, else "".
func (s *Service) familiarNetwork(ctx context.Context, userID string, o Origin) (string, error) {
	sessions, err := s.store.Sessions(ctx, userID, s.now())
	if err != nil {
		return "", fmt.Errorf("looking for a user's sessions: %w", err)
	}
	network := o.network()
	if slices.ContainsFunc(sessions, func(session account.Session) bool { return session.Network == network }) {
		return network, nil
	}
	return "", nil
}

// FamiliarNetwork returns the network that a request comes from if whoever has an
// address is signed in from there already, else "": what others do from elsewhere
// must not keep them out there. Of an address that nobody has it takes as long to say
// so.
func (s *Service) FamiliarNetwork(ctx context.Context, email string, o Origin) (string, error) {
	a, err := ParseAddress(email)
	if err != nil {
		return "", nil //nolint:nilerr // nobody has what is no address
	}
	user, err := s.store.UserByEmail(ctx, a.Key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("looking for a user: %w", err)
	}
	return s.familiarNetwork(ctx, user.ID, o)
}

func (s *Service) wrongPassword(ctx context.Context, user account.User, o Origin) error {
	s.networks.fail(o.place())
	count, err := s.store.FailLogin(ctx, user.ID)
	if err == nil && count >= accountFailures {
		err = s.store.Lock(ctx, user.ID, s.now().Add(pause(count, accountFailures)))
	}
	s.refuse(ctx, actSignIn, string(Anonymous), userName(user.ID), "password", o)
	if err != nil { // what isn't counted must not be a way to go on guessing
		return fmt.Errorf("counting a wrong password: %w", err)
	}
	return ErrCredentials
}

// rightPassword decides whether whoever knows the password may sign in.
func (s *Service) rightPassword(ctx context.Context, user account.User, password string, o Origin) error {
	if !s.open(user) {
		s.refuse(ctx, actSignIn, userName(user.ID), "", "disabled", o)
		return ErrCredentials
	}
	if s.verified && user.VerifiedAt.IsZero() {
		s.refuse(ctx, actSignIn, userName(user.ID), "", "unverified", o)
		return ErrUnverified
	}
	if user.Failures > 0 || !user.LockedUntil.IsZero() {
		if err := s.store.ClearFailures(ctx, user.ID); err != nil {
			return fmt.Errorf("forgetting wrong passwords: %w", err)
		}
	}
	if s.hasher.outdated(user.PasswordHash) {
		hash, err := s.hasher.hashNow(password)
		if err == nil {
			err = s.store.UpgradePassword(ctx, user.ID, user.PasswordHash, hash)
		}
		if err != nil {
			s.logger.WarnContext(ctx, "the hash of a password could not be made costlier; it is tried again at the next sign-in", "error", err)
		}
	}
	return nil
}

// Refresh takes a refresh token for new tokens. ErrInvalid for one that isn't
// good; where it was used before, somebody has a copy, and the session ends.
func (s *Service) Refresh(ctx context.Context, token string, o Origin) (SignedIn, error) {
	if !wellFormed(token, refreshPrefix) {
		return SignedIn{}, ErrInvalid
	}
	now, old := s.now(), hashOf(token)
	secret := newSecret(refreshPrefix)
	expires := now.Add(RefreshLasts)
	// When the session began, which bounds it, is known by the present secret only:
	// one that was replaced has to reach RotateSecret, which tells it from nonsense.
	if present, err := s.store.SessionBySecret(ctx, old); err == nil {
		if present.Kind != account.SessionAPI {
			return SignedIn{}, ErrInvalid
		}
		if last := present.CreatedAt.Add(SessionLasts); last.Before(expires) {
			expires = last
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return SignedIn{}, fmt.Errorf("looking for a session: %w", err)
	}
	session, err := s.store.RotateSecret(ctx, old, hashOf(secret), now, expires)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, account.ErrEnded):
		return SignedIn{}, ErrInvalid
	case errors.Is(err, account.ErrReused):
		s.end(session.ID)
		s.refuse(ctx, actRefreshReuse, string(Anonymous), sessionName(session.ID), "reused", o)
		return SignedIn{}, ErrInvalid
	case err != nil:
		return SignedIn{}, fmt.Errorf("replacing a refresh token: %w", err)
	}
	user, err := s.store.User(ctx, session.UserID)
	if err != nil {
		return SignedIn{}, fmt.Errorf("looking for a session's user: %w", err)
	}
	if !s.open(user) {
		return SignedIn{}, ErrInvalid
	}
	return s.signedIn(user, session, secret)
}
