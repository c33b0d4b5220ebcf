package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/mail"
)

// Errors that say what is wrong with what somebody showed or asked for; tested
// with errors.Is. Any other error, but *WeakPassword and *WaitError, is the
// store's or ours: then nothing was decided.
var (
	// ErrCredentials: the address or the password is wrong, or no password is tried
	// at the moment. Which of them isn't told.
	ErrCredentials = errors.New("the address or the password is wrong")
	// ErrInvalid: an access token, key, cookie, refresh token or single-use token is
	// none of ours, or is good no more.
	ErrInvalid = errors.New("the credential is not valid")
	// ErrSeveral: more than one credential was shown.
	ErrSeveral = errors.New("more than one credential was shown")
	// ErrUnverified: the password is right, and the address wasn't proved yet.
	ErrUnverified = errors.New("the address was not verified yet")
	// ErrNoMail: letters can't be sent, so nothing that needs one can be done.
	ErrNoMail = errors.New("no mail can be sent")
	// ErrForbidden: the caller may not do this.
	ErrForbidden = errors.New("the caller may not do this")
	// ErrTooManyKeys: the user has as many keys as there may be.
	ErrTooManyKeys = account.ErrTooMany
)

// WaitError says that nothing is tried for somebody for a while.
type WaitError struct{ For time.Duration }

func (w *WaitError) Error() string {
	return fmt.Sprintf("too many attempts; the next is tried in %s", w.For)
}

// How long things last.
const (
	AccessLasts  = 10 * time.Minute    // an access token
	RefreshLasts = 30 * 24 * time.Hour // an API session that isn't refreshed
	SessionLasts = 90 * 24 * time.Hour // any session, however much it is used
	CookieLasts  = 12 * time.Hour      // a browser's session that isn't used
	VerifyLasts  = 24 * time.Hour      // a token that proves an address
	ResetLasts   = time.Hour           // a token that sets a new password

	standingLasts = time.Second      // how long another process's word may go unheard
	endedLasts    = 10 * time.Second // longer than any standing that was being read
	touchEvery    = time.Minute      // how often it is kept when keys and cookies were used
)

// MaxKeys is how many good keys a user may have.
const MaxKeys = account.MaxKeys

// Post takes letters and sends them later.
type Post interface {
	// Send takes a letter; mail.ErrFull when it can't be taken.
	Send(m mail.Message) error
	// Full reports whether Send would refuse any letter at this moment.
	Full() bool
}

// Options says what the service works with. Store, Seeds and PublicURL are required.
type Options struct {
	Store account.Store
	// Seeds returns the seeds of the signing keys of access tokens, 32 bytes each, the
	// one that signs first; the others are accepted. It is asked often and must be quick.
	Seeds func() [][]byte
	// Refresh asks where the seeds come from anew, because a token came whose key
	// isn't among them; nil: there is nothing to ask. It bounds by itself how often.
	Refresh func(ctx context.Context) error
	// PublicURL is where people reach the pages, without a slash at its end.
	PublicURL string
	// PlainHTTP lets browsers send the cookie without TLS: for development.
	PlainHTTP bool
	Post      Post // nil: no letters can be sent
	// Verified lets only those sign in who have proved their address.
	Verified bool
	// OperatorToken returns CROWNSAFE_OPS_TOKEN as it is now, "" for none; nil: there
	// is never one.
	OperatorToken func() string
	// SignIn is told what became of each attempt to sign in: done; refused; locked,
	// the user is held back; limited, the address is; failed, nothing was decided.
	// Nil: nobody wants to know.
	SignIn   func(outcome string)
	Breached Breached // nil: only the rules decide about passwords
	Cost     int      // of bcrypt; 0: DefaultCost
	Now      func() time.Time
	Logger   *slog.Logger
}

// Service says who calls, and keeps their accounts. It is safe for concurrent use.
type Service struct {
	store         account.Store
	publicURL     string
	plainHTTP     bool
	post          Post
	verified      bool
	operatorToken func() string
	breached      Breached
	observe       func(outcome string) // attempts to sign in
	now           func() time.Time
	logger        *slog.Logger

	hasher   *hasher
	keyring  *keyring
	networks *backoffs         // wrong passwords and tokens by address
	familiar *backoffs         // wrong passwords by user and network, from where the user is signed in
	sent     *recent[struct{}] // letters by address, so that nobody is flooded
	later    chan struct{}     // a place for each letter that is written beside requests
	refusals *recent[struct{}] // refusals in the audit log, so that nobody floods it
	tokens   *recent[claims]   // access tokens whose signature was checked
	sessions *recent[standing] // by id
	cookies  *recent[standing] // by hash of the secret
	keys     *recent[standing] // by hash of the key
	madeUp   *recent[struct{}] // ids and hashes that nobody has
	// operatorEnds remembers whether operators' cookies were signed out, by id, and
	// operatorEnded those that were.
	operatorEnds  *recent[bool]
	operatorEnded *recent[struct{}]
	ended         *recent[struct{}] // ids of sessions, keys and users that ended in this process

	mu      sync.Mutex
	used    map[string]time.Time // keys, since it was last kept
	touched *recent[struct{}]    // cookies whose use was kept lately
}

// New makes the service. Run keeps it going.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OperatorToken == nil {
		o.OperatorToken = func() string { return "" }
	}
	clock := o.Now
	o.Now = func() time.Time { return clock().UTC().Truncate(time.Microsecond) } // as the store keeps it
	if o.SignIn == nil {
		o.SignIn = func(string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{
		store: o.Store, publicURL: o.PublicURL, plainHTTP: o.PlainHTTP, post: o.Post, verified: o.Verified, operatorToken: o.OperatorToken,
		breached: o.Breached, observe: o.SignIn, now: o.Now, logger: o.Logger,
		hasher: newHasher(cmp.Or(o.Cost, DefaultCost)), keyring: &keyring{seeds: o.Seeds, refresh: o.Refresh},
		networks:      newBackoffs(placeFailures, forgetFailures, o.Now),
		familiar:      newBackoffs(familiarFailures, forgetFamiliar, o.Now),
		sent:          newRecent[struct{}](10_000, time.Minute, o.Now),
		later:         make(chan struct{}, afterwardsMost),
		refusals:      newRecent[struct{}](10_000, time.Minute, o.Now),
		tokens:        newRecent[claims](50_000, AccessLasts, o.Now),
		sessions:      newRecent[standing](50_000, standingLasts, o.Now),
		cookies:       newRecent[standing](10_000, standingLasts, o.Now),
		keys:          newRecent[standing](50_000, standingLasts, o.Now),
		madeUp:        newRecent[struct{}](10_000, standingLasts, o.Now),
		ended:         newRecent[struct{}](100_000, endedLasts, o.Now),
		operatorEnds:  newRecent[bool](1000, standingLasts, o.Now),
		operatorEnded: newRecent[struct{}](10_000, CookieLasts, o.Now),
		touched:       newRecent[struct{}](10_000, touchEvery, o.Now),
		used:          map[string]time.Time{},
	}
}

// Run keeps when keys were used, once a minute, until ctx ends; what is left is
// kept then.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(touchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
			defer cancel()
			s.keepUsed(last)
			return
		case <-ticker.C:
		}
		s.keepUsed(ctx)
	}
}

// keepUsed stores when keys were used. What can't be stored is tried again with
// the next.
func (s *Service) keepUsed(ctx context.Context) {
	s.mu.Lock()
	used := s.used
	s.used = map[string]time.Time{}
	s.mu.Unlock()
	if len(used) == 0 {
		return
	}
	err := s.store.TouchKeys(ctx, used)
	if err == nil {
		return
	}
	s.logger.Warn("when keys were used could not be kept", "keys", len(used), "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, at := range used {
		if s.used[id].Before(at) {
			s.used[id] = at
		}
	}
}

// Origin is where a request comes from.
type Origin struct {
	Address netip.Addr // of the client; the zero value: unknown, or this machine's command line
	Agent   string     // what the client calls itself
	TraceID string
}

// maxAgentRunes is how much of what a client calls itself is kept.
const maxAgentRunes = 200

func (o Origin) agent() string {
	if r := []rune(o.Agent); len(r) > maxAgentRunes {
		return string(r[:maxAgentRunes])
	}
	return o.Agent
}

// network is the address without its last part: a /24, or a /48 of IPv6.
func (o Origin) network() string { return prefixOf(o.Address, 24, 48) }

// place is what is held back after wrong passwords: an address, or a /64 of IPv6,
// which is what one customer has.
func (o Origin) place() string { return prefixOf(o.Address, 32, 64) }

func prefixOf(a netip.Addr, v4, v6 int) string {
	if !a.IsValid() {
		return ""
	}
	bits := v6
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = v4
	}
	prefix, err := a.Prefix(bits)
	if err != nil { // an address has as many bits
		return ""
	}
	return prefix.String()
}
