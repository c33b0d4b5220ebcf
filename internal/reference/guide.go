package reference

import (
	"fmt"
	"strconv"
)

// Facts are what the reference tells besides the document.
type Facts struct {
	// Errors are the codes of problems, in order.
	Errors []ErrorKind
	// Calls a minute, by default.
	Address, Key, User, SignIns, Operators int
}

// ErrorKind is one code of the service's problems.
type ErrorKind struct {
	Code           string
	Status         int
	Title, Meaning string
}

// section is a part of the guide before the operations. Texts have `code` and
// [words](address) as in Markdown.
type section struct {
	ID, Title string
	Texts     []string
	Points    []string
	Head      []string
	Rows      [][]string
}

// guide is what every caller should know.
func guide(f *Facts) []section {
	number := strconv.Itoa
	limits := section{
		ID: "rate-limits", Title: "Rate limits",
		Texts: []string{
			"How many calls a minute are let through, unless the operator chose other numbers. As much as the rate, and at least 100, may come at once. " +
				"Every limited answer says in `RateLimit-Policy` and `RateLimit` what is left; a `429` has `Retry-After` in seconds. " +
				"A call that could never fit is a `413`, not a `429`.",
			"A call costs one; a batch costs one for each ten units begun; a photograph or an export costs ten. Each operation below says what it counts against.",
		},
		Head: []string{"limit", "for", "calls a minute"},
		Rows: [][]string{
			{"lookups", "each address that shows nothing (IPv6: each /64)", number(f.Address)},
			{"lookups", "each key with the scope `lookup`", number(f.Key)},
			{"lookups", "each user, with all their keys together", number(f.User)},
			{"sign-ins", "each address, and each account: signing in, registering, confirming, resetting", number(f.SignIns)},
			{"operators", "each operator", number(f.Operators)},
		},
	}
	problems := section{
		ID: "errors", Title: "Errors",
		Texts: []string{
			"Every error is a problem document (RFC 9457) of the type `application/problem+json`: `type`, `title`, `status`, `detail`, `instance`, `code`, `trace_id`, " +
				"and for bad fields `errors[]` with `location`, `message` and `value`. The `code` is stable: compare that. " +
				"A barcode that can't be used comes with `suggestions[]`: ask the person, and never take one for granted.",
		},
		Head: []string{"code", "status", "meaning"},
	}
	for _, k := range f.Errors {
		problems.Rows = append(problems.Rows, []string{"`" + k.Code + "`", number(k.Status), k.Title + ". " + k.Meaning})
	}
	return []section{authentication(), limits, problems, practices(), code()}
}

func authentication() section {
	return section{
		ID: "authentication", Title: "Authentication",
		Texts: []string{"Looking something up needs no account. Who has one may ask more often. Each operation below says who may call it."},
		Head:  []string{"what is shown", "how", "for"},
		Rows: [][]string{
			{"nothing", "", "everything that is open to anybody"},
			{"an API key", "`X-API-Key: …`", "apps and shops; a key has scopes: `lookup`, `account`, `monitor`"},
			{"an access token", "`Authorization: Bearer …`", "users who signed in; it is good for 15 minutes, then its refresh token, which is good once, gives the next"},
			{"the operator's token", "`Authorization: Bearer …`", "operators: what `CROWNSAFE_OPS_TOKEN` of the server says"},
		},
	}
}

func practices() section {
	return section{
		ID: "best-practices", Title: "Best practices",
		Points: []string{
			"Never read anything but a verdict as a verdict. A timeout, a `503`, a page of a proxy and an empty list of matches are not \"safe\", and neither is `no_match`: show `coverage`, which says what was looked at and how old it is.",
			"Treat `need_code` as affected until the code that `need` names was given, and ask for that code in the words of `where_printed`.",
			"Give everything that is printed on the unit: a lot, a serial number, a date. People don't know which of them it is; the service compares all.",
			"Show `advice` and each match's `evidence` as they are: they quote the agency.",
			"Ask about many units with one batch, and show a key: it may ask more often.",
			"Wait as long as `Retry-After` says after a `429` or `503`; without it wait longer each time, with jitter. Repeat reads and verdicts freely, and what creates something only with the same `Idempotency-Key`.",
			"Keep the `ETag` of what you read often and send it as `If-None-Match`: a `304` has no body.",
			"Mirror everything by one export and then `/api/v1/changes` from its serial; follow `next_cursor` and `next_since`, and never count pages.",
			"Take fields and codes that you don't know as they come: there may be more tomorrow. A verdict that you don't know is no answer.",
			"Keep `trace_id` and the answer's `X-Request-Id`: with them the operator finds your request.",
		},
	}
}

func code() section {
	return section{
		ID: "samples", Title: "Code samples",
		Texts: []string{
			fmt.Sprintf("Each operation has its first example as a whole program in curl, Go, Python and JavaScript (Node.js), for a server at `%s`. "+
				"They take secrets from `%s`, an access token, and `%s`, the operator's token.", Base, TokenVariable, OperatorVariable),
			"The answers are those that the program gives on its embedded default, with the starter catalogue and no agency polled. " +
				"Ages, counters, times, ids and secrets are replaced by others, and lists are cut.",
			"Go programs import `github.com/crownsafe/api/client`, which repeats what may be repeated, follows pages and can't mistake an outage for an answer.",
		},
	}
}
