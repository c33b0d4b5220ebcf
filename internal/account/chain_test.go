package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// list is a log in memory, as somebody may have left it.
type list []Entry

func (l list) Entries(_ context.Context, _ int64, _ int, yield func(Entry) error) error {
	for _, e := range l {
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

func chain(n int) list {
	var l list
	var last Entry
	for i := range n {
		last = Entry{
			At: time.Date(2026, 3, 1, 12, i, 0, 123456789, time.FixedZone("", 3600)), Action: "key.revoke", Actor: fmt.Sprintf("user:%d", i),
			Subject: "key:1", Outcome: "done", Reason: "lost", Network: "192.0.2.0", TraceID: "5a",
		}.Seal(last)
		l = append(l, last)
	}
	return l
}

func (l list) head() Head { return Head{l[len(l)-1].Seq, l[len(l)-1].Hash} }

// The encoding is for as long as there are logs: a hash once sealed stays right.
func TestSealIsStable(t *testing.T) {
	t.Parallel()
	l := chain(2)
	for i, want := range []string{
		"601a51451eae43682f287eee6e9cf2ba5d9bfad87fb55c06c9969d37c635804f",
		"0e8e04f1689464a36e730a47a1ef910db29f079133f6341c714adfa83891a1dd",
	} {
		if got := hex.EncodeToString(l[i].Hash); got != want {
			t.Errorf("entry %d has the hash %s, want %s", i+1, got, want)
		}
	}
	if !bytes.Equal(l[0].Previous, make([]byte, sha256.Size)) || !bytes.Equal(l[1].Previous, l[0].Hash) {
		t.Errorf("the entries follow %x and %x", l[0].Previous, l[1].Previous)
	}
	if at := l[0].At; at.Location() != time.UTC || at.Nanosecond() != 123456000 {
		t.Errorf("the time is %s", at)
	}
	if e := (Entry{Reason: "a\x00\xff"}).Seal(Entry{}); e.Reason != Text("a\x00\xff") || !bytes.Equal(e.Hash, e.Seal(Entry{}).Hash) {
		t.Errorf("an odd entry was sealed as %+v", e)
	}
}

func verify(l list, known Head) (Head, error) { return Verify(context.Background(), l, known) }

func TestVerifyHolds(t *testing.T) {
	t.Parallel()
	l := chain(6)
	for _, known := range []Head{{}, {1, l[0].Hash}, {4, l[3].Hash}, l.head()} {
		head, err := verify(l, known)
		if err != nil || head.String() != l.head().String() {
			t.Errorf("a good log with %s known: %s, %v", known, head, err)
		}
	}
	if head, err := verify(nil, Head{}); err != nil || head.Seq != 0 || head.Hash != nil {
		t.Errorf("an empty log: %s, %v", head, err)
	}
	broken := errors.New("no disk")
	if _, err := Verify(t.Context(), unreadable{broken}, Head{}); err != broken {
		t.Errorf("a log that can't be read: %v", err)
	}
}

type unreadable struct{ err error }

func (u unreadable) Entries(context.Context, int64, int, func(Entry) error) error { return u.err }

// Each way of tampering is found at the first entry that it concerns.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	const at = 3 // the entry that is tampered with, of six
	for name, story := range map[string]struct {
		tamper func(l list) list
		broken int64
		reason string
	}{
		"another action":      {func(l list) list { l[at-1].Action = "key.create"; return l }, at, "changed"},
		"another time":        {func(l list) list { l[at-1].At = l[at-1].At.Add(time.Microsecond); return l }, at, "changed"},
		"a text that grew":    {func(l list) list { l[at-1].Action += "u"; l[at-1].Actor = l[at-1].Actor[1:]; return l }, at, "changed"},
		"odd bytes":           {func(l list) list { l[at-1].Reason += "\x00"; return l }, at, "changed"},
		"another hash":        {func(l list) list { l[at-1].Hash = slices.Repeat([]byte{1}, 32); return l }, at, "changed"},
		"no hash":             {func(l list) list { l[at-1].Hash = nil; return l }, at, "changed"},
		"another previous":    {func(l list) list { l[at-1].Previous = slices.Repeat([]byte{1}, 32); return l }, at, "follow"},
		"a gap":               {func(l list) list { return slices.Delete(l, at-1, at) }, at, "missing; entry 4"},
		"no beginning":        {func(l list) list { return l[2:] }, 1, "missing; entry 3"},
		"one twice":           {func(l list) list { return slices.Insert(l, at, l[at-1]) }, at, "behind entry 3"},
		"two changed places":  {func(l list) list { l[at-1], l[at] = l[at], l[at-1]; return l }, at, "missing; entry 4"},
		"one sealed anew":     {func(l list) list { l[at-1].Reason = "x"; l[at-1] = l[at-1].Seal(l[at-2]); return l }, at + 1, "follow"},
		"renumbered to close": {func(l list) list { l = slices.Delete(l, at-1, at); l[at-1].Seq = at; return l }, at, "follow"},
	} {
		l := story.tamper(chain(6))
		_, err := verify(l, Head{})
		broken, ok := errors.AsType[*Broken](err)
		if !ok || broken.Seq != story.broken || !strings.Contains(broken.Reason, story.reason) {
			t.Errorf("%s: %v, want entry %d: %s", name, err, story.broken, story.reason)
		}
	}
}

// What a log by itself can't show is found by who noted a head of it.
func TestVerifyKnownHead(t *testing.T) {
	t.Parallel()
	good := chain(6)
	anew := chain(6)
	for i := 3; i < 6; i++ {
		anew[i].Reason = "x"
		anew[i] = anew[i].Seal(anew[i-1])
	}
	for name, story := range map[string]struct {
		log    list
		broken int64
	}{
		"cut off":               {good[:4], 5},
		"emptied":               {nil, 1},
		"written anew to there": {anew, 6},
	} {
		if _, err := verify(story.log, Head{}); err != nil {
			t.Errorf("%s: by itself: %v", name, err)
		}
		broken, ok := errors.AsType[*Broken](second(verify(story.log, good.head())))
		if !ok || broken.Seq != story.broken {
			t.Errorf("%s: %v, want entry %d", name, broken, story.broken)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Any change of one entry of any log is found, there or right behind.
func TestVerifyFindsAnyChange(t *testing.T) {
	t.Parallel()
	text := rapid.String()
	entry := rapid.Custom(func(t *rapid.T) Entry {
		return Entry{
			At: time.UnixMicro(rapid.Int64().Draw(t, "at")), Action: text.Draw(t, "action"), Actor: text.Draw(t, "actor"), Subject: text.Draw(t, "subject"),
			Outcome: text.Draw(t, "outcome"), Reason: text.Draw(t, "reason"), Network: text.Draw(t, "network"), TraceID: text.Draw(t, "trace"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		var l list
		var last Entry
		for _, e := range rapid.SliceOfN(entry, 1, 6).Draw(t, "log") {
			last = e.Seal(last)
			l = append(l, last)
		}
		if head, err := verify(l, l.head()); err != nil || head.Seq != int64(len(l)) {
			t.Fatalf("a good log: %s, %v", head, err)
		}
		at := rapid.IntRange(0, len(l)-1).Draw(t, "which")
		changed := &l[at]
		before := changed.Hash
		*changed.texts()[rapid.IntRange(0, 6).Draw(t, "text")] += rapid.StringN(1, 3, -1).Draw(t, "more")
		if broken, ok := errors.AsType[*Broken](second(verify(l, Head{}))); !ok || broken.Seq != int64(at+1) {
			t.Fatalf("a change of entry %d: %v", at+1, broken)
		}
		if bytes.Equal(changed.hash(), before) {
			t.Fatal("two entries have one hash")
		}
	})
}

func TestHead(t *testing.T) {
	t.Parallel()
	want := chain(2).head()
	if got, err := ParseHead(want.String()); err != nil || got.String() != want.String() {
		t.Errorf("%s came back as %s, %v", want, got, err)
	}
	for _, s := range []string{"", "2", "2:", "2:5a", "x:" + strings.Repeat("5a", 32), "0:" + strings.Repeat("5a", 32), want.String() + " more", "-1:" + strings.Repeat("5a", 32)} {
		if h, err := ParseHead(s); err == nil {
			t.Errorf("%q was read as %s", s, h)
		}
	}
}
