package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/store"
)

// CreateOrFull is Create that makes a full backup where an incremental one isn't
// possible.
func (k *Keeper) CreateOrFull(ctx context.Context, kind Kind, reason string, progress func(Progress)) (Manifest, error) {
	m, err := k.Create(ctx, kind, reason, progress)
	if kind == Incremental && (errors.Is(err, store.ErrUntracked) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrNone)) {
		k.Logger.Warn("an incremental backup is not possible; making a full one", "error", err)
		return k.Create(ctx, Full, reason+", as what had changed was not known", progress)
	}
	return m, err
}

// Create makes a backup. An incremental one follows the newest that there is, and is
// store.ErrUntracked where what has changed since isn't known. ErrBusy while another
// process makes one. What isn't finished is never listed.
func (k *Keeper) Create(ctx context.Context, kind Kind, reason string, progress func(Progress)) (m Manifest, err error) {
	source, done, err := k.Source(ctx)
	if err != nil {
		return Manifest{}, err
	}
	defer func() { err = errors.Join(err, done()) }()
	err = k.alone(ctx, source, func(ctx context.Context) error {
		m, err = k.create(ctx, source, kind, reason, progress)
		return err
	})
	return m, err
}

func (k *Keeper) create(ctx context.Context, source Source, kind Kind, reason string, progress func(Progress)) (Manifest, error) {
	m := Manifest{Layout: manifestLayout, Kind: kind, Reason: reason, Program: k.Program, Encrypted: len(k.Recipients) > 0}
	all, err := k.List(ctx)
	if err != nil {
		return m, err
	}
	var before *Entry
	if kind == Incremental {
		if before = newestOf(all); before == nil {
			return m, fmt.Errorf("an incremental backup follows a full one: %w", ErrNone)
		}
		if _, err := chainOf(all, before.Name); err != nil {
			return m, err
		}
		m.Predecessor = &Predecessor{before.Name, before.hash}
	}
	if err := k.name(ctx, &m, all); err != nil {
		return m, err
	}
	err = source.BackUp(ctx, m.Name, func(v store.BackupView) error { return k.write(ctx, &m, v, before, progress) })
	if err == nil {
		err = k.finish(ctx, &m)
	}
	if err != nil {
		k.discard(context.WithoutCancel(ctx), &m, err)
		return m, fmt.Errorf("making backup %s: %w", m.Name, err)
	}
	if m.Position != (store.Position{}) {
		if err := source.ForgetChanges(ctx, m.Position); err != nil { // the next one will
			k.Logger.Warn("the record of what was backed up could not be let go", "backup", m.Name, "error", err)
		}
	}
	return m, nil
}

// discard removes what there is of a backup that failed: the manifest too, which may be
// there although nobody said so. What existed before is another's. What stays is cleared
// away later.
func (k *Keeper) discard(ctx context.Context, m *Manifest, because error) {
	if errors.Is(because, blob.ErrExists) {
		return
	}
	if err := k.Objects.Delete(ctx, m.Name+manifestEnd); err == nil {
		_ = k.Objects.Delete(ctx, m.Object)
	}
}

// name gives a backup a name that no other has or had, behind those of all others, also
// of those that were made while the clock was ahead: their order is that of the names.
func (k *Keeper) name(ctx context.Context, m *Manifest, all []Entry) error {
	m.StartedAt = k.Now().UTC().Truncate(time.Second)
	at := m.StartedAt
	if len(all) > 0 {
		if last, ok := timeOf(all[len(all)-1].Name); ok && !at.After(last) {
			at = last.Add(time.Second)
		}
	}
	for ; ; at = at.Add(time.Second) {
		m.Name = nameOf(m.Kind, at)
		m.Object = m.Name + textEnd
		if m.Encrypted {
			m.Object += encryptedEnd
		}
		taken, err := k.Objects.List(ctx, m.Name, "", 1)
		if err != nil {
			return fmt.Errorf("looking whether %s is there: %w", m.Name, err)
		}
		if len(taken) == 0 {
			return nil
		}
	}
}

// write stores the text while it is written, and describes what it is of.
func (k *Keeper) write(ctx context.Context, m *Manifest, v store.BackupView, before *Entry, progress func(Progress)) error {
	m.Engine, m.Server, m.Schema, m.Position = v.Engine(), v.Server(), v.Schema(), v.Position()
	if err := v.Untracked(); err != nil {
		m.Untracked = err.Error()
	}
	if before != nil && (before.Engine != m.Engine || before.Schema != m.Schema) {
		return fmt.Errorf("the store is %s with schema %d, and %s is of %s with schema %d: %w",
			m.Engine, m.Schema, before.Name, before.Engine, before.Schema, store.ErrUntracked)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, in := io.Pipe()
	written := make(chan error, 1)
	var changed map[string]int64
	go func() {
		sum, err := encode(in, k.Recipients, func(w io.Writer) (err error) {
			w = &meter{Writer: w, step: "writing", tell: progress}
			if before == nil {
				return v.WriteFull(ctx, w)
			}
			changed, err = v.WriteIncrement(ctx, w, before.Position, before.Name)
			return err
		})
		m.Size, m.SHA256, m.TextSize = sum.size, sum.sha256, sum.text
		_ = in.CloseWithError(err) // it never fails
		written <- err
	}()
	kind := contentType
	if m.Encrypted {
		kind = encryptedType
	}
	_, err := k.Objects.Put(ctx, m.Object, out, blob.PutOptions{IfAbsent: true, ContentType: kind})
	_ = out.CloseWithError(errPutEnded)
	if err != nil {
		cancel()
	}
	if failed := <-written; failed != nil && !errors.Is(failed, errPutEnded) && (err == nil || !errors.Is(failed, context.Canceled)) {
		return failed
	}
	if err != nil {
		return err
	}
	return m.describe(ctx, v, before, changed)
}

// errPutEnded says that nobody takes the text any more.
var errPutEnded = errors.New("the store of objects takes no more of it")

// finish writes the manifest, with which the backup is there.
func (k *Keeper) finish(ctx context.Context, m *Manifest) error {
	m.FinishedAt = k.Now().UTC()
	m.Seconds = m.FinishedAt.Sub(m.StartedAt).Seconds()
	return k.put(ctx, m.Name+manifestEnd, m, true)
}

func (k *Keeper) put(ctx context.Context, key string, document any, ifAbsent bool) error {
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	if _, err := k.Objects.Put(ctx, key, bytes.NewReader(append(text, '\n')), blob.PutOptions{IfAbsent: ifAbsent, ContentType: manifestType}); err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	return nil
}

// meter tells of what passes.
type meter struct {
	io.Writer
	io.Reader
	step     string
	done, of int64
	tell     func(Progress)
}

// Write implements io.Writer.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Writer.Write(p)
	m.passed(n)
	return n, err
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.passed(n)
	return n, err
}

func (m *meter) passed(n int) {
	m.done += int64(n)
	if m.tell != nil {
		m.tell(Progress{m.step, m.done, m.of})
	}
}
