package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/account"
)

// secretField is a field of a body that could hold a secret.
type secretField struct {
	pattern string
	at      []string
	owns    bool
}

// secretFields walks the document for every field of a body that could hold a
// secret, by its name.
func secretFields(t *testing.T) (fields []secretField) {
	d := readDocument(t)
	for path, methods := range d.Paths {
		for method, op := range methods {
			at, _ := d.fields(op)
			for _, way := range at {
				name := strings.ToLower(way[len(way)-1])
				if slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) }) {
					fields = append(fields, secretField{strings.ToUpper(method) + " " + path, way, access[op.OperationID].owns})
				}
			}
		}
	}
	return fields
}

// body is the JSON of a body with this in the field, and around it what stands beside.
func (f secretField) body(value, beside string) string {
	for i, name := range slices.Backward(f.at) {
		if name == "" {
			value = "[" + value + "]"
			continue
		}
		value = fmt.Sprintf("%q:%s", name, value)
		if i == len(f.at)-1 {
			value += beside
		}
		value = "{" + value + "}"
	}
	return value
}

// What stands for secrets: neither is anything that an answer or a log line could
// hold by chance.
const (
	canary       = "z~canary~51"
	shortCanary  = "z~q"
	numberCanary = "518273640917"
)

// canaries are all forms in which those could be repeated. A number that was read as
// a float64 is printed with an exponent: 5.18273640917e+11, or shorter by %e.
var canaries = []string{canary, shortCanary, url.QueryEscape(canary), numberCanary, "5.18273640917", "5.182736e+11"}

// wrongBodies are all the wrong ways in which a field's secret can be sent.
func (f secretField) wrongBodies() map[string]string {
	name := f.at[len(f.at)-1]
	quoted := func(s string) string {
		b, _ := json.Marshal(s) // strings always encode
		return string(b)
	}
	long := strings.Repeat(canary, 30)
	return map[string]string{
		"alone":                       f.body(quoted(canary), ""),
		"too short":                   f.body(quoted(shortCanary), ""),
		"too long":                    f.body(quoted(long), ""),
		"longer than a body":          f.body(quoted(strings.Repeat(canary, maxAccountBytes/len(canary)+1)), ""),
		"with a control character":    f.body(quoted(canary+"\x01"), ""),
		"in broken UTF-8":             f.body("\""+canary+"\xff\"", ""),
		"a number":                    f.body(numberCanary, ""),
		"a list":                      f.body("["+quoted(canary)+"]", ""),
		"an object":                   f.body("{"+quoted(name)+":"+quoted(canary)+"}", ""),
		"twice":                       f.body(quoted(canary), ","+quoted(name)+":"+quoted(canary+"2")),
		"twice, a number second":      f.body(quoted(canary), ","+quoted(name)+":"+numberCanary),
		"beside an unknown field":     f.body(quoted(canary), `,"unknown":1`),
		"beside an address":           f.body(quoted(canary), `,"email":"ada@example.org"`),
		"beside a bad address":        f.body(quoted(canary), `,"email":"nobody"`),
		"beside a secret of its kind": f.body(quoted(canary), `,"password":"`+canary+`","token":"`+canary+`"`),
		"under a mistyped name":       strings.Replace(f.body(quoted(canary), ""), quoted(name)+":", quoted("x"+name)+":", 1),
		"under a name in capitals":    strings.Replace(f.body(quoted(canary), ""), quoted(name)+":", quoted(strings.ToUpper(name))+":", 1),
		"without quotes":              f.body(canary, ""),
		"broken off":                  strings.TrimRight(f.body(quoted(canary), ""), "}\""),
		"the body itself":             quoted(canary),
		"a list as the body":          "[" + quoted(canary) + "]",
	}
}

// TestSecretsAreNotRepeated sends every field that could hold a secret in every wrong
// way: no answer repeats it, nor any line of the log, however much is logged.
func TestSecretsAreNotRepeated(t *testing.T) {
	fields := secretFields(t)
	if len(fields) < 7 { // those of sign-ins, letters and the end of an account
		t.Fatalf("the document has only %d fields for secrets: %v", len(fields), fields)
	}
	p := newPeople(t, straight)
	for _, f := range fields {
		method, path, _ := strings.Cut(f.pattern, " ")
		for way, body := range f.wrongBodies() {
			p.send(t, f, way, method, path, body, "application/json")
		}
		form := url.Values{f.at[len(f.at)-1]: {canary}}.Encode()
		p.send(t, f, "as a form", method, path, form, "application/x-www-form-urlencoded")
		p.send(t, f, "as text", method, path, canary, "text/plain")
		p.send(t, f, "in the address", method, path+"?"+form, "{}", "application/json")
	}
}

// send sends a secret in a wrong way and looks for it in what comes of it.
func (p *people) send(t *testing.T, f secretField, way, method, target, body, contentType string) {
	t.Helper()
	var shows []string
	if f.owns {
		shows = p.newUser(t, account.Member).shows // a user of its own: nothing wears off
	}
	p.log.Reset()
	r := p.do(t, method, target, body, append([]string{"Content-Type", contentType}, shows...)...)
	if r.StatusCode >= 500 {
		t.Errorf("%s, %v %s: %d %s", f.pattern, f.at, way, r.StatusCode, r.body)
	}
	for where, text := range map[string]string{"the answer": string(r.body), "its headers": fmt.Sprint(r.Header), "the log": p.log.String()} {
		for _, secret := range canaries {
			if strings.Contains(text, secret) {
				t.Errorf("%s, %v %s: %s repeats it: %.500s", f.pattern, f.at, way, where, text)
			}
		}
	}
}
