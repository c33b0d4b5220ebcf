//go:build pitr

package pitr

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// recipe is the section of the manual that is followed here.
type recipe string

func readRecipe(t *testing.T) recipe {
	t.Helper()
	page, err := os.ReadFile("../../docs/disaster-recovery.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, there := strings.Cut(string(page), "\n## To a point in time\n")
	if !there {
		t.Fatal("the manual has no recipe any more")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return recipe(section)
}

// config returns pgBackRest's configuration with the live values in the places of the
// manual's, and further lines for everything and for the stanza.
func (r recipe) config(t *testing.T, live map[string]string, global, stanza string) string {
	t.Helper()
	_, config, _ := strings.Cut(string(r), "```ini\n")
	config, _, there := strings.Cut(config, "```")
	if !there {
		t.Fatal("the recipe has no configuration")
	}
	for name, value := range live {
		if strings.Count(config, name) != 1 {
			t.Fatalf("%s doesn't stand in the recipe's configuration once:\n%s", name, config)
		}
		config = strings.Replace(config, name, value, 1)
	}
	return strings.Replace(config, "[global]\n", "[global]\n"+global, 1) + stanza
}

var alterSystem = regexp.MustCompile(`(?m)^psql -c "(ALTER SYSTEM SET [^"]+)"$`)

// settings returns the statements that make the server hand its log over, with
// pgBackRest's configuration where it is.
func (r recipe) settings(t *testing.T, config string) (statements []string) {
	t.Helper()
	for _, found := range alterSystem.FindAllStringSubmatch(string(r), -1) {
		statements = append(statements, strings.Replace(found[1], "pgbackrest ", "pgbackrest --config="+config+" ", 1))
	}
	if len(statements) != 3 {
		t.Fatalf("the recipe sets %q", statements)
	}
	return statements
}

var anyTarget = regexp.MustCompile(`--target=(\S+ \S+|"[^"]+")`)

// has says whether a command of pgBackRest's stands in the recipe, for some moment.
func (r recipe) has(args []string) bool {
	plain := func(text string) string { return anyTarget.ReplaceAllString(text, "--target=MOMENT") }
	return regexp.MustCompile(`(?m)(^|\d +postgres |\* +postgres )` + regexp.QuoteMeta(plain("pgbackrest --stanza="+stanza+" "+strings.Join(args, " "))) + `$`).
		MatchString(plain(string(r)))
}
