package app

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/secret"
	"github.com/crownsafe/api/internal/secret/keyvault"
)

// Settings reads the settings through lookup (os.LookupEnv in the program), and
// their secrets from where they are. The resolver reads those anew; see
// App.Secrets.
func Settings(ctx context.Context, lookup func(string) (string, bool)) (config.Config, *secret.Resolver, error) {
	secrets := secret.NewResolver(config.SecretVariables(), lookup, &keyvault.Vaults{})
	if err := secrets.Resolve(ctx); err != nil {
		return config.Config{}, nil, err
	}
	cfg, err := config.Load(ctx, secrets.Lookup)
	return cfg, secrets, err
}

// The variables whose change takes effect while the program runs. All others'
// does at the next start.
const (
	secretKeyVariable   = "SECRET_KEY"
	previousKeyVariable = "CROWNSAFE_SECRET_KEY_PREVIOUS"
	opsTokenVariable    = "CROWNSAFE_OPS_TOKEN"
)

// secretKeyFile is where the data directory keeps a secret key that was made.
func secretKeyFile(data string) string { return filepath.Join(data, "secret.key") }

// openKeyring makes the ring of the secret key. In development one is made and
// kept in the data directory where none is set; elsewhere the ring is empty then.
func openKeyring(cfg config.Config) (*secret.Keyring, error) {
	key := string(cfg.SecretKey)
	if key == "" && cfg.Environment == config.Development {
		var err error
		if key, err = secret.Kept(secretKeyFile(cfg.Data)); err != nil {
			return nil, err
		}
	}
	return secret.NewKeyring(key, cfg.Secrets.PreviousKeys()...), nil
}

// secretNow returns a secret as it is now: it may have been rotated since the start.
func (a *App) secretNow(variable string, atStart config.Secret) string {
	if a.Secrets == nil {
		return string(atStart)
	}
	value, _ := a.Secrets.Lookup(variable)
	return value
}

// opsToken is the operators' token as it is now.
func (a *App) opsToken() string { return a.secretNow(opsTokenVariable, a.Config.OpsToken) }

// missTimeout bounds how long sources are asked because of a key that nobody knows;
// the requests that show it wait for less. It is longer than a vault is waited for.
const missTimeout = 30 * time.Second

// keepSecretsFresh reads secrets anew from files and vaults until ctx ends. What
// is wrong with a source is told once, and when it is over.
func (a *App) keepSecretsFresh(ctx context.Context) {
	if a.Secrets == nil || !a.Secrets.Refreshable() {
		return
	}
	a.Keys.RefreshWith(func() error {
		ctx, cancel := context.WithTimeout(ctx, missTimeout)
		defer cancel()
		return a.refreshSecrets(ctx)
	})
	ticker := time.NewTicker(a.Config.Secrets.Refresh)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := a.refreshSecrets(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			a.Logger.Error("secrets can't be read anew; the last known ones stand", "error", err)
		case err == nil && failing:
			a.Logger.Info("secrets can be read again")
		}
		failing = err != nil
	}
}

// refreshSecrets reads secrets anew and puts to use those that can be changed
// while the program runs.
func (a *App) refreshSecrets(ctx context.Context) error { return a.Secrets.Refresh(ctx, a.useSecrets) }

// useSecrets puts to use those of the variables that can be changed while the
// program runs. A key that development made stays: no variable has it.
func (a *App) useSecrets(changed []string) {
	if slices.Contains(changed, secretKeyVariable) || slices.Contains(changed, previousKeyVariable) {
		previous := config.Secrets{KeyPrevious: config.Secret(a.secretNow(previousKeyVariable, ""))}
		a.Keys.Replace(a.secretNow(secretKeyVariable, a.Config.SecretKey), previous.PreviousKeys()...)
	}
	for _, variable := range changed {
		switch variable {
		case secretKeyVariable, previousKeyVariable, opsTokenVariable:
			a.Logger.Warn("a secret was rotated and is in use", "variable", variable)
		default:
			a.Logger.Warn("a secret has changed at its source and is in use from the next start on", "variable", variable)
		}
	}
}
