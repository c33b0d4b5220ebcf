package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/testenv"
)

const dockerFolder = "../../deploy/docker"

// TestLocalStack holds the compose file to what is there: settings that the program
// takes, files and services that exist, images of one version, nothing open to other
// machines, and secrets that the README makes.
func TestLocalStack(t *testing.T) {
	t.Parallel()
	file := read(t, dockerFolder+"/compose.yaml")
	var stack struct {
		Services map[string]struct {
			Image       string
			Build       struct{ Context, Dockerfile, Target string }
			Environment map[string]string
			Ports       []string
			Volumes     []string
			DependsOn   map[string]any `yaml:"depends_on"`
		}
	}
	if err := yaml.Unmarshal([]byte(file), &stack); err != nil {
		t.Fatal(err)
	}
	if len(stack.Services) != 8 {
		t.Errorf("the stack has %d services", len(stack.Services))
	}
	documented, targets := read(t, "../../docs/configuration.md"), stages(t)
	for name, s := range stack.Services {
		if version := regexp.MustCompile(`:(local|v?\d+\.\d+(\.\d+)?)$`); !version.MatchString(s.Image) {
			t.Errorf("%s is of the image %s, which is of no one version", name, s.Image)
		}
		if s.Build.Context != "" && (filepath.Join(dockerFolder, s.Build.Context) != "../.." || targets[s.Build.Target] == nil) {
			t.Errorf("%s is built from %+v", name, s.Build)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s listens on %s", name, port)
			}
		}
		for _, volume := range s.Volumes {
			if from, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(from, ".") {
				if _, err := os.Stat(filepath.Join(dockerFolder, from)); err != nil {
					t.Errorf("%s mounts %s: %v", name, from, err)
				}
			}
		}
		for other := range s.DependsOn {
			if _, is := stack.Services[other]; !is {
				t.Errorf("%s depends on %s", name, other)
			}
		}
		if s.Build.Context == "" {
			continue
		}
		for variable := range s.Environment {
			if !strings.Contains(documented, "`"+variable+"`") {
				t.Errorf("%s sets %s", name, variable)
			}
		}
		cfg, err := config.Load(t.Context(), func(name string) (string, bool) {
			return os.Expand(shellDefault.ReplaceAllString(s.Environment[name], "$1$2"), func(string) string { return "0" }), s.Environment[name] != ""
		})
		if err != nil || cfg.Environment != config.Development || cfg.Migrate {
			t.Errorf("%s: %v, %+v", name, err, cfg)
		}
	}
	readme := read(t, dockerFolder+"/README.md")
	var needed []string
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+):\?`).FindAllStringSubmatch(file, -1) {
		needed = append(needed, m[1])
	}
	slices.Sort(needed)
	if needed = slices.Compact(needed); len(needed) != 4 {
		t.Errorf("the stack needs %q", needed)
	}
	for _, name := range needed {
		if !strings.Contains(readme, "\n"+name+"=$(openssl rand ") {
			t.Errorf("the README doesn't make %s", name)
		}
	}
	testenv.Promtool(t, dockerFolder, "", "check", "config", "--syntax-only", "prometheus.yaml")
}

// shellDefault is a variable with what compose does without it.
var shellDefault = regexp.MustCompile(`(\$\{[A-Z_]+):[^}]*(\})`)
