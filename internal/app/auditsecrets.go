package app

import (
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/egress"
	"github.com/crownsafe/api/internal/secaudit"
	"github.com/crownsafe/api/internal/secret"
	"github.com/crownsafe/api/internal/store/postgres"
)

// judged is a secret on its way to what is known of it: its value goes no further.
type judged struct {
	variable, value string
	use             secaudit.Use
	local           bool
}

// secretFacts says what there is to know of every secret that is set, without one.
func (a *App) secretFacts(now time.Time) []secaudit.Secret {
	list := a.judgedSecrets()
	since := a.firstSeen(list, now)
	origins := map[string]secret.Origin{}
	if a.Secrets != nil {
		for _, origin := range a.Secrets.Origins() {
			origins[origin.Variable] = origin
		}
	}
	var facts []secaudit.Secret
	for _, j := range list {
		fact := secaudit.Secret{
			Variable: j.variable, Use: j.use, Local: j.local, Source: string(secret.Environment), Strength: secaudit.Measure(j.value),
			Since: since[j.variable], SinceSource: "since this data directory knows it", Pending: a.pending(j.variable),
		}
		for _, other := range list {
			if other.variable != j.variable && other.value == j.value && !slices.Contains(fact.SameAs, other.variable) {
				fact.SameAs = append(fact.SameAs, other.variable)
			}
		}
		if origin, ok := origins[j.variable]; ok {
			describeOrigin(&fact, origin)
		}
		if j.variable == previousKeyVariable {
			fact.Since = time.Time{} // it signs nothing any more
		}
		facts = append(facts, fact)
	}
	if made, ok := a.madeKey(); ok {
		facts = append(facts, made)
	}
	return facts
}

// judgedSecrets lists the secrets that are set. Of an address it is the password,
// of a connection string the key.
func (a *App) judgedSecrets() []judged {
	var list []judged
	for variable, atStart := range a.Config.AllSecrets() {
		value := a.secretNow(variable, atStart)
		if value == "" {
			continue
		}
		j := judged{variable: variable, value: value, use: secaudit.Issued}
		switch variable {
		case secretKeyVariable, opsTokenVariable:
			j.use = secaudit.Own
		case previousKeyVariable:
			j.use = secaudit.Own
			for _, key := range (config.Secrets{KeyPrevious: config.Secret(value)}).PreviousKeys() {
				j.value = key
				list = append(list, j)
			}
			continue
		case "DATABASE_URL":
			described, err := postgres.Describe(value)
			if j.use, j.value, j.local = secaudit.Server, described.Password, described.Local; err != nil || j.value == "" {
				continue
			}
		case "REDIS_URL":
			_, password, _, _ := splitRedis(value)
			if j.use, j.value, j.local = secaudit.Server, password, cacheFacts(value).Local; j.value == "" {
				continue
			}
		case "CROWNSAFE_SMTP_URL":
			server, err := url.Parse(value)
			if err != nil || server.User == nil { // the mail server's adapter has read it
				continue
			}
			j.use, j.local = secaudit.Server, egress.ThisMachine(server.Hostname())
			if j.value, _ = server.User.Password(); j.value == "" {
				continue
			}
		case "AZURE_STORAGE_CONNECTION_STRING":
			described, err := azure.Describe(azure.Options{ConnectionString: value})
			if j.value = described.Secret; err != nil {
				continue
			}
		}
		list = append(list, j)
	}
	return list
}

// firstSeen asks the data directory since when it knows each secret.
func (a *App) firstSeen(list []judged, now time.Time) map[string]time.Time {
	values := map[string]string{}
	for _, j := range list {
		values[j.variable] = j.value
	}
	since, err := secret.FirstSeen(a.Config.Data, values, now)
	if err != nil {
		a.Logger.Warn("the age of secrets in the environment can't be kept", "error", err)
	}
	return since
}

func describeOrigin(fact *secaudit.Secret, origin secret.Origin) {
	fact.Source, fact.Failing = string(origin.Source), origin.Failing
	if !origin.ChangedAt.IsZero() {
		fact.Since = origin.ChangedAt
		fact.SinceSource = map[secret.Source]string{secret.File: "by its file's time", secret.Vault: "by the vault"}[origin.Source]
	}
	if origin.Path != "" {
		if info, err := os.Stat(origin.Path); err == nil {
			fact.Mode = info.Mode()
		}
	}
}

// pending reports that a secret has changed at its source which is only read at the
// start.
func (a *App) pending(variable string) bool {
	if slices.Contains([]string{secretKeyVariable, previousKeyVariable, opsTokenVariable}, variable) {
		return false
	}
	for name, atStart := range a.Config.AllSecrets() {
		if name == variable {
			return a.secretNow(name, atStart) != string(atStart)
		}
	}
	return false
}

// madeKey tells of the secret key that development makes for itself.
func (a *App) madeKey() (secaudit.Secret, bool) {
	path := secretKeyFile(a.Config.Data)
	if a.Config.SecretKey != "" || a.Config.Environment != config.Development {
		return secaudit.Secret{}, false
	}
	info, err := os.Stat(path)
	if err != nil {
		return secaudit.Secret{}, false
	}
	key, err := secret.Kept(path)
	if err != nil {
		return secaudit.Secret{}, false
	}
	return secaudit.Secret{
		Variable: secretKeyVariable, Source: string(secret.Made), Strength: secaudit.Measure(key), Since: info.ModTime(), SinceSource: "by its file's time",
	}, true
}
