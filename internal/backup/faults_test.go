package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/crownsafe/api/internal/blob"
)

// daily is a schedule with an incremental backup every five minutes.
func daily() Schedule {
	return Schedule{At: 2 * time.Hour, Every: 5 * time.Minute, VerifyEvery: time.Hour, Retention: Retention{For: 30 * 24 * time.Hour, Increments: 7 * 24 * time.Hour, AtLeastFull: 1}}
}

// TestAClockThatWasAhead keeps nobody from making backups when it is right again, nor
// hides those that are made then.
func TestAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	for name, ago := range map[string]time.Duration{"the time of storing is wrong too": -400 * 24 * time.Hour, "the time of storing is right": 2 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.join()
			b.now = time.Now().UTC().Add(400 * 24 * time.Hour)
			ahead := b.create(Full)
			stored := time.Now().Add(-ago)
			if err := os.Chtimes(filepath.Join(b.folder, ahead.Name+manifestEnd), stored, stored); err != nil {
				t.Fatal(err)
			}
			for range 3 { // the clock is right
				b.now = time.Now().UTC()
				b.join()
				if err := b.makeDue(t.Context(), daily()); err != nil {
					t.Fatal(err)
				}
			}
			names := b.names()
			if len(names) != 2 || names[0] != ahead.Name || !strings.HasPrefix(names[1], prefix+string(Full)) {
				t.Fatalf("there are %q", names)
			}
			next := b.create(Incremental)
			if next.Predecessor.Name != names[1] || next.Changed != 2 {
				t.Errorf("what is made next follows %s, with %d rows", next.Predecessor.Name, next.Changed)
			}
			if age := b.now.Sub(next.StartedAt); age < 0 || age > time.Hour {
				t.Errorf("it was begun %s ago", age)
			}
			if chain, err := b.Chain(t.Context(), ""); err != nil || chain[len(chain)-1].Name != next.Name {
				t.Errorf("the newest is %+v, %v", chain, err)
			}
		})
	}
}

// TestNobodyFollowsWhatIsKnownToBeBad for longer than it takes to see whether a new full
// backup is better.
func TestNobodyFollowsWhatIsKnownToBeBad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	noon := b.now
	tick := func(after time.Duration, want Kind) {
		t.Helper()
		b.now = noon.Add(after)
		b.join()
		if err := errors.Join(b.makeDue(t.Context(), daily()), b.verifyDue(t.Context(), daily())); err != nil {
			t.Fatal(err)
		}
		if names := b.names(); !strings.HasPrefix(names[len(names)-1], prefix+string(want)) {
			t.Errorf("after %s the newest is %s, want a %s one", after, names[len(names)-1], want)
		}
	}
	tick(0, Full)
	tick(30*time.Minute, Incremental)
	b.unfit = errors.New("unfit")
	tick(61*time.Minute, Incremental) // which can't be restored
	tick(66*time.Minute, Full)        // and this one can't be either
	tick(71*time.Minute, Incremental)
	b.unfit = nil
	tick(127*time.Minute, Full)
	tick(132*time.Minute, Incremental)
	tick(200*time.Minute, Incremental)
}

// TestWhatCannotBeReadIsPrunedAllTheSame: who encrypts without the private key can't
// verify, and still doesn't keep backups for ever.
func TestWhatCannotBeReadIsPrunedAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	b.Recipients = []age.Recipient{key.Recipient()}
	for range 3 {
		if err := errors.Join(b.makeDue(t.Context(), daily()), b.verifyDue(t.Context(), daily())); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(40 * 24 * time.Hour)
	}
	if names := b.names(); len(names) != 1 {
		t.Errorf("there are %q", names)
	}
}

// TestWhatWasReplacedIsNotTheLastToStay: it isn't what is restored without a name.
func TestWhatWasReplacedIsNotTheLastToStay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	full := b.create(Full)
	b.now = b.now.Add(40 * 24 * time.Hour)
	if _, err := b.Create(t.Context(), Full, beforeRestoring, nil); err != nil {
		t.Fatal(err)
	}
	b.verify(b.names()[1])
	if _, err := b.Prune(t.Context(), daily().Retention); err != nil {
		t.Fatal(err)
	}
	if chain, err := b.Chain(t.Context(), ""); err != nil || chain[0].Name != full.Name {
		t.Errorf("what is left to restore is %+v, %v", chain, err)
	}
}

// TestTheStatusKnowsOfWhatABackupFollows: one that was verified can't be restored any
// more when the full one under it is gone.
func TestTheStatusKnowsOfWhatABackupFollows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.create(Full)
	b.verify("")
	full := b.create(Full)
	b.join()
	b.create(Incremental)
	b.verify("")
	if err := b.Look(t.Context()); err != nil || b.Status().Unrestorable != nil {
		t.Fatalf("before: %+v, %v", b.Status(), err)
	}
	if err := os.Remove(filepath.Join(b.folder, full.Object)); err != nil {
		t.Fatal(err)
	}
	if err := b.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); s.Unrestorable == nil || s.Unrestorable.Name != full.Name || s.Verified == nil || s.Verified.Name != first.Name {
		t.Errorf("afterwards: %+v", s)
	}
}

// overtaken is a store of objects in which another process stores under the same key
// first, or which doesn't say that it has stored something.
type overtaken struct {
	blob.Store
	end    string
	silent bool
}

func (o *overtaken) Put(ctx context.Context, key string, content io.Reader, opts blob.PutOptions) (blob.Info, error) {
	if !strings.HasSuffix(key, o.end) {
		return o.Store.Put(ctx, key, content, opts)
	}
	if o.silent {
		_, err := o.Store.Put(ctx, key, content, opts)
		return blob.Info{}, errors.Join(blob.ErrUnavailable, err)
	}
	if _, err := o.Store.Put(ctx, key, bytes.NewReader([]byte("another's")), opts); err != nil {
		return blob.Info{}, err
	}
	return o.Store.Put(ctx, key, content, opts)
}

// TestAFailedBackupLeavesWhatIsNotItsOwn, and nothing that is.
func TestAFailedBackupLeavesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	objects := b.Objects
	b.Objects = &overtaken{Store: objects, end: textEnd}
	m, err := b.Create(t.Context(), Full, "test", nil)
	if !errors.Is(err, blob.ErrExists) {
		t.Fatalf("a name that another took: %v", err)
	}
	if _, err := objects.Head(t.Context(), m.Object); err != nil {
		t.Errorf("the other's object: %v", err)
	}
	for _, end := range []string{textEnd, manifestEnd} {
		b.now = b.now.Add(time.Minute)
		b.Objects = &overtaken{Store: objects, end: end, silent: true}
		m, err := b.Create(t.Context(), Full, "test", nil)
		if !errors.Is(err, blob.ErrUnavailable) {
			t.Fatalf("an answer that was lost: %v", err)
		}
		left, err := objects.List(t.Context(), m.Name, "", 0)
		if err != nil || len(left) > 0 {
			t.Errorf("of %s there are %+v, %v", m.Name, left, err)
		}
	}
	b.Objects = objects
	if names := b.names(); !slices.Equal(names, []string{}) {
		t.Errorf("there are %q", names)
	}
}
