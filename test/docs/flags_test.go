package docs

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crownsafe/api/test/program"
)

// flags are those of programs that can't be run here, by command, as their own
// documentation has them (kubectl 1.30, Docker 27, Azure CLI 2.60, PostgreSQL 15).
var flags = map[string]string{
	"kubectl":              "--context --namespace -n --kubeconfig",
	"kubectl apply":        "-f -k --filename --kustomize --server-side --dry-run --prune -l --selector",
	"kubectl create":       "-f --from --dry-run -o --save-config",
	"kubectl get":          "-o -w -l -A --watch --selector --output --all-namespaces --field-selector --sort-by",
	"kubectl describe":     "-l --selector",
	"kubectl delete":       "-f -k -l --wait --ignore-not-found --grace-period",
	"kubectl logs":         "-f -l -c --since --tail --previous --prefix --container --selector --follow --all-containers",
	"kubectl exec":         "-i -t -it -c --container --stdin --tty",
	"kubectl rollout":      "--timeout --revision --to-revision --watch",
	"kubectl wait":         "--for --timeout -l --all",
	"kubectl scale":        "--replicas",
	"kubectl set":          "-c",
	"kubectl port-forward": "--address",
	"kubectl diff":         "-f -k",
	"kubectl kustomize":    "",
	"kubectl top":          "-l",
	"kubectl run":          "--image --rm -i -t -it --restart --env --command",
	"kubectl annotate":     "--overwrite",
	"kubectl cordon":       "",
	"kubectl patch":        "-p --patch --type",
	"kubectl drain":        "--ignore-daemonsets --delete-emptydir-data",
	"docker build":         "-f -t --file --tag --target --build-arg --platform --pull --push --provenance --sbom",
	"docker run":           "-d -e -i -t -it -p -v --rm --name --env --env-file --publish --volume --read-only --user --network --tmpfs --entrypoint --cap-drop --memory --cpus --init --security-opt",
	"docker compose":       "-f -d -v --file --profile --build --wait --detach --volumes --no-deps --scale --rm --tail --follow --env-file",
	"docker logs":          "-f --tail --follow --since",
	"docker exec":          "-i -t -it -e -u",
	"docker stop":          "-t --time",
	"docker push":          "",
	"docker pull":          "--platform",
	"docker tag":           "",
	"docker image":         "-q --format",
	"docker inspect":       "-f --format",
	"az login":             "--identity --service-principal --tenant",
	"az acr":               "--name -n --resource-group -g --sku --expose-token",
	"az aks":               "--name -n --resource-group -g --attach-acr --overwrite-existing --enable-oidc-issuer --enable-workload-identity --query -o",
	"az identity":          "--name -n --resource-group -g --identity-name --issuer --subject --audiences --query -o",
	"az keyvault":          "--name -n --vault-name --resource-group -g --value --file --enable-rbac-authorization --query -o",
	"az role":              "--assignee --role --scope --assignee-object-id --assignee-principal-type",
	"az storage":           "--account-name --name -n --container-name --auth-mode --file --resource-group -g --sku --enable-versioning --enable-delete-retention --delete-retention-days --prefix --query -o",
	"az postgres":          "--name -n --resource-group -g --source-server --restore-time --version --query -o",
	"azcopy copy":          "--recursive --exclude-path --include-path --overwrite",
	"psql":                 "-d -f -c -h -p -U -v -X -q -1 --dbname --file --command --set --single-transaction",
	"pg_dump":              "-d -f -F -h -p -U --format --file --no-owner --dbname --snapshot",
	"pg_restore":           "-d -j --dbname --clean --if-exists --jobs --no-owner --exit-on-error",
	"createdb":             "-h -p -U -O",
	"sqlite3":              "-readonly -batch",
	"age":                  "-d -i -r -o --decrypt --identity --recipient --output",
	"age-keygen":           "-o --output -y",
	"gunzip":               "-c --stdout",
	"openssl rand":         "-base64 -hex",
	"curl":                 "-f -s -S -sS -fsS -X -H -d -F -o -O -k --fail --data --data-binary --header --retry --max-time",
	"git tag":              "-a -s -m",
	"git push":             "--tags",
	"kustomize build":      "--enable-helm",
	"kustomize edit":       "",
	"umask":                "",
	"promtool test":        "",
	"promtool check":       "",
	"helm upgrade":         "--install --namespace --create-namespace --set --version --repo",
	"go test":              "-run -race -count -shuffle -timeout -tags -bench -fuzz -fuzztime -update",
	"go run":               "",
	"go tool":              "-http",
	"go doc":               "",
	"export":               "",
	"cd":                   "",
	"set":                  "",
	"cat":                  "",
	"cp":                   "-a -r",
	"mkdir":                "-p",
	"chmod":                "",
	"systemctl":            "--now",
	"pgbackrest":           "--stanza --type --target --delta --target-action --set --log-level-console",
	"snyk test":            "--severity-threshold --all-projects",
	"gh workflow":          "-f --ref",
}

// checkBlock checks a block's syntax, and each command's name and flags.
func checkBlock(t *testing.T, b *block) (faults []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-n", "-c", b.text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return []string{string(out)}
	}
	for _, words := range commands(b.text) {
		faults = append(faults, checkCommand(t, words)...)
	}
	return faults
}

var (
	quoted     = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	comment    = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	heredoc    = regexp.MustCompile(`(?ms)<<'?EOF'?$.*?^EOF$`)
	continued  = regexp.MustCompile(`\\\n`)
	separators = regexp.MustCompile(`\|\||&&|[|;\n]`)
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

// commands are a text's simple commands, as words. What is quoted is one word, with
// nothing in it that could be taken for a flag.
func commands(text string) [][]string {
	text = heredoc.ReplaceAllString(text, "")
	text = quoted.ReplaceAllString(continued.ReplaceAllString(text, " "), "QUOTED")
	text = comment.ReplaceAllString(text, "")
	var list [][]string
	for _, command := range separators.Split(text, -1) {
		words := strings.Fields(strings.Trim(strings.TrimSpace(command), "()"))
		for len(words) > 0 && assignment.MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) > 0 {
			list = append(list, words)
		}
	}
	return list
}

func checkCommand(t *testing.T, words []string) (faults []string) {
	t.Helper()
	if strings.Join(words[:min(3, len(words))], " ") == "go run ./cmd/crownsafe" {
		words = append([]string{"crownsafe"}, words[3:]...)
	}
	switch words[0] {
	case "crownsafe":
		return checkOwn(t, words[1:])
	case "make":
		return checkTargets(words[1:])
	}
	if words[0] == "kubectl" && len(words) > 3 && words[1] == "--namespace" { // which may stand before the command
		words = slices.Delete(words, 1, 3)
	}
	known, ok := flags[words[0]]
	if len(words) > 1 {
		own, is := flags[words[0]+" "+words[1]]
		if known, ok = known+" "+own, ok || is; !is && words[0] == "kubectl" {
			ok = false
		}
	}
	if at := slices.Index(words, "ops"); strings.Join(words[:min(2, len(words))], " ") == "docker compose" && at > 0 {
		words = words[:at] // what follows is given to the program in the container
	}
	if !ok {
		return []string{"nothing is known of " + strings.Join(words, " ") + "; add its flags from its documentation"}
	}
	for _, word := range words[1:] {
		flag, _, _ := strings.Cut(word, "=")
		if word == "--" {
			break // what follows is another command's
		}
		if strings.HasPrefix(flag, "-") && len(flag) > 1 && !slices.Contains(strings.Fields(known), flag) {
			faults = append(faults, words[0]+" has no flag "+flag)
		}
	}
	return faults
}

// checkOwn asks the program itself about its commands and flags.
func checkOwn(t *testing.T, words []string) (faults []string) {
	t.Helper()
	var path, given []string
	for _, word := range words {
		flag, _, _ := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(flag, "--"):
			given = append(given, flag)
		case len(given) == 0 && len(path) < 2:
			path = append(path, word)
		}
	}
	help := ""
	for n := len(path); n > 0; n-- { // the second word may be an argument
		if asked := program.Run(t, nil, append(slices.Clone(path[:n]), "--help")...); asked.Code == 0 {
			help = asked.Stdout
			if usage, _, _ := strings.Cut(help, "\n"); n < len(path) && strings.Contains(usage, "<command>") {
				help = "" // which it isn't: there are commands below this one
			}
			break
		}
	}
	if help == "" {
		return []string{"crownsafe has no command " + strings.Join(path, " ")}
	}
	for _, flag := range given {
		if !regexp.MustCompile(regexp.QuoteMeta(flag) + `\b`).MatchString(help) {
			faults = append(faults, "crownsafe "+strings.Join(path, " ")+" has no flag "+flag)
		}
	}
	return faults
}

var targets = sync.OnceValue(func() string {
	raw, err := os.ReadFile("../../Makefile")
	if err != nil {
		return ""
	}
	return string(raw)
})

func checkTargets(words []string) (faults []string) {
	for _, word := range words {
		if !strings.Contains(word, "=") && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(word)+`:`).MatchString(targets()) {
			faults = append(faults, "there is no make "+word)
		}
	}
	return faults
}

// TestChecksSeeFaults gives the checks what they are there to find.
func TestChecksSeeFaults(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"kubectl apply -k deploy/k8s/overlays/staging\n": true,
		"kubectl aply -k deploy/k8s\n":                   false,
		"kubectl apply --kustomise deploy/k8s\n":         false,
		"crownsafe migrate up\n":                         true,
		"crownsafe migrate sideways\n":                   false,
		"crownsafe sync us-cpsc\n":                       true,
		"crownsafe migrat up\n":                          false,
		"crownsafe serve --adr x\n":                      false,
		"make test\n":                                    true,
		"make tset\n":                                    false,
		"teleport now\n":                                 false,
		"if true\n":                                      false,
		"A=1 docker run --rm -e 'X=--y' image -- --z\n":  true,
	} {
		faults := checkBlock(t, &block{page: "probe", text: text})
		if (len(faults) == 0) != good {
			t.Errorf("%q: %q", text, faults)
		}
	}
}
