package reference

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	htmltemplate "html/template"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

var (
	//go:embed reference.md.tmpl
	markdownText string
	//go:embed reference.html.tmpl
	htmlText string
	//go:embed reference.css
	css string

	markdownPage = template.Must(template.New("").Funcs(shared).Funcs(template.FuncMap{"cell": cell}).Parse(markdownText))
	htmlPage     = htmltemplate.Must(htmltemplate.New("").Funcs(shared).Funcs(htmltemplate.FuncMap{
		"inline": inline, "css": func() htmltemplate.CSS { return htmltemplate.CSS(css) },
	}).Parse(htmlText))
)

var shared = template.FuncMap{"pretty": pretty, "samples": samples, "who": who, "counts": counts, "anchor": anchor, "statusText": statusText}

// page is what both templates show.
type page struct {
	*Document
	Guide []section
}

// Markdown writes the reference as one file of Markdown.
func (d *Document) Markdown(w io.Writer, f *Facts) error {
	if err := markdownPage.Execute(w, page{d, guide(f)}); err != nil {
		return fmt.Errorf("writing the reference as Markdown: %w", err)
	}
	return nil
}

// HTML writes the reference as one page that needs no other file and no script.
func (d *Document) HTML(w io.Writer, f *Facts) error {
	if err := htmlPage.Execute(w, page{d, guide(f)}); err != nil {
		return fmt.Errorf("writing the reference as HTML: %w", err)
	}
	return nil
}

func pretty(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	var out bytes.Buffer
	err := json.Indent(&out, raw, "", "  ")
	return out.String(), err
}

// codeSample is an operation's first example in one language.
type codeSample struct{ Name, Fence, Code string }

func samples(o *Operation) ([]codeSample, error) {
	if len(o.Examples) == 0 {
		return nil, nil
	}
	var list []codeSample
	for i := range Languages {
		text, err := Languages[i].Sample(o.Request(&o.Examples[0]))
		if err != nil {
			return nil, err
		}
		list = append(list, codeSample{Languages[i].Name, Languages[i].Fence, strings.TrimSpace(text)})
	}
	return list, nil
}

// who says who may call an operation.
func who(a Access) string {
	key := "; a key needs the scope `" + a.Scope + "`"
	if a.Scope == "" {
		key = "; no key may"
	}
	switch a.Role {
	case "reader":
		return "anybody"
	case "member":
		return "users about their own account" + key
	}
	return a.Role + "s" + key
}

// counts says what a call counts against.
func counts(a Access) string {
	switch {
	case a.Cost == 0:
		return "no limit"
	case a.Cost == 1:
		return "the limit on " + a.Limit
	}
	return "the limit on " + a.Limit + ", as " + strconv.Itoa(a.Cost) + " calls"
}

// anchor is how GitHub addresses a heading.
func anchor(heading string) string {
	heading = strings.ToLower(heading)
	heading = regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(heading, "")
	return strings.ReplaceAll(heading, " ", "-")
}

func statusText(status string) string {
	code, err := strconv.Atoi(status)
	if err != nil {
		return "any other"
	}
	return cmp.Or(http.StatusText(code), status)
}

// cell is a text as it may stand in a table of Markdown.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	link     = regexp.MustCompile(`\[([^\]]+)\]\(((?:https://|[/#])[^)\s]*)\)`)
)

// inline is a text with `code` and links as HTML, and paragraphs where lines are blank.
func inline(text string) htmltemplate.HTML {
	safe := html.EscapeString(text)
	safe = codeSpan.ReplaceAllString(safe, "<code>$1</code>")
	safe = link.ReplaceAllString(safe, `<a href="$2">$1</a>`)
	return htmltemplate.HTML(strings.ReplaceAll(safe, "\n\n", "</p><p>"))
}
