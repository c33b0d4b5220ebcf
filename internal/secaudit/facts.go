package secaudit

import (
	"io/fs"
	"time"
)

// Facts are what the rules judge. The zero value of a field that isn't known is
// what finds nothing, but where its comment says otherwise.
type Facts struct {
	At          time.Time
	Environment string // development, staging or production

	Secrets      []Secret
	SecretKeySet bool
	// SecretMaxAge is the age from which a secret is to be rotated.
	SecretMaxAge time.Duration
	Override     bool // critical findings don't stop the start

	Settings Settings
	Database Database
	Cache    Cache
	Storage  Storage
	Host     Host
	Build    Build
	Agencies []Agency
	Backup   Backup
}

// Use is what a secret is for, which says how strong it must be.
type Use int

// The uses of secrets.
const (
	Own    Use = iota // the service signs with it, or compares it with what it is shown
	Server            // a password that the service shows to a server, and operators chose
	Issued            // made by others, who answer for its strength
)

// Secret is what is known of a secret that is set, and never the secret.
type Secret struct {
	Variable string
	Use      Use
	Source   string // environment, file, vault or made
	Local    bool   // of a server on the same machine
	Strength Strength
	SameAs   []string // other variables that hold the same
	// Since is when it was last changed, by the word of SinceSource; zero: unknown.
	Since       time.Time
	SinceSource string
	Failing     bool        // its source can't be read any more
	Pending     bool        // its source has another by now, which takes a restart
	Mode        fs.FileMode // of its file; 0: it comes from none
}

// Settings are what the program was told.
type Settings struct {
	PublicURL      string // empty: none is set
	DefaultContact bool   // agencies can't tell whose the requests are
	Debug          bool   // the log has level debug
	DebugAddr      string // where profiles are answered; empty: nowhere
	RateLimit      bool
	TrustedProxies []string // address ranges whose word on the caller's address is taken
	MigratesItself bool     // the service changes the database's schema at its start
	// PlainFeeds are agencies whose feed is asked without TLS on another machine.
	PlainFeeds []string
	// PlainTelemetry says that traces and logs leave this machine without TLS.
	PlainTelemetry bool
	ServerTimeouts bool // of the HTTP server: for headers, bodies, answers and idle connections
}

// TLS is how sure a connection is of whom it talks to.
type TLS string

// The kinds of TLS, after PostgreSQL's sslmode (libpq, section "SSL Support").
const (
	TLSNone       TLS = "none"       // plain text, or plain text when the other side wants
	TLSUnverified TLS = "unverified" // encrypted, to anybody
	TLSAuthority  TLS = "authority"  // to anybody with a certificate of the authority
	TLSFull       TLS = "full"       // to the host that was named
)

// Database is the database's side.
type Database struct {
	Embedded bool // a SQLite file
	Local    bool // on the same machine
	TLS      TLS
	// Asked says that the server told of the role; without it nothing is known of it.
	Asked     bool
	Superuser bool
	// Powers are what the role may do beyond its own database.
	Powers []string
}

// Cache is the shared cache's side.
type Cache struct {
	Embedded bool // in the process
	Local    bool
	TLS      TLS
	Password bool
}

// Credential is what opens the store of objects.
type Credential string

// The credentials.
const (
	AccountKey Credential = "account key"
	Signature  Credential = "shared access signature"
	Identity   Credential = "identity"
)

// Storage is the store of objects' side.
type Storage struct {
	Embedded     bool // a folder
	Local        bool
	TLS          TLS
	Credential   Credential
	PublishedKey bool      // the emulator's key, which everybody knows
	Expires      time.Time // of a signature; zero: never
	PublicAccess string    // what anybody may read: blob, container; empty: nothing, or unknown
}

// Host is the machine's side.
type Host struct {
	Root      bool
	Umask     fs.FileMode
	CoreDumps bool
	// Files are what must not be open to others, by what they are.
	Files []HostFile
}

// HostFile is a file or folder of the data directory.
type HostFile struct {
	What string // such as "the data directory"
	Kind FileKind
	Mode fs.FileMode
}

// FileKind says what a file is kept safe from.
type FileKind int

// The kinds of files.
const (
	DataFolder FileKind = iota
	KeyFile
	DatabaseFile
)

// Build is what the program was made of.
type Build struct {
	Known     bool              // the program carries the record of its build
	Modified  bool              // of a working tree with changes that are in no commit
	GoVersion string            // such as go1.26.8
	Modules   map[string]string // version by module path
}

// Agency is an agency that asks for a credential.
type Agency struct {
	Code     string
	Rejected bool // the agency refuses the credential that is set
}

// Backup is what is known of backups.
type Backup struct {
	LastAt    time.Time // of the newest; zero: none is known of
	Encrypted bool      // those that are made are
	// Unrestorable says why the newest that somebody tried to restore can't be; empty: it
	// can, or nobody tried.
	Unrestorable string
}
