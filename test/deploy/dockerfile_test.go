package deploy

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// stage is a stage of the Dockerfile: where it begins and its instructions, with
// variables as they are written.
type stage struct {
	from         string
	instructions []instruction
}

// instruction is one of a stage, as COPY and what follows it.
type instruction struct{ name, rest string }

// stages reads the Dockerfile. It knows what that uses, and fails at what it doesn't
// know.
func stages(t *testing.T) map[string]*stage {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(read(t, dockerfile), "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	all, current := map[string]*stage{}, &stage{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "":
		case "FROM":
			words := strings.Fields(rest)
			current = &stage{from: words[len(words)-3]}
			all[words[len(words)-1]] = current
		case "ARG", "ENV", "WORKDIR", "COPY", "RUN", "LABEL", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD":
			current.instructions = append(current.instructions, instruction{name, strings.TrimSpace(rest)})
		default:
			t.Fatalf("the Dockerfile has a line that the test can't read: %s", line)
		}
	}
	if len(all) != 3 {
		t.Fatalf("the Dockerfile has %d stages", len(all))
	}
	return all
}

// all returns what follows an instruction, each time that it stands in the stage.
func (s *stage) all(name string) (list []string) {
	for _, i := range s.instructions {
		if i.name == name {
			list = append(list, i.rest)
		}
	}
	return list
}

// words reads the list of an instruction in its form as JSON.
func (s *stage) words(t *testing.T, name string) (list []string) {
	t.Helper()
	for _, rest := range s.all(name) {
		_, rest, found := strings.Cut(rest, "[")
		if err := json.Unmarshal([]byte("["+rest), &list); !found || err != nil {
			t.Fatalf("%s is no list: %v", name, err)
		}
	}
	return list
}

// image are the folders that stages make outside the source: what is copied between
// them stands below here.
type image struct {
	out, source string
	arguments   map[string]string
}

var mount = regexp.MustCompile(`--mount=\S+ `)

// build does what a stage's RUN lines say, in the repository itself, with /out elsewhere.
func (i image) build(t *testing.T, s *stage) {
	t.Helper()
	environment := s.all("ENV")
	for name, value := range i.arguments {
		environment = append(environment, name+"="+value)
	}
	for _, command := range s.all("RUN") {
		command = strings.ReplaceAll(mount.ReplaceAllString(command, ""), "/out/", i.out+"/")
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", command)
		cmd.Dir, cmd.Env = i.source, append(cmd.Environ(), environment...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, said)
		}
	}
}
