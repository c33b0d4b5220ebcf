package config

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const documentedIn = "../../docs/configuration.md"

const settingsHead = `# Configuration

Every setting of the service, written from the structs of internal/config: ` + "`make docs`" + `. [operations.md](operations.md) tells
how they go together, from one folder to PostgreSQL, Redis and Azure Blob Storage.

Settings are environment variables; a variable that is set to nothing counts as not set. A value that cannot be used stops the
start with one line that names the variable and never prints a secret. Switches are 1 or 0; times are written as ` + "`500ms`, `20s`, `10m`, `1h`" + `.
Flags: ` + "`--data DIR`" + ` (default ` + "`./data`" + `) and ` + "`--json`" + ` on every command, ` + "`--addr HOST:PORT`" + ` on ` + "`serve`" + `, which beats ` + "`PORT`" + `.

A **secret** may be given in three ways: by its variable; by the variable of the same name with ` + "`_FILE`" + ` at its end, which names
the file that holds it; and as ` + "`keyvault://VAULT/NAME`" + `, which is read from that Azure Key Vault. See [security.md](security.md#secrets).
`

// TestSettingsAreDocumented holds docs/configuration.md to the structs.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	w := writer{comments: comments(t), bounds: map[string]string{}}
	for _, s := range (&Config{}).spans() {
		w.bounds[s.variable] = fmt.Sprintf("%s to %s", shown(s.low), shown(s.high))
	}
	w.page.WriteString(settingsHead)
	w.section(reflect.TypeFor[Config](), "")
	if *update {
		if err := os.WriteFile(documentedIn, []byte(w.page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(documentedIn)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(committed), w.page.String()); diff != "" {
		t.Errorf("%s is not what the settings say; run make docs:\n%s", documentedIn, diff)
	}
	for _, variable := range w.undocumented {
		t.Errorf("%s has no comment that tells what it does", variable)
	}
	if w.settings < 60 {
		t.Errorf("only %d settings were found", w.settings)
	}
}

// comments are those of the package's structs and their fields: "Config" and
// "Config.Port".
func comments(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			group, ok := declared.(*ast.GenDecl)
			if !ok || group.Tok != token.TYPE {
				continue
			}
			spec := group.Specs[0].(*ast.TypeSpec)
			found[spec.Name.Name] = group.Doc.Text()
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						found[spec.Name.Name+"."+name.Name] = field.Doc.Text()
					}
				}
			}
		}
	}
	return found
}

type writer struct {
	page         strings.Builder
	comments     map[string]string
	bounds       map[string]string // by variable
	settings     int
	undocumented []string
}

// section writes a struct's own settings as a table, and then those of the structs in it.
func (w *writer) section(typ reflect.Type, prefix string) {
	title, about := "General", ""
	if typ != reflect.TypeFor[Config]() {
		title = words(typ.Name())
		about = sentence(w.comments[typ.Name()], typ.Name()) + "\n\n"
	}
	var nested []reflect.StructField
	rows := ""
	for f := range typ.Fields() {
		name, option, _ := strings.Cut(f.Tag.Get("env"), ",")
		switch {
		case strings.HasPrefix(option, "prefix="):
			nested = append(nested, f)
		case name != "":
			rows += w.row(typ, &f, prefix+name, option)
		}
	}
	if rows != "" {
		fmt.Fprintf(&w.page, "\n## %s\n\n%s| variable | default | what it does |\n|---|---|---|\n%s", title, about, rows)
	}
	for _, f := range nested {
		_, under, _ := strings.Cut(f.Tag.Get("env"), "prefix=")
		w.section(f.Type, prefix+under)
	}
}

func (w *writer) row(typ reflect.Type, f *reflect.StructField, variable, option string) string {
	w.settings++
	what := sentence(w.comments[typ.Name()+"."+f.Name], f.Name)
	if typ == reflect.TypeFor[Feeds]() {
		code := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, "CROWNSAFE_FEED_")), "_", "-")
		what = cmp.Or(what, "The feed of `"+code+"`.")
	}
	if what == "" {
		w.undocumented = append(w.undocumented, variable)
	}
	if f.Type == reflect.TypeFor[Secret]() {
		what = "**Secret.** " + what
	}
	if bounds := w.bounds[variable]; bounds != "" {
		what += " " + bounds + "."
	}
	fallback := "–"
	if value, ok := strings.CutPrefix(option, "default="); ok {
		fallback = "`" + strings.NewReplacer("true", "1", "false", "0").Replace(value) + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s |\n", variable, fallback, what)
}

var manual = regexp.MustCompile(`docs/([a-z-]+\.md)`)

// sentence takes a comment's first words, which name the field, off, and makes links of
// the manuals that it names.
func sentence(comment, name string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = strings.TrimPrefix(text, name+" ")
	for _, verb := range []string{"is ", "are "} {
		text = strings.TrimPrefix(text, verb)
	}
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	return strings.ReplaceAll(manual.ReplaceAllString(text, "[$1]($1)"), "|", `\|`)
}

// words splits a Go name into words.
func words(name string) string {
	return regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1 $2")
}

// shown is a bound as it would be set.
func shown(bound any) string {
	switch b := bound.(type) {
	case time.Duration:
		text := b.String()
		for _, zero := range []string{"m0s", "h0m"} {
			if strings.HasSuffix(text, zero) {
				text = text[:len(text)-2]
			}
		}
		return text
	case slog.Level:
		return strings.ToLower(b.String())
	}
	return fmt.Sprint(bound)
}
