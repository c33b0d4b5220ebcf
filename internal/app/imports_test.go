package app

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/crownsafe/api/"

// layers lists the packages from the innermost layer outwards. A package may
// import those of layers further in, and of its own layer only what is named
// in neighbours.
var layers = [][]string{
	{"internal/gtin", "internal/recall", "internal/extract", "internal/stock", "internal/config", "internal/telemetry", "internal/redisclient",
		"internal/egress", "internal/reference", "internal/testenv", "internal/testenv/*"},
	{"internal/account", "internal/agency", "internal/agency/*", "internal/store", "internal/store/*", "internal/blob", "internal/blob/*",
		"internal/cache", "internal/cache/*", "internal/ratelimit", "internal/ratelimit/*", "internal/secret", "internal/secret/*", "internal/mail"},
	{"internal/starter", "internal/ingest", "internal/catalogue", "internal/source", "internal/snapshot", "internal/lookup", "internal/scan",
		"internal/exports", "internal/photo", "internal/health", "internal/traffic", "internal/auth", "internal/secaudit", "internal/backup",
		"internal/loadtest"},
	{"internal/api", "internal/web"},
	{"internal/app"},
	{"cmd/crownsafe"},
}

// neighbours are the imports within a layer that the design has.
var neighbours = map[string][]string{
	"internal/recall":         {"internal/gtin"},
	"internal/extract":        {"internal/recall", "internal/gtin"},
	"internal/stock":          {"internal/recall"},
	"internal/testenv":        {"internal/testenv/server"},
	"internal/agency/*":       {"internal/agency"},
	"internal/store/*":        {"internal/store", "internal/account"},
	"internal/store/sqlite":   {"internal/store", "internal/store/ledger", "internal/store/sqlite/queries"},
	"internal/store/postgres": {"internal/store", "internal/store/ledger", "internal/store/postgres/queries"},
	"internal/blob/*":         {"internal/blob"},
	"internal/blob/cached":    {"internal/cache"},
	"internal/cache/*":        {"internal/cache"},
	"internal/ratelimit/*":    {"internal/ratelimit"},
	"internal/secret/*":       {"internal/secret"},
	"internal/source":         {"internal/catalogue"},
	"internal/snapshot":       {"internal/catalogue", "internal/source"},
	"internal/lookup":         {"internal/catalogue", "internal/source"},
	"internal/api":            {"internal/web"},
}

// drivers are libraries that only these places may know. Test servers are
// asked by the library that the program asks them with.
var drivers = map[string][]string{
	"modernc.org/sqlite":                 {"internal/store/sqlite"},
	"github.com/jackc/pgx":               {"internal/store/postgres", "internal/store/postgres/queries", "internal/testenv/server"},
	"github.com/pressly/goose":           {"internal/store/sqlite", "internal/store/postgres"},
	"github.com/redis/go-redis":          {"internal/cache/redis", "internal/ratelimit/redis", "internal/redisclient"},
	"github.com/Azure":                   {"internal/blob/azure", "internal/secret/keyvault"},
	"github.com/danielgtaylor/huma":      {"internal/api"},
	"github.com/jub0bs/cors":             {"internal/api"},
	"github.com/alecthomas/kong":         {"cmd/crownsafe"},
	"github.com/sethvargo/go-envconfig":  {"internal/config"},
	"github.com/prometheus":              {"internal/telemetry"},
	"go.opentelemetry.io/otel/sdk":       {"internal/telemetry"},
	"go.opentelemetry.io/otel/exporters": {"internal/telemetry"},
	"go.opentelemetry.io/contrib":        {"internal/telemetry"},
	"github.com/failsafe-go":             {"internal/agency", "internal/blob", "internal/cache"},
	"github.com/makiuchi-d/gozxing":      {"internal/scan"},
	"github.com/HdrHistogram":            {"internal/loadtest"},
	"github.com/wneessen/go-mail":        {"internal/mail"},
	"github.com/golang-jwt/jwt":          {"internal/auth"},
	"golang.org/x/crypto":                {"internal/auth"},
	"github.com/KimMachineGun":           {"internal/app"},
	"filippo.io/age":                     {"internal/backup"},
}

func TestImportsRunOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		from := layerOf(pkg)
		if from < 0 {
			if strings.HasPrefix(pkg, "internal/") || strings.HasPrefix(pkg, "cmd/") {
				t.Errorf("%s stands in no layer", pkg)
			}
			continue
		}
		seen++
		for _, imported := range fields[1:] {
			checkDriver(t, pkg, imported)
			if !strings.HasPrefix(imported, module) {
				continue
			}
			imported = strings.TrimPrefix(imported, module)
			to := layerOf(imported)
			if to > from || to == from && !slices.Contains(allowedBeside(pkg), imported) {
				t.Errorf("%s imports %s", pkg, imported)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func checkDriver(t *testing.T, pkg, imported string) {
	t.Helper()
	for driver, homes := range drivers {
		if strings.HasPrefix(imported, driver) && !slices.Contains(homes, pkg) {
			t.Errorf("%s imports %s, which only %s may know", pkg, imported, strings.Join(homes, ", "))
		}
	}
}

func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.ContainsFunc(layer, matches(pkg)) })
}

func allowedBeside(pkg string) []string {
	var list []string
	for pattern, allowed := range neighbours {
		if matches(pkg)(pattern) {
			list = append(list, allowed...)
		}
	}
	return list
}

// matches compares a package with a pattern that may end in "/*".
func matches(pkg string) func(string) bool {
	return func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == pkg || wild && strings.HasPrefix(pkg, prefix)
	}
}
