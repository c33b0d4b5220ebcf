package config

import (
	"iter"
	"reflect"
	"strings"
	"time"
)

// Secrets says how secrets are rotated, and how the security audit is taken.
type Secrets struct {
	// KeyPrevious lists what SECRET_KEY was before, with commas between them: what
	// was signed with one is good until its end.
	KeyPrevious Secret `env:"SECRET_KEY_PREVIOUS"`
	// Refresh is how often secrets in files and vaults are read anew.
	Refresh time.Duration `env:"SECRET_REFRESH,default=1m"`
	// MaxAge is the age from which the audit asks for a secret to be rotated.
	MaxAge time.Duration `env:"SECRET_MAX_AGE,default=2160h"`
	// AuditOverride lets a production server start in spite of critical findings.
	AuditOverride bool `env:"AUDIT_OVERRIDE,default=false"`
}

// spans are the bounds of times that make sense.
func (s Secrets) spans() []span {
	return []span{
		between("CROWNSAFE_SECRET_REFRESH", s.Refresh, time.Second, 24*time.Hour),
		between("CROWNSAFE_SECRET_MAX_AGE", s.MaxAge, 24*time.Hour, 10*365*24*time.Hour),
	}
}

// PreviousKeys are the secret keys before the current one.
func (s Secrets) PreviousKeys() []string {
	var keys []string
	for key := range strings.SplitSeq(string(s.KeyPrevious), ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// SecretVariables lists the variables that hold secrets: each may also be given as
// a file or as a reference to a vault.
func SecretVariables() []string {
	var names []string
	for name := range (&Config{}).AllSecrets() {
		names = append(names, name)
	}
	return names
}

// AllSecrets goes through every setting that is a secret, by its variable, set or
// not.
func (c *Config) AllSecrets() iter.Seq2[string, Secret] {
	return func(yield func(string, Secret) bool) { eachSecret(reflect.ValueOf(c).Elem(), "", yield) }
}

func eachSecret(fields reflect.Value, prefix string, yield func(string, Secret) bool) bool {
	for i := range fields.NumField() {
		name, option, _ := strings.Cut(fields.Type().Field(i).Tag.Get("env"), ",")
		under, nested := strings.CutPrefix(option, "prefix=")
		switch field := fields.Field(i); {
		case nested && field.Kind() == reflect.Struct:
			if !eachSecret(field, prefix+under, yield) {
				return false
			}
		case name != "" && field.Type() == reflect.TypeFor[Secret]():
			if !yield(prefix+name, Secret(field.String())) {
				return false
			}
		}
	}
	return true
}
