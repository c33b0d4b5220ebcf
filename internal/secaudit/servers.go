package secaudit

import (
	"strings"
	"time"
)

// signatureLeft is how long a shared access signature should be good at least when
// it is looked at, and signatureMost how long at most.
const (
	signatureLeft = 7 * 24 * time.Hour
	signatureMost = 400 * 24 * time.Hour
)

func serverRules() []rule {
	return []rule{
		{
			id: "database-server", category: "environment", worst: High, scope: production,
			about: "`DATABASE_URL` names a server", remedy: "set DATABASE_URL to a PostgreSQL, see docs/operations.md",
			facts: func(f *Facts) verdict { return embedded(f.Database.Embedded, "the database is a file on this machine") },
		},
		{
			id: "cache-server", category: "environment", worst: High, scope: production,
			about: "`REDIS_URL` names a server", remedy: "set REDIS_URL to a Redis, see docs/operations.md",
			facts: func(f *Facts) verdict {
				return embedded(f.Cache.Embedded, "the cache is this process's alone, and so are the limits on callers")
			},
		},
		{
			id: "storage-server", category: "environment", worst: High, scope: production,
			about: "`AZURE_STORAGE_CONNECTION_STRING` or `CROWNSAFE_AZURE_ACCOUNT_URL` names an account", remedy: "name an account of Azure Blob Storage, see docs/operations.md",
			facts: func(f *Facts) verdict { return embedded(f.Storage.Embedded, "objects are in a folder on this machine") },
		},
		{
			id: "database-tls", category: "database TLS", worst: High,
			about:  "the connection to the database is encrypted, to a server whose certificate is checked; on the same machine it needn't be",
			remedy: "add sslmode=verify-full and sslrootcert=… to DATABASE_URL",
			facts: func(f *Facts) verdict {
				return tlsOf("the database", f.Database.Embedded, f.Database.Local, f.Database.TLS)
			},
		},
		{
			id: "database-role", category: "database role", worst: High,
			about:  "the role that the service has in the database is no superuser, and has no powers beyond its database",
			remedy: "make a role that owns its database and nothing else: CREATE ROLE crownsafe LOGIN; CREATE DATABASE crownsafe OWNER crownsafe",
			facts: func(f *Facts) verdict {
				switch {
				case f.Database.Embedded:
					return pass("a file has no roles")
				case !f.Database.Asked:
					return pass("the database was not there to be asked")
				case f.Database.Superuser:
					return fail(High, "the role is a superuser: whoever has it can read files of the server and run programs there")
				case len(f.Database.Powers) > 0:
					return fail(Medium, "the role may also %s", strings.Join(f.Database.Powers, ", "))
				}
				return pass("the role has no powers beyond its database")
			},
		},
		{
			id: "redis-tls", category: "Redis TLS and auth", worst: High,
			about:  "the connection to Redis is encrypted, to a server whose certificate is checked; on the same machine it needn't be",
			remedy: "give REDIS_URL as rediss://, without skip_verify; CROWNSAFE_REDIS_CA_FILE names an authority of your own",
			facts:  func(f *Facts) verdict { return tlsOf("Redis", f.Cache.Embedded, f.Cache.Local, f.Cache.TLS) },
		},
		{
			id: "redis-auth", category: "Redis TLS and auth", worst: High,
			about: "Redis on another machine wants a password", remedy: "set a password or an ACL user in Redis, and put it into REDIS_URL",
			facts: func(f *Facts) verdict {
				if !f.Cache.Embedded && !f.Cache.Local && !f.Cache.Password {
					return fail(High, "REDIS_URL has no password: whoever reaches the server can write answers into it")
				}
				return pass("nobody else gets in without a password, or there is no server")
			},
		},
		{
			id: "storage-tls", category: "blob TLS", worst: High,
			about: "the account is asked over https; an emulator on the same machine needn't be", remedy: "use DefaultEndpointsProtocol=https, or an https address",
			facts: func(f *Facts) verdict {
				return tlsOf("the account", f.Storage.Embedded, f.Storage.Local, f.Storage.TLS)
			},
		},
		{
			id: "storage-credential", category: "blob key kind", worst: Medium, scope: production,
			about:  "an identity opens the account; a shared access signature is LOW, an account key, which opens everything for good, MEDIUM",
			remedy: "give the workload an identity with the role Storage Blob Data Contributor and set CROWNSAFE_AZURE_ACCOUNT_URL",
			facts: func(f *Facts) verdict {
				switch {
				case f.Storage.Embedded:
					return pass("a folder needs none")
				case f.Storage.Credential == AccountKey:
					return fail(Medium, "an account key, which opens the whole account and never ends")
				case f.Storage.Credential == Signature:
					return fail(Low, "a shared access signature, which somebody has to renew")
				}
				return pass("an identity")
			},
		},
		{
			id: "storage-emulator-key", category: "blob key kind", worst: Critical,
			about:  "the account's key is not the emulator's, which is published; on the same machine HIGH",
			remedy: "use an account of your own, and rotate its keys",
			facts: func(f *Facts) verdict {
				switch {
				case !f.Storage.PublishedKey:
					return pass("the key is not the emulator's")
				case f.Storage.Local:
					return fail(High, "the objects are in the emulator, whose key everybody knows")
				}
				return fail(Critical, "the account's key is the emulator's, which everybody knows")
			},
		},
		{
			id: "storage-signature-end", category: "blob key kind", worst: High,
			about: "a shared access signature is good for a week at least and 400 days at most", remedy: "make a signature of some weeks, by a stored access policy, or use an identity",
			facts: signatureEnd,
		},
		{
			id: "storage-public", category: "blob key kind", worst: High,
			about: "the container gives nothing to who shows nothing", remedy: "set the container's public access level to private",
			facts: func(f *Facts) verdict {
				if f.Storage.PublicAccess != "" {
					return fail(High, "anybody may read the container's objects (public access: %s)", f.Storage.PublicAccess)
				}
				return pass("no public access is known of")
			},
		},
	}
}

func embedded(is bool, words string) verdict {
	if is {
		return fail(High, "%s: it is lost with the machine, and no second process shares it", words)
	}
	return pass("a server is named")
}

func tlsOf(whom string, embedded, local bool, kind TLS) verdict {
	switch {
	case embedded:
		return pass("there is no connection")
	case local:
		return pass("%s is on this machine", whom)
	case kind == TLSFull:
		return pass("encrypted, and the server's certificate and name are checked")
	case kind == TLSAuthority:
		return fail(Low, "the server's certificate is checked, and its name isn't: any server of the same authority could stand in")
	case kind == TLSUnverified:
		return fail(Medium, "encrypted, and nobody checks to whom: who stands between can read and change everything")
	}
	return fail(High, "%s may be talked to in plain text: passwords and data can be read on the way", whom)
}

func signatureEnd(f *Facts) verdict {
	if f.Storage.Embedded || f.Storage.Credential != Signature {
		return pass("there is no signature")
	}
	switch left := f.Storage.Expires.Sub(f.At); {
	case f.Storage.Expires.IsZero():
		return pass("its end is in a policy of the account")
	case left <= 0:
		return fail(High, "the signature has ended")
	case left < signatureLeft:
		return fail(Medium, "the signature ends in %d hours", int(left/time.Hour))
	case left > signatureMost:
		return fail(Medium, "the signature is good for %d days more: who finds it has it for as long", int(left/(24*time.Hour)))
	}
	return pass("the signature ends on %s", f.Storage.Expires.UTC().Format(time.DateOnly))
}
