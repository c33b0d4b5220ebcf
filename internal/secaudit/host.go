package secaudit

import (
	"fmt"
	"strings"
)

func hostRules() []rule {
	const category = "file permissions"
	return []rule{
		{
			id: "data-folder-mode", category: category, worst: High,
			about: "the data directory can't be written to by every user (HIGH), or read by them (MEDIUM)", remedy: "chmod 0750 the data directory",
			facts: eachFile(DataFolder, func(f HostFile) (Severity, string) {
				switch mode := f.Mode.Perm(); {
				case mode&0o002 != 0:
					return High, "every user may put files into it"
				case mode&0o005 != 0:
					return Medium, "every user may look into it"
				}
				return "", ""
			}),
		},
		{
			id: "key-file-mode", category: category, worst: High, scope: everywhere,
			about: "`secret.key` in the data directory is its owner's alone", remedy: "chmod 0600 the file, and rotate the key: somebody may have read it",
			facts: eachFile(KeyFile, func(f HostFile) (Severity, string) {
				if f.Mode.Perm()&0o077 != 0 {
					return High, "others than its owner may use it"
				}
				return "", ""
			}),
		},
		{
			id: "database-file-mode", category: category, worst: High,
			about: "the SQLite file can't be written to by every user (HIGH), or read by them where they can reach it (MEDIUM)", remedy: "chmod 0640 crownsafe.db and its -wal and -shm, or 0750 the data directory",
			facts: databaseFiles,
		},
		{
			id: "root", category: "environment", worst: Medium,
			about: "the process doesn't run as root", remedy: "run it as a user of its own; in Kubernetes, runAsNonRoot: true",
			facts: func(f *Facts) verdict {
				if f.Host.Root {
					return fail(Medium, "the process runs as root: a fault in it is a fault of the whole machine")
				}
				return pass("the process has a user without rights")
			},
		},
		{
			id: "umask", category: category, worst: Medium,
			about: "new files can't be written to by every user", remedy: "set the umask to 0027 before the start (UMask= of systemd)",
			facts: func(f *Facts) verdict {
				if f.Host.Umask&0o002 == 0 {
					return fail(Medium, "the umask is %04o: what the process makes may be changed by every user", f.Host.Umask.Perm())
				}
				return pass("the umask is %04o", f.Host.Umask.Perm())
			},
		},
		{
			id: "core-dumps", category: "debug switches", worst: Low, scope: production,
			about: "a crash leaves no image of the memory, which holds secrets", remedy: "set the limit of core dumps to 0 (ulimit -c 0, LimitCORE=0)",
			facts: func(f *Facts) verdict {
				if f.Host.CoreDumps {
					return fail(Low, "a crash may leave the process's memory in a file, secrets and all")
				}
				return pass("a crash leaves nothing")
			},
		},
	}
}

// eachFile makes a rule of what is wrong with a file; no severity: nothing.
func eachFile(kind FileKind, wrong func(HostFile) (Severity, string)) func(*Facts) verdict {
	return func(f *Facts) verdict {
		var worst Severity
		var found []string
		looked := 0
		for _, file := range f.Host.Files {
			if file.Kind != kind {
				continue
			}
			looked++
			severity, words := wrong(file)
			if severity == "" {
				continue
			}
			if worst == "" || severity.atMost(worst) == worst {
				worst = severity
			}
			found = append(found, fmt.Sprintf("%s has mode %04o: %s", file.What, file.Mode.Perm(), words))
		}
		if worst != "" {
			return fail(worst, "%s", strings.Join(found, "; "))
		}
		return pass("%s", lookedAt(looked))
	}
}

// databaseFiles lets a file be as open as it likes in a folder that isn't.
func databaseFiles(f *Facts) verdict {
	for _, file := range f.Host.Files {
		if file.Kind == DataFolder && file.Mode.Perm()&0o005 == 0 {
			return pass("the data directory keeps others out")
		}
	}
	return eachFile(DatabaseFile, func(file HostFile) (Severity, string) {
		switch mode := file.Mode.Perm(); {
		case mode&0o002 != 0:
			return High, "every user may change it"
		case mode&0o004 != 0:
			return Medium, "every user may read it"
		}
		return "", ""
	})(f)
}
