package docs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/reference"
	"github.com/crownsafe/api/test/program"
)

// languages are those that every machine which builds the project can run; make samples
// runs all.
var languages = flag.String("languages", "curl,Go", "in which languages samples are run")

// TestSamplesRun runs every example as the code that the reference shows, one after the
// other, and compares what it prints with the example's answer.
func TestSamplesRun(t *testing.T) {
	t.Parallel()
	for i := range reference.Languages {
		language := &reference.Languages[i]
		if !slices.Contains(strings.Split(*languages, ","), language.Name) {
			continue
		}
		t.Run(language.Name, func(t *testing.T) {
			t.Parallel()
			runSamples(t, language)
		})
	}
}

func runSamples(t *testing.T, language *reference.Language) {
	s, ops, dir := startStage(t), operations(t), t.TempDir()
	s.awaitAudit()
	picture, err := os.ReadFile(filepath.Join(manuals, "barcode.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "barcode.png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
	var committed []exchange
	raw, err := os.ReadFile(examplesPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &committed); err != nil {
		t.Fatal(err)
	}
	requests, texts := make([]reference.Request, len(committed)), make([]string, len(committed))
	for i := range committed {
		requests[i] = asked(t, ops, &committed[i])
		if texts[i], err = language.Sample(requests[i]); err != nil {
			t.Fatal(err)
		}
		texts[i] = strings.ReplaceAll(texts[i], reference.Base, s.URL)
	}
	run := runners(t, language.Name, dir, texts)
	for i := range committed {
		e := &committed[i]
		cmd := run(i)
		cmd.Dir = dir
		for name, value := range secrets {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		result := program.Finish(t, cmd)
		if result.Code != 0 {
			t.Fatalf("%s, %s: status %d\n%s\n%s", e.Operation, e.Name, result.Code, result.Stderr, texts[i])
		}
		if len(e.Answer) > 0 {
			if diff := cmp.Diff(indented(t, e.Answer), indented(t, []byte(result.Stdout))); diff != "" {
				t.Errorf("%s, %s: printed another answer than the example:\n%s", e.Operation, e.Name, diff)
			}
		}
		if save := requests[i].Save; save != "" {
			isExport(t, filepath.Join(dir, save))
		}
	}
}

// runners returns what runs the sample of an index.
func runners(t *testing.T, language, dir string, texts []string) func(i int) *exec.Cmd {
	t.Helper()
	command := func(name string, args ...string) *exec.Cmd {
		ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
		t.Cleanup(cancel)
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
		return cmd
	}
	switch language {
	case "Go":
		binary := compile(t, dir, texts)
		return func(i int) *exec.Cmd { return command(binary, strconv.Itoa(i)) }
	case "Python":
		return func(i int) *exec.Cmd { return command("python3", "-c", texts[i]) }
	case "JavaScript":
		return func(i int) *exec.Cmd { return command("node", "--input-type=module", "--eval", texts[i]) }
	}
	return func(i int) *exec.Cmd {
		return command("bash", "-c", "set -e; "+strings.Replace(texts[i], "curl ", "curl -sS ", 1))
	}
}

// compile makes one program of all, whose argument says which runs: each by itself would
// be linked for a second.
func compile(t *testing.T, dir string, texts []string) string {
	t.Helper()
	imports, mains := map[string]bool{}, strings.Builder{}
	for i, text := range texts {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "sample.go", text, parser.ParseComments)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
			t.Errorf("the sample is not formatted:\n%s", text)
		}
		for _, spec := range file.Imports {
			imports[spec.Path.Value] = true
		}
		for _, declared := range file.Decls {
			if main, ok := declared.(*ast.FuncDecl); ok {
				body := text[files.Position(main.Body.Pos()).Offset:files.Position(main.Body.End()).Offset]
				fmt.Fprintf(&mains, "func sample%d() %s\n", i, body)
			}
		}
	}
	source := "package main\nimport (\n\"strings\"\n\"strconv\"\n"
	for path := range maps.Keys(imports) {
		if path != `"strings"` {
			source += path + "\n"
		}
	}
	source += ")\nvar _ = strings.NewReader\nfunc main() {\nn, _ := strconv.Atoi(os.Args[1])\n[]func(){"
	for i := range texts {
		source += fmt.Sprintf("sample%d,", i)
	}
	source += "}[n]()\n}\n" + mains.String()
	path, binary := filepath.Join(dir, "samples.go"), filepath.Join(dir, "samples")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, path).CombinedOutput(); err != nil {
		t.Fatalf("building the samples: %v\n%s", err, out)
	}
	return binary
}

func indented(t *testing.T, raw []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", " "); err != nil {
		t.Fatalf("%v: %.300s", err, raw)
	}
	return out.String()
}

// isExport reads an export to its manifest.
func isExport(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(lines)
	if err != nil || !bytes.Contains(text, []byte("\n"+`{"manifest":`)) {
		t.Errorf("the export that a sample saved is not whole: %v", err)
	}
}

// TestReferenceIsCommitted holds the committed reference to what the program writes.
func TestReferenceIsCommitted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if made := program.Run(t, nil, "docs", "--out", dir); made.Code != 0 {
		t.Fatalf("%+v", made)
	}
	for _, name := range []string{"openapi.json", "reference.md", "reference.html"} {
		written, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(filepath.Join(manuals, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(string(written), "\n")); diff != "" {
			t.Errorf("docs/%s is not what crownsafe docs writes; run make docs, and look at the difference:\n%.3000s", name, diff)
		}
	}
}
