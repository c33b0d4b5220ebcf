package secaudit

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// minOwn is the fewest characters of a secret of our own.
	minOwn = 32
	// minOwnBits is the least entropy of one: 32 hexadecimal digits that were drawn
	// at random are estimated at some 110.
	minOwnBits = 80
	// minPassword is the fewest characters of a server's password.
	minPassword = 16
)

const (
	makeSecret = "make one by: openssl rand -base64 48"
	// replaceWeak is what to do about a secret that could be guessed.
	replaceWeak = makeSecret + "; one that could be guessed must not go on as CROWNSAFE_SECRET_KEY_PREVIOUS, for who guesses it can sign with it"
)

func secretRules() []rule {
	const category = "secrets"
	return []rule{
		{
			id: "secret-key-set", category: category, worst: Critical, scope: production,
			about: "`SECRET_KEY` is set; in development one is made", remedy: "set SECRET_KEY, or SECRET_KEY_FILE; " + makeSecret,
			facts: func(f *Facts) verdict {
				if !f.SecretKeySet {
					return fail(Critical, "SECRET_KEY is not set: nothing can be signed, and no session outlives the process")
				}
				return pass("SECRET_KEY is set")
			},
		},
		{
			id: "secret-length", category: category, worst: Critical, scope: everywhere,
			about: "secrets of our own have 32 characters or more", remedy: replaceWeak,
			facts: eachSecret(Own, Critical, func(s *Secret) string {
				if s.Strength.Length < minOwn {
					return fmt.Sprintf("has %d characters, fewer than %d", s.Strength.Length, minOwn)
				}
				return ""
			}),
		},
		{
			id: "secret-placeholder", category: category, worst: Critical, scope: everywhere,
			about: "secrets of our own are no placeholders (`changeme`, `your-secret-key`, …)", remedy: replaceWeak,
			facts: eachSecret(Own, Critical, isPlaceholder),
		},
		{
			id: "secret-entropy", category: category, worst: High,
			about: "secrets of our own look random: no repetitions, no sequences", remedy: replaceWeak,
			facts: eachSecret(Own, High, func(s *Secret) string {
				if s.Strength.Bits < minOwnBits {
					return fmt.Sprintf("could be guessed: %.0f bits at most, fewer than %d", s.Strength.Bits, minOwnBits)
				}
				return ""
			}),
		},
		{
			id: "server-password-placeholder", category: category, worst: Critical,
			about:  "passwords of database, cache and mail server are no placeholders; of a server on the same machine HIGH",
			remedy: "give the server's user a random password, and the URL with it",
			facts:  serverPlaceholders,
		},
		{
			id: "server-password-length", category: category, worst: High,
			about: "passwords of database, cache and mail server on other machines have 16 characters or more", remedy: "give the server's user a longer random password",
			facts: eachSecret(Server, High, func(s *Secret) string {
				if s.Strength.Length < minPassword && !s.Local {
					return fmt.Sprintf("holds a password of %d characters, fewer than %d", s.Strength.Length, minPassword)
				}
				return ""
			}),
		},
		{
			id: "issued-key-placeholder", category: category, worst: Medium,
			about: "keys that agencies, the account of the storage and others gave us are no placeholders", remedy: "set the key that was issued to you, or unset the variable",
			facts: eachSecret(Issued, Medium, isPlaceholder),
		},
		{
			id: "secret-reuse", category: category, worst: High,
			about: "no secret is used for two things", remedy: "give each variable a secret of its own; " + makeSecret,
			facts: eachSecret(anyUse, High, func(s *Secret) string {
				if len(s.SameAs) > 0 {
					return "is the same as " + strings.Join(s.SameAs, " and ")
				}
				return ""
			}),
		},
		{
			id: "secret-age", category: category, worst: Medium,
			about:  "secrets are rotated within `CROWNSAFE_SECRET_MAX_AGE` (90 days), by the vault's word, the file's time, or since when the data directory knows them",
			remedy: "rotate the secret; for SECRET_KEY, move the old one to CROWNSAFE_SECRET_KEY_PREVIOUS, unless another check finds it weak",
			facts:  secretAges,
		},
		{
			id: "secret-source", category: category, worst: Low, scope: production,
			about:  "secrets come from files or a Key Vault and not from the environment, which child processes, crash reports and manifests show",
			remedy: "give the secret by NAME_FILE or as keyvault://VAULT/NAME",
			facts: eachSecret(anyUse, Low, func(s *Secret) string {
				if s.Source == "environment" {
					return "stands in the environment"
				}
				return ""
			}),
		},
		{
			id: "secret-file-mode", category: category, worst: Medium,
			about: "files of secrets can't be read by every user, or changed by the group", remedy: "chmod 0400 the file; in Kubernetes, set defaultMode: 0400 and an fsGroup",
			facts: eachSecret(anyUse, Medium, func(s *Secret) string {
				if s.Mode.Perm()&0o026 != 0 {
					return fmt.Sprintf("is in a file of mode %04o", s.Mode.Perm())
				}
				return ""
			}),
		},
		{
			id: "secret-refresh", category: category, worst: Medium,
			about: "files and vaults of secrets can be read anew", remedy: "look into the log, which says why the source of the secret can't be read",
			facts: eachSecret(anyUse, Medium, func(s *Secret) string {
				if s.Failing {
					return "can't be read from its source any more; the last one that was read stands"
				}
				return ""
			}),
		},
		{
			id: "secret-pending", category: category, worst: Medium,
			about: "no secret has changed at its source that takes a restart to be used", remedy: "restart the service, so that it uses the new secret",
			facts: eachSecret(anyUse, Medium, func(s *Secret) string {
				if s.Pending {
					return "has changed at its source, and the service uses the old one"
				}
				return ""
			}),
		},
		{
			id: "audit-override", category: category, worst: High, scope: everywhere,
			about: "`CROWNSAFE_AUDIT_OVERRIDE` is off", remedy: "mend the critical findings and unset CROWNSAFE_AUDIT_OVERRIDE",
			facts: func(f *Facts) verdict {
				if f.Override {
					return fail(High, "CROWNSAFE_AUDIT_OVERRIDE is on: critical findings don't stop the start")
				}
				return pass("critical findings stop the start in production")
			},
		},
	}
}

// anyUse stands for every use.
const anyUse Use = -1

// eachSecret makes a rule of what is wrong with one secret, in words; empty:
// nothing.
func eachSecret(use Use, severity Severity, wrong func(*Secret) string) func(*Facts) verdict {
	return func(f *Facts) verdict {
		var found []string
		looked := 0
		for i := range f.Secrets {
			s := &f.Secrets[i]
			if use != anyUse && s.Use != use {
				continue
			}
			looked++
			if words := wrong(s); words != "" {
				found = append(found, s.Variable+" "+words)
			}
		}
		if len(found) > 0 {
			return fail(severity, "%s", strings.Join(found, "; "))
		}
		return pass("%s", lookedAt(looked))
	}
}

func lookedAt(n int) string {
	switch n {
	case 0:
		return "there is none to look at"
	case 1:
		return "one was looked at"
	}
	return fmt.Sprintf("%d were looked at", n)
}

func isPlaceholder(s *Secret) string {
	if s.Strength.Placeholder {
		return "is a placeholder, which everybody knows"
	}
	return ""
}

func serverPlaceholders(f *Facts) verdict {
	elsewhere := slices.ContainsFunc(f.Secrets, func(s Secret) bool { return s.Use == Server && s.Strength.Placeholder && !s.Local })
	severity := High
	if elsewhere {
		severity = Critical
	}
	return eachSecret(Server, severity, func(s *Secret) string {
		if s.Strength.Placeholder {
			return "holds a placeholder as its password"
		}
		return ""
	})(f)
}

func secretAges(f *Facts) verdict {
	return eachSecret(anyUse, Medium, func(s *Secret) string {
		if age := f.At.Sub(s.Since); !s.Since.IsZero() && age > f.SecretMaxAge {
			return fmt.Sprintf("is %d days old (%s), more than %d", int(age/(24*time.Hour)), s.SinceSource, int(f.SecretMaxAge/(24*time.Hour)))
		}
		return ""
	})(f)
}
