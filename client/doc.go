// Package client asks a Crown Safe server: is this very unit under a recall, and
// what do I do now?
//
//	c, err := client.New(client.Options{BaseURL: "https://crownsafe.example", Key: key})
//	…
//	v, err := c.Verdict(ctx, client.Unit{Brand: "BIBS", Name: "baby glass bottle"})
//
// # No answer is not a good answer
//
// A false "not affected" can hurt a child, so nothing here turns a failure into one:
//
//   - A call returns a [Verdict] or an error, never both, and never a verdict that the
//     server didn't give: an answer that holds none, or one with a word that this
//     package doesn't know, is an error. So is a page that a proxy sent in the
//     server's place.
//   - The zero [Outcome] is [Unanswered]. There is no outcome and no method that says
//     "safe", because the service never does: [NoMatch] means that nothing was found.
//   - [Verdict.Conclusive] is true only when the outcome decides about the unit and no
//     agency that could have known better was out of reach or out of date;
//     [Verdict.Blind] lists those that were. NoMatch is never conclusive.
//
// # Failures
//
// What the server refuses is a [*Problem] (RFC 9457) with a stable Code. Calls that can
// be repeated without doing anything twice are repeated after failures that may pass:
// reads, verdicts, PUT, DELETE, and creations, which carry an Idempotency-Key. The
// waits grow, have jitter, and are as long as the server's Retry-After says; one that
// is longer than [Options.MaxWait], or than the context lasts, ends the call at once.
//
// It covers every operation of the server's OpenAPI document but for /metrics, and
// depends on the standard library alone.
package client
