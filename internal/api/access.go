package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// need is what an operation asks of whoever calls it.
type need struct {
	// role is the least that the caller must have; Reader: anybody may call.
	role account.Role
	// scope is what a key must be for; empty: no key may. Where anybody may call, it
	// is only what a key must be for to count as a known caller.
	scope auth.Scope
	// owns: the operation is about the caller's own account. Ids in its path are of
	// the caller's objects; another's are not found, for every role.
	owns bool
	// budget is what the calls count against, and cost how much; 0: 1.
	budget budget
	cost   int64
	// own is a stricter budget of the user's, for what is written into the audit log.
	own budget
	// effects: it does more than read, whatever its method says.
	effects bool
	// creates: the operation takes Idempotency-Key.
	creates bool
	// ignores: whoever shows what isn't good is answered as if they showed nothing:
	// a client whose access token has expired shows it here too.
	ignores bool
}

// public says that anybody may call.
func (n need) public() bool { return n.role == account.Reader }

// Frequent needs.
var (
	forAnybody   = need{role: account.Reader, scope: auth.ScopeLookup, budget: lookups}
	forProbes    = need{role: account.Reader, budget: unlimited}
	forOperators = need{role: account.Operator, scope: auth.ScopeMonitor, budget: operating}
	forScrapers  = need{role: account.Operator, scope: auth.ScopeMonitor, budget: unlimited}
	forPictures  = need{role: account.Reader, scope: auth.ScopeLookup, budget: lookups, cost: pictureCost}
	forExports   = need{role: account.Reader, scope: auth.ScopeLookup, budget: lookups, cost: exportCost}
	forPages     = need{role: account.Reader, scope: auth.ScopeLookup, budget: lookups}
	forSignIns   = need{role: account.Reader, budget: signIns, ignores: true}
	forRefreshes = need{role: account.Reader, budget: lookups, ignores: true}
	forAccounts  = need{role: account.Member, scope: auth.ScopeAccount, budget: lookups, owns: true}
	forOwners    = need{role: account.Member, budget: lookups, owns: true} // signed in: no key has no scope
	forCreators  = need{role: account.Member, budget: lookups, owns: true, creates: true, own: keyChanges}
	forRevokers  = need{role: account.Member, budget: lookups, owns: true, own: keyChanges}
	forTakers    = need{role: account.Member, scope: auth.ScopeAccount, budget: lookups, owns: true, own: accountExports, effects: true}
	forForms     = need{role: account.Reader, scope: auth.ScopeLookup, budget: lookups, ignores: true}
	forFiles     = need{role: account.Reader, budget: unlimited}
)

// access is what every operation needs, by its id, and every route that is no
// operation, by its pattern. What stands not here can't be registered.
var access = map[string]need{
	"list-recalls": forAnybody, "list-recalls-2": forAnybody,
	"get-recall": forAnybody, "get-recall-2": forAnybody,
	"list-revisions": forAnybody, "list-revisions-2": forAnybody,
	"get-barcode": forAnybody, "get-barcode-2": forAnybody,
	"find-barcode": forAnybody, "find-barcode-2": forAnybody,
	"post-barcode-image": forPictures, "post-barcode-image-2": forPictures,
	"post-verdict": forAnybody, "post-verdict-batch": forAnybody,
	"list-sources": forAnybody, "list-changes": forAnybody,
	"export-recalls": forExports,

	"health": forProbes, "readyz": forProbes, "healthz": forProbes,
	"azure-storage-health": forOperators, "azure-cache-stats": forOperators, "database-health": forOperators,
	"system-health-dashboard": forOperators, "list-quarantine": forOperators,
	"metrics": forScrapers, "security-audit": forOperators, "log-levels": forOperators, "set-log-levels": forOperators,

	"auth-register": {role: account.Reader, budget: signIns, ignores: true, creates: true},
	"auth-login":    forSignIns, "auth-verify": forSignIns, "auth-reset": forSignIns,
	"auth-refresh": forRefreshes, "auth-logout": forRefreshes, // nobody guesses 256 bits
	"get-me": forAccounts, "export-me": forTakers, "delete-me": {role: account.Member, budget: signIns, owns: true}, // it asks for the password
	"list-my-sessions": forOwners, "end-my-session": forOwners,
	"list-keys": forOwners, "create-key": forCreators, "revoke-key": forRevokers,

	"GET /openapi.json":             forPages,
	"GET /.well-known/security.txt": forFiles,
	"/blobs/":                       forFiles, // addresses that are signed, and end
	"GET /{$}":                      forPages, "GET /docs": forPages, "GET /docs/errors": forPages, "GET /photo": forPages,
	"GET /status": forPages, "GET /ops": forOperators, "GET /ops/events": forOperators,
	"GET /static/": forFiles, "GET /photos/": forFiles,
	"POST /photo": forPictures,
	"GET /signin": forForms, "GET /verify": forForms, "GET /reset": forForms, "POST /signout": forForms,
	"POST /signin": forSignIns, "POST /verify": forSignIns, "POST /reset": forSignIns,
}

// routes is the mux with what each of its patterns needs.
type routes struct {
	*http.ServeMux
	needs map[string]need
}

func newRoutes() *routes { return &routes{http.NewServeMux(), map[string]need{}} }

// allow states the need of a pattern.
func (m *routes) allow(pattern, id string) need {
	n, ok := access[id]
	if !ok {
		panic(fmt.Sprintf("api: %s (%s) stands not in the table of access", id, pattern))
	}
	m.needs[pattern] = n
	return n
}

// HandleFunc is for huma's adapter, whose operations were seen by describeAccess.
func (m *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	if _, ok := m.needs[pattern]; !ok {
		panic("api: " + pattern + " stands not in the table of access")
	}
	m.ServeMux.HandleFunc(pattern, handler)
}

// page adds a route that is no operation.
func (m *routes) page(pattern string, handler http.Handler) {
	m.allow(pattern, pattern)
	m.ServeMux.Handle(pattern, handler)
}

// describeAccess states what an operation needs, here and in the document.
func (m *routes) describeAccess(document *huma.OpenAPI, op *huma.Operation) {
	n := m.allow(op.Method+" "+op.Path, op.OperationID)
	var statuses []int
	if n.budget != unlimited {
		statuses = append(statuses, http.StatusTooManyRequests)
	}
	switch {
	case !n.public():
		op.Security = []map[string][]string{{bearerScheme: {}}, {keyScheme: {}}, {cookieScheme: {}}}
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	case n.budget != unlimited: // for the rate of a known caller
		op.Security = []map[string][]string{{}, {bearerScheme: {}}, {keyScheme: {}}}
		statuses = append(statuses, http.StatusUnauthorized)
	}
	if op.RequestBody != nil || op.Method == http.MethodPost {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
		op.MaxBodyBytes = min(op.MaxBodyBytes, maxBodyBytes)
	}
	if n.creates {
		statuses = append(statuses, http.StatusConflict, http.StatusUnprocessableEntity)
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxKeyLength)},
			Description: "The same key with the same body gives the same answer for 24 hours, and creates nothing twice.",
		})
	}
	problem := &huma.Schema{Ref: "#/components/schemas/Problem"}
	for _, status := range statuses {
		code := strconv.Itoa(status)
		if op.Responses[code] == nil {
			op.Responses[code] = &huma.Response{
				Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
			}
		}
	}
	if n.budget != unlimited {
		describeLimits(op)
	}
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	op.Extensions["x-crownsafe-access"] = n.description()
}

// accessDescription is a need as the document tells of it.
type accessDescription struct {
	Role  account.Role `json:"role"`
	Scope auth.Scope   `json:"scope,omitempty"`
	Limit string       `json:"limit"`
	Cost  int64        `json:"cost,omitempty"`
}

// budgetNames are the budgets' names in the document.
var budgetNames = map[budget]string{unlimited: "none", lookups: "lookups", signIns: "sign-ins", operating: "operators"}

func (n need) description() accessDescription {
	d := accessDescription{Role: n.role, Scope: n.scope, Limit: budgetNames[n.budget]}
	if n.budget != unlimited {
		d.Cost = max(n.cost, 1)
	}
	return d
}

// describeLimits adds the headers of limits to what an operation answers when all is
// well, and when it was asked too often.
func describeLimits(op *huma.Operation) {
	for status, response := range op.Responses {
		late := status == strconv.Itoa(http.StatusTooManyRequests)
		if status[0] != '2' && !late {
			continue
		}
		if response.Headers == nil {
			response.Headers = map[string]*huma.Param{}
		}
		for _, name := range []string{"RateLimit-Policy", "RateLimit"} {
			response.Headers[name] = &huma.Param{Ref: "#/components/headers/" + name}
		}
		if late {
			response.Headers["Retry-After"] = &huma.Param{Description: "seconds to wait", Schema: &huma.Schema{Type: huma.TypeInteger}}
		}
	}
}

// limitHeaders describes them, once for all operations.
func limitHeaders() map[string]*huma.Param {
	text := &huma.Schema{Type: huma.TypeString}
	return map[string]*huma.Param{
		"RateLimit-Policy": {Description: "the limit on the caller: q calls may come at once, and all of them are back after w seconds", Schema: text},
		"RateLimit":        {Description: "r calls may come now, and all are back in t seconds", Schema: text},
	}
}

// authorise returns nil when a caller has what a route needs, else the problem.
func (s *service) authorise(r *http.Request, x *exchange, n need) *Problem {
	if n.public() {
		return nil
	}
	if x.doubt != nil {
		return x.doubt
	}
	if x.caller.Kind == auth.Anonymous && s.Operators.admitsHere(r) {
		x.caller = auth.Caller{Kind: auth.SameMachine, Role: account.Operator}
	}
	switch {
	case x.caller.Kind == auth.Anonymous:
		return s.anonymous(n)
	case !x.caller.May(n.role, n.scope):
		return tooLittle(x.caller, n)
	case n.owns && x.caller.UserID == "":
		return newProblem(codeForbidden, "This is about somebody's account, and what you show belongs to none.")
	}
	return nil
}

// anonymous says what to show to whoever showed nothing.
func (s *service) anonymous(n need) *Problem {
	if n.role == account.Member {
		return unauthorized("This is for those who have an account: show an access token as Authorization: Bearer, or a key as X-API-Key.", "Bearer")
	}
	detail := "This is for operators: show the operator's token, or an operator's own, as Authorization: Bearer."
	if s.Operators.token() == "" && s.Authenticator == nil {
		detail = "This is for operators, and there is no operator's token; set CROWNSAFE_OPS_TOKEN."
	}
	return unauthorized(detail, "Bearer")
}

// tooLittle says what a known caller lacks.
func tooLittle(c auth.Caller, n need) *Problem {
	if auth.Reaches(c.Role, n.role) && n.scope == "" {
		return newProblem(codeForbidden, "This is for users who are signed in; no key may do it.")
	}
	if auth.Reaches(c.Role, n.role) {
		p := newProblem(codeForbidden, fmt.Sprintf("The key is not for this: it lacks the scope %s.", n.scope))
		p.header = http.Header{"Www-Authenticate": {`Bearer error="insufficient_scope", scope="` + string(n.scope) + `"`}}
		return p
	}
	return newProblem(codeForbidden, fmt.Sprintf("This needs the role %s; yours is %s.", n.role, c.Role))
}
