package deploy

import (
	"crypto/sha256"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	dockerfile = "../../deploy/docker/Dockerfile"
	imageUser  = 65532
	release    = "v9.8.7"
)

// builtImage makes the root of the image crownsafe-api, as the Dockerfile says: what
// its stages do is done here, and nothing else is put there.
func builtImage(t *testing.T) (root string, final *stage) {
	t.Helper()
	all := stages(t)
	final = all["crownsafe-api"]
	if final.from != "scratch" {
		t.Fatalf("the image begins with %s", final.from)
	}
	i := image{out: t.TempDir(), source: "../..", arguments: map[string]string{"VERSION": release, "TARGETOS": runtime.GOOS, "TARGETARCH": runtime.GOARCH}}
	i.build(t, all["build"])
	root = t.TempDir()
	for _, folder := range []string{filepath.Dir(root), root} { // which the image's user looks into
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, rest := range final.all("COPY") {
		words := strings.Fields(rest)
		from, to := words[len(words)-2], filepath.Join(root, words[len(words)-1])
		if inside, built := strings.CutPrefix(from, "/out/"); built {
			from = filepath.Join(i.out, inside)
		}
		place(t, from, to, slices.Contains(words, "--chown=65532:65532"))
	}
	return root, final
}

// place copies a file, or makes an empty folder, as COPY does.
func place(t *testing.T, from, to string, owned bool) {
	t.Helper()
	about, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if about.IsDir() {
		if err := os.Mkdir(to, about.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	} else if err := os.WriteFile(to, []byte(read(t, from)), about.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
	if owned && os.Geteuid() == 0 {
		if err := os.Chown(to, imageUser, imageUser); err != nil {
			t.Fatal(err)
		}
	}
}

// inside prepares a command that sees nothing of the machine but a folder as its root,
// as the image's user. Who isn't root does so in a user namespace.
func inside(t *testing.T, root string, environment []string, command ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Path, cmd.Err = command[0], nil // which is looked for in the root
	cmd.Dir, cmd.Env = "/", environment
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: imageUser, Gid: imageUser}
		return cmd
	}
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: imageUser, HostID: os.Geteuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: imageUser, HostID: os.Getegid(), Size: 1}}
	return cmd
}

// TestImage holds the image to what it promises: one static program and the
// authorities, nothing that its user could change but two empty folders, the
// version that was asked for, and the same bytes each time.
func TestImage(t *testing.T) {
	t.Parallel()
	root, final := builtImage(t)
	owned := "the user's "
	if os.Geteuid() != 0 { // who can give nothing to another user
		owned = ""
	}
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		about, err := entry.Info()
		if err != nil {
			return err
		}
		owner := ""
		if about.Sys().(*syscall.Stat_t).Uid == imageUser {
			owner = owned
		}
		name, err := filepath.Rel(root, path)
		files["/"+name] = owner + about.Mode().Type().String()[:1]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/.": "d", "/crownsafe": "-", "/data": owned + "d", "/tmp": owned + "d",
		"/etc": "d", "/etc/ssl": "d", "/etc/ssl/certs": "d", "/etc/ssl/certs/ca-certificates.crt": "-",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("the image holds: %s", diff)
	}
	program, err := elf.Open(filepath.Join(root, "crownsafe"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("the program isn't static: %v", part.Type)
		}
	}
	said, err := inside(t, root, nil, append(final.words(t, "ENTRYPOINT"), "version")...).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(said), "crownsafe "+release+" ") {
		t.Errorf("%v: %s", err, said)
	}
	if got := final.words(t, "CMD"); !slices.Equal(got, []string{"serve"}) {
		t.Errorf("it runs %q", got)
	}
	if got := final.all("EXPOSE"); !slices.Equal(got, []string{"8001"}) {
		t.Errorf("it exposes %q", got)
	}
	if user := strconv.Itoa(imageUser); !slices.Equal(final.all("USER"), []string{user + ":" + user}) {
		t.Errorf("it is of user %q", final.all("USER"))
	}
	again, _ := builtImage(t)
	if sum(t, root) != sum(t, again) {
		t.Error("built again it is another program")
	}
}

func sum(t *testing.T, root string) [32]byte {
	t.Helper()
	return sha256.Sum256([]byte(read(t, filepath.Join(root, "crownsafe"))))
}

// TestContextHoldsWhatIsTracked: with a tracked file left out of what is built from, the
// program would record that it was built from changes; and nothing secret goes in.
func TestContextHoldsWhatIsTracked(t *testing.T) {
	t.Parallel()
	var patterns []string
	for line := range strings.Lines(read(t, dockerfile+".dockerignore")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, line)
		}
	}
	tracked, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	left := func(file string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			anywhere, isAnywhere := strings.CutPrefix(pattern, "**/")
			base, _ := filepath.Match(anywhere, filepath.Base(file)) // the patterns are well formed
			return file == pattern || strings.HasPrefix(file, pattern+"/") || isAnywhere && (base || strings.Contains("/"+file+"/", "/"+anywhere+"/"))
		})
	}
	for file := range strings.Lines(string(tracked)) {
		if file = strings.TrimSpace(file); left(file) {
			t.Errorf("%s is left out", file)
		}
	}
	for _, file := range []string{"deploy/docker/.env", "data/secret.key", "bin/crownsafe", "internal/gtin/gtin.test", "internal/gtin/testdata/rapid/x"} {
		if !left(file) {
			t.Errorf("%s is not left out", file)
		}
	}
}
