package sqlite

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/store"
)

// TestEveryTableIsTracked: a table that a migration adds has to be among store.Tables,
// or among those that are in no backup; else nobody would know of its changes.
func TestEveryTableIsTracked(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if err := s.BackUp(t.Context(), "full", func(store.BackupView) error { return nil }); err != nil {
		t.Fatal(err)
	}
	const triggers = `SELECT t.name, (SELECT group_concat(g.name) FROM sqlite_schema g WHERE g.type = 'trigger' AND g.tbl_name = t.name AND g.name LIKE 'change\_log\_of\_%' ESCAPE '\')
		FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	rows, err := s.readers.QueryContext(t.Context(), triggers)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	// What an increment has by itself, and what changes with the schema only.
	exempt := append([]string{"last_serial", "identity", "goose_db_version"}, unkept...)
	looked := 0
	for rows.Next() {
		var table string
		var there *string
		if err := rows.Scan(&table, &there); err != nil {
			t.Fatal(err)
		}
		looked++
		if slices.Contains(exempt, table) {
			continue
		}
		for _, event := range []string{"insert", "update", "delete"} {
			if there == nil || !slices.Contains(strings.Split(*there, ","), trackerPrefix+table+"_"+event) {
				t.Errorf("nobody keeps track of table %s at %s", table, event)
			}
		}
	}
	if err := rows.Err(); err != nil || looked < 20 {
		t.Errorf("looked at %d tables, %v", looked, err)
	}
}

// TestAnyTextComesBack by the shell and by Apply: whatever bytes somebody else wrote.
func TestAnyTextComesBack(t *testing.T) {
	t.Parallel()
	texts := []string{"", "'", "''", "--", "/*", ";", "a\nb", "\r\n", "\x00", "\xff\xfe", "é 𝟙", `\`, "END;", "X'00'", "%s", "?1"}
	rapid.Check(t, func(rt *rapid.T) {
		texts = append(texts, rapid.String().Draw(rt, "text"))
		if len(texts) > 120 {
			texts = texts[:120]
		}
	})
	s := openTemp(t)
	for i, text := range texts {
		if err := s.Reject(t.Context(), []store.Rejection{{Agency: "us-example", NativeID: text, Reason: text, Excerpt: text, Raw: "raw", Position: i}}); err != nil {
			t.Fatal(err)
		}
	}
	var full strings.Builder
	var want store.Digest
	err := s.BackUp(t.Context(), "full", func(v store.BackupView) (err error) {
		if err := v.WriteFull(t.Context(), &full); err != nil {
			return err
		}
		want, err = store.DigestOf(t.Context(), v, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	byShell := filepath.Join(t.TempDir(), "shell.db")
	shell := exec.CommandContext(t.Context(), "sqlite3", "-bail", byShell)
	shell.Stdin = strings.NewReader(full.String())
	if said, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	restored := filepath.Join(t.TempDir(), "restored.db")
	r, err := OpenRestoration(restored)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Apply(t.Context(), "full", true, strings.NewReader(full.String())); err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{byShell, restored} {
		err := openAt(t, path).Snapshot(t.Context(), func(s store.Snapshot) error {
			got, err := store.DigestOf(context.Background(), s, nil)
			if got.SHA256() != want.SHA256() {
				t.Errorf("%s differs", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestStatements: a text is taken apart where SQLite's shell would.
func TestStatements(t *testing.T) {
	t.Parallel()
	want := []string{
		"-- a comment; with a 'quote\nPRAGMA x=1;",
		"\nINSERT INTO t VALUES ('a;''b;', \"c;\", 'd\n;e');",
		" CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; -- END;\n SELECT 'END;'; INSERT INTO end VALUES (1); END;",
		"\nCREATE TEMP TRIGGER y BEFORE DELETE ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; END ;",
		"\nCREATE TABLE \"trigger\" (end TEXT);",
		"COMMIT;",
	}
	var got []string
	for s, err := range statementsOf(strings.NewReader(strings.Join(want, "") + "\n")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	// A CASE that ends a statement of a trigger is taken for the trigger's own end; none
	// of ours has one, and the shell of SQLite has the same limit.
	want = slices.Replace(want, 3, 4, "\nCREATE TEMP TRIGGER y BEFORE DELETE ON t BEGIN SELECT CASE WHEN 1 THEN 2 END;", " END ;")
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, text := range []string{"SELECT 1", "INSERT INTO t VALUES ('a;", "CREATE TRIGGER x BEGIN SELECT 1;"} {
		failed := false
		for _, err := range statementsOf(strings.NewReader(text)) {
			failed = err != nil
		}
		if !failed {
			t.Errorf("%q is taken for whole", text)
		}
	}
}
