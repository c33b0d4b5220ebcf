package docs

import (
	"encoding/json"
	"fmt"
)

// exchange is a question that the examples ask the real program, as
// internal/api/examples.json holds it, with who asks.
type exchange struct {
	Operation  string            `json:"operation"`
	Name       string            `json:"name"`
	Summary    string            `json:"summary"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Body       json.RawMessage   `json:"body,omitempty"`
	File       string            `json:"file,omitempty"`
	Status     int               `json:"status"`
	Type       string            `json:"type,omitempty"`
	Answer     json.RawMessage   `json:"answer,omitempty"`
}

// standingFor begins every id that stands for a live one.
const standingFor = "01990000-0000-7000-8000-"

// id is what stands for the n-th id that the program gave out.
func id(n int) string { return fmt.Sprintf("%s%012d", standingFor, n) }

// exchanges are asked in this order: some need what another one made. Those who ask are
// in development, on the embedded default, with nothing but the starter catalogue.
func exchanges() []exchange {
	is := func(operation, name, summary string, status int, body string, parameters ...string) exchange {
		e := exchange{Operation: operation, Name: name, Summary: summary, Status: status}
		if body != "" {
			e.Body = json.RawMessage(body)
		}
		for i := 0; i+1 < len(parameters); i += 2 {
			if e.Parameters == nil {
				e.Parameters = map[string]string{}
			}
			e.Parameters[parameters[i]] = parameters[i+1]
		}
		return e
	}
	photo := is("post-barcode-image", "photo", "A photograph of one barcode", 200, "")
	photo.File = "barcode.png"
	const ada = `{"email":"ada@example.org","password":"velvet-otter-climbs-37"}`
	return []exchange{
		is("list-recalls", "search", "A search, with counts by agency", 200, "", "q", "ride-on truck fire", "facets", "agency", "limit", "1"),
		is("list-recalls", "range", "A limit out of range", 422, "", "limit", "1000"),
		is("list-recalls", "unknown", "A parameter that there isn't", 400, "", "limt", "10"),
		is("get-recall", "notice", "One notice", 200, "", "id", "us-cpsc:26-348"),
		is("get-recall", "missing", "No notice has this id", 404, "", "id", "us-cpsc:99-999"),
		is("list-revisions", "revisions", "The revisions of a notice", 200, "", "id", "us-cpsc:26-348"),
		is("get-barcode", "affected", "A barcode with its lot, of a unit that a notice covers", 200, "", "code", "3555801358876", "lot", "33019"),
		is("get-barcode", "check-digit", "A barcode that was misread", 422, "", "code", "3555801358877"),
		is("find-barcode", "affected", "A barcode, of which every unit is covered", 200, "", "code", "850044968008"),
		is("post-verdict", "affected", "A notice covers this very unit", 200, `{"brand":"FUNTOK","name":"24V two-seater ride-on truck","model":"DLS-K03"}`),
		is("post-verdict", "need-code", "One code would decide", 200, `{"brand":"FUNTOK","name":"24V two-seater ride-on truck"}`),
		is("post-verdict", "not-affected", "The lot given lies outside the notice's", 200, `{"gtin":"3555801358876","lot":"33020"}`),
		is("post-verdict", "no-match", "Nothing was found, which says nothing about the product", 200, `{"brand":"Example","name":"stacking rings"}`),
		is("post-verdict", "empty", "Nothing was given", 422, `{}`),
		is("post-verdict-batch", "batch", "Two units, the second of which can't be read", 200, `{"units":[{"gtin":"850044968008"},{"gtin":"850044968009"}]}`),
		photo,
		is("list-sources", "sources", "The sources of a server that has only the starter catalogue", 200, ""),
		is("list-changes", "changes", "The first change", 200, "", "since", "0", "limit", "1"),
		is("export-recalls", "export", "Everything in one file", 200, ""),
		is("health", "alive", "The process lives", 200, ""),
		is("readyz", "ready", "Traffic may be sent", 200, ""),
		is("healthz", "healthy", "All is well", 200, ""),

		is("auth-register", "register", "A new account", 202, ada),
		is("auth-register", "weak", "A password that is easily guessed", 422, `{"email":"ada@example.org","password":"password1234"}`),
		is("auth-verify", "prove", "With the token from the letter", 200, `{"token":"`+placeholderLetter+`"}`),
		is("auth-verify", "used", "A token is good once", 422, `{"token":"`+placeholderLetter+`"}`),
		is("auth-login", "sign-in", "The right password", 200, ada),
		is("auth-login", "wrong", "A wrong one", 401, `{"email":"ada@example.org","password":"something-else-entirely"}`),
		is("auth-refresh", "refresh", "New tokens", 200, `{"refresh_token":"`+placeholderRefresh+`"}`),
		is("get-me", "me", "Who is signed in", 200, ""),
		is("create-key", "key", "A key for lookups", 201, `{"name":"the shop's till","scopes":["lookup"]}`),
		is("list-keys", "keys", "All keys", 200, ""),
		is("list-my-sessions", "sessions", "Where one is signed in", 200, ""),
		is("export-me", "export", "Everything that is kept", 200, ""),
		is("revoke-key", "revoke", "The key is good no more", 204, "", "id", id(3)),
		is("revoke-key", "again", "It isn't found a second time", 404, "", "id", id(404)),
		is("end-my-session", "end", "One's own session", 204, "", "id", id(1)),
		is("auth-login", "again", "A second session", 200, ada),
		is("delete-me", "wrong", "A wrong password", 422, `{"password":"something-else-entirely"}`),
		is("auth-logout", "logout", "The session of a refresh token", 204, `{"refresh_token":"`+placeholderRefresh+`"}`),
		is("auth-login", "once-more", "A third session", 200, ada),
		is("auth-reset", "ask", "Asks for the letter", 202, `{"email":"ada@example.org"}`),
		is("delete-me", "delete", "The account ends", 204, `{"password":"velvet-otter-climbs-37"}`),

		is("system-health-dashboard", "dashboard", "A service in good health", 200, ""),
		is("security-audit", "audit", "The last audit", 200, ""),
		is("azure-cache-stats", "cache", "A cache in the process", 200, ""),
		is("azure-storage-health", "storage", "A folder of objects", 200, ""),
		is("database-health", "database", "A SQLite file", 200, ""),
		is("log-levels", "levels", "What is logged", 200, ""),
		is("set-log-levels", "set", "More of one package", 200, `{"default":"info","packages":{"ingest":"debug"}}`),
		is("list-quarantine", "empty", "Nothing was rejected", 200, "", "agency", "us-cpsc"),
		is("metrics", "text", "For Prometheus", 200, ""),
	}
}
