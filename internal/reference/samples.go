package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// Base is where samples ask.
const Base = "http://localhost:8001"

// Environment variables that samples take secrets from.
const (
	TokenVariable    = "ACCESS_TOKEN"
	OperatorVariable = "CROWNSAFE_OPS_TOKEN"
)

// Request is one example's question.
type Request struct {
	Method string
	// Target is the path with its query.
	Target string
	// Secret names the environment variable that holds what is shown as a bearer; empty:
	// nothing is.
	Secret string
	// ContentType and Body, or File, are what is sent.
	ContentType, Body, File string
	// Save names the file that the answer is written to; empty: it is text.
	Save   string
	Status int
}

// Request returns an example's question.
func (o *Operation) Request(e *Example) Request {
	r := Request{Method: o.Method, Target: o.Path, Body: string(e.Body), File: e.File, Status: e.Status}
	query := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(e.Parameters)) {
		if slot := "{" + name + "}"; strings.Contains(o.Path, slot) {
			r.Target = strings.Replace(r.Target, slot, strings.ReplaceAll(url.PathEscape(e.Parameters[name]), ":", "%3A"), 1)
			continue
		}
		query.Set(name, e.Parameters[name])
	}
	if len(query) > 0 {
		r.Target += "?" + query.Encode()
	}
	switch {
	case r.File != "":
		r.ContentType = "image/png"
	case r.Body != "":
		r.ContentType = jsonType
	}
	switch o.Access.Role {
	case "member":
		r.Secret = TokenVariable
	case "operator":
		r.Secret = OperatorVariable
	}
	if strings.HasSuffix(o.Path, ".gz") {
		r.Save = o.Path[strings.LastIndexByte(o.Path, '/')+1:]
	}
	return r
}

// Languages that there are samples in, in order.
var Languages = []Language{
	{"curl", "sh", sample(`curl{{if ne .Method "GET"}}{{if not (and (eq .Method "POST") .Sends)}} -X {{.Method}}{{end}}{{end}}` +
		`{{if .Secret}} -H "Authorization: Bearer ${{.Secret}}"{{end}}` +
		`{{if .ContentType}} -H 'Content-Type: {{.ContentType}}'{{end}}` +
		`{{if .File}} --data-binary @{{.File}}{{else if .Body}} -d {{shell .Body}}{{end}}` +
		`{{if .Save}} -o {{.Save}}{{end}} {{shell .URL}}
`)},
	{"Go", "go", sample(`package main

import (
	"io"
	"log"
	"net/http"
	"os"
{{- if .Body}}
	"strings"
{{- end}}
)

func main() {
{{- if .File}}
	body, err := os.Open({{quote .File}})
	if err != nil {
		log.Fatal(err)
	}
	defer body.Close()
	req, err := http.NewRequest({{quote .Method}}, {{quote .URL}}, body)
{{- else}}
	req, err := http.NewRequest({{quote .Method}}, {{quote .URL}}, {{if .Body}}strings.NewReader({{raw .Body}}){{else}}nil{{end}})
{{- end}}
	if err != nil {
		log.Fatal(err)
	}
{{- if .Secret}}
	req.Header.Set("Authorization", "Bearer "+os.Getenv({{quote .Secret}}))
{{- end}}
{{- if .ContentType}}
	req.Header.Set("Content-Type", {{quote .ContentType}})
{{- end}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	log.Print(resp.Status) // {{.Status}}, or a problem document
{{- if .Save}}
	file, err := os.Create({{quote .Save}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(file, resp.Body); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
{{- else}}
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		log.Fatal(err)
	}
{{- end}}
}
`)},
	{"Python", "python", sample(`{{if .Secret}}import os
{{end}}import sys
import urllib.error
import urllib.request

request = urllib.request.Request({{quote .URL}}, method={{quote .Method}}
{{- if .File}}, data=open({{quote .File}}, "rb").read(){{else if .Body}}, data={{python .Body}}.encode(){{end}})
{{- if .Secret}}
request.add_header("Authorization", "Bearer " + os.environ[{{quote .Secret}}])
{{- end}}
{{- if .ContentType}}
request.add_header("Content-Type", {{quote .ContentType}})
{{- end}}
try:
    answer = urllib.request.urlopen(request)
except urllib.error.HTTPError as problem:
    answer = problem  # its body is a problem document
print(answer.status, file=sys.stderr)  # {{.Status}}
{{if .Save}}open({{quote .Save}}, "wb").write(answer.read())
{{- else}}sys.stdout.write(answer.read().decode()){{end}}
`)},
	{"JavaScript", "javascript", sample(`{{if or .File .Save}}import { {{if .File}}readFile{{else}}writeFile{{end}} } from "node:fs/promises";

{{end}}const answer = await fetch({{quote .URL}}{{if .Options}}, {
{{- if ne .Method "GET"}}
  method: {{quote .Method}},
{{- end}}
{{- if or .Secret .ContentType}}
  headers: { {{- if .Secret}} Authorization: ` + "`Bearer ${process.env.{{.Secret}}}`" + `{{if .ContentType}},{{end}}{{end}}{{if .ContentType}} "Content-Type": {{quote .ContentType}}{{end}} },
{{- end}}
{{- if .File}}
  body: await readFile({{quote .File}}),
{{- else if .Body}}
  body: JSON.stringify({{.Body}}),
{{- end}}
}{{end}});
console.error(answer.status); // {{.Status}}, or a problem document
{{if .Save}}await writeFile({{quote .Save}}, Buffer.from(await answer.arrayBuffer()));
{{- else}}process.stdout.write(await answer.text());{{end}}
`)},
}

// Language is one that there are samples in.
type Language struct {
	// Name is for people, Fence is what Markdown calls it.
	Name, Fence string
	template    *template.Template
}

// Sample writes a question in the language: a whole program, which prints the answer to
// its standard output, and nothing else.
func (l *Language) Sample(r Request) (string, error) {
	var out bytes.Buffer
	if err := l.template.Execute(&out, r); err != nil {
		return "", fmt.Errorf("writing a sample in %s for %s %s: %w", l.Name, r.Method, r.Target, err)
	}
	return out.String(), nil
}

// URL is where the sample asks.
func (r Request) URL() string { return Base + r.Target }

// Sends says that there is a body.
func (r Request) Sends() bool { return r.Body != "" || r.File != "" }

// Options says that fetch needs more than the address.
func (r Request) Options() bool { return r.Method != http.MethodGet || r.Secret != "" || r.Sends() }

func sample(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"quote": strconv.Quote, "shell": shellQuote, "raw": goQuote, "python": pythonQuote,
	}).Parse(text))
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func goQuote(s string) string {
	if strings.Contains(s, "`") {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}

// pythonQuote is the text as JSON has it, which Python reads alike.
func pythonQuote(s string) (string, error) {
	raw, err := json.Marshal(s)
	return string(raw), err
}
