package docs

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/client"
	"github.com/crownsafe/api/test/program"
)

func clientOf(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClientAsksTheProgram goes through what clients do, with the real program.
func TestClientAsksTheProgram(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := program.Serve(t, data, "CROWNSAFE_OPS_TOKEN="+opsToken)
	ctx := t.Context()
	anybody := clientOf(t, client.Options{BaseURL: s.Base})
	lookups(ctx, t, anybody)
	mirrored(ctx, t, anybody)
	account(ctx, t, s.Base, data)
	operator := clientOf(t, client.Options{BaseURL: s.Base, Token: func(context.Context) (string, error) { return opsToken, nil }})
	if d, err := operator.Dashboard(ctx); err != nil || d.Subsystems.RecallData.Notices == 0 {
		t.Errorf("the dashboard: %+v, %v", d, err)
	}
	if p, ok := errors.AsType[*client.Problem](second(anybody.Dashboard(ctx))); !ok || p.Status != http.StatusUnauthorized || p.Code != "unauthorized" {
		t.Errorf("the dashboard for anybody: %v", p)
	}
	for _, err := range operator.Quarantine(ctx, "us-cpsc") {
		t.Errorf("the quarantine: %v", err)
	}

	s.Kill()
	impatient := clientOf(t, client.Options{BaseURL: s.Base, Attempts: 2, Timeout: time.Second})
	if v, err := impatient.Verdict(ctx, client.Unit{GTIN: "850044968008"}); err == nil || v != nil {
		t.Errorf("a server that is gone says %+v, %v", v, err)
	}
}

func second[T any](_ T, err error) error { return err }

func lookups(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	for _, test := range []struct {
		unit client.Unit
		want client.Outcome
	}{
		{client.Unit{Brand: "FUNTOK", Name: "24V two-seater ride-on truck", Model: "DLS-K03"}, client.Affected},
		{client.Unit{Brand: "FUNTOK", Name: "24V two-seater ride-on truck"}, client.NeedCode},
		{client.Unit{GTIN: "3555801358876", Lot: "33020"}, client.NotAffected},
		{client.Unit{Brand: "Example", Name: "stacking rings"}, client.NoMatch},
		{client.Unit{Lot: "A17"}, client.CannotTell},
	} {
		v, err := c.Verdict(ctx, test.unit)
		if err != nil || v.Outcome != test.want {
			t.Errorf("%+v: %+v, %v; want %s", test.unit, v, err, test.want)
			continue
		}
		// No agency was ever polled, so that nothing but a match is sure.
		if v.Conclusive() != (test.want == client.Affected) {
			t.Errorf("%s is conclusive: %v", v.Outcome, v.Conclusive())
		}
	}
	_, err := c.Barcode(ctx, "850044968009", client.Unit{})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "check_digit" || !slices.Contains(p.Suggestions, "850044968008") {
		t.Errorf("a misread barcode: %v", err)
	}
	answers, err := c.Batch(ctx, slices.Repeat([]client.Unit{{GTIN: "850044968008"}, {GTIN: "850044968009"}}, 501)) // in two parts
	if err != nil || len(answers) != 1002 || answers[1000].Verdict.Outcome != client.Affected || answers[1001].Err == nil {
		t.Errorf("a batch: %d answers, %v", len(answers), err)
	}
}

// mirrored reads everything in three ways.
func mirrored(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	collect := func(what string, each func(yield func(id string, err error) bool)) []string {
		var ids []string
		for id, err := range each {
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return ids
	}
	searched := collect("the search", func(yield func(string, error) bool) {
		for r, err := range c.Recalls(ctx, client.Search{Limit: 100}) {
			if !yield(r.ID, err) {
				return
			}
		}
	})
	var manifest client.Manifest
	exported := collect("the export", func(yield func(string, error) bool) {
		for n, err := range c.Export(ctx, &manifest) {
			if !yield(n.ID, err) {
				return
			}
		}
	})
	changed := collect("the changes", func(yield func(string, error) bool) {
		for change, err := range c.Changes(ctx, 0) {
			if !yield(change.ID, err) {
				return
			}
		}
	})
	if len(searched) < 200 || !slices.Equal(searched, exported) || !slices.Equal(searched, changed) || manifest.Notices != len(exported) {
		t.Errorf("%d were searched, %d exported, %d changed; the manifest says %d", len(searched), len(exported), len(changed), manifest.Notices)
	}
}

// account goes through the life of one.
func account(ctx context.Context, t *testing.T, base, data string) {
	t.Helper()
	c := clientOf(t, client.Options{BaseURL: base})
	ada := client.Credentials{Email: "ada@example.org", Password: "velvet-otter-climbs-37"}
	if err := errors.Join(c.Register(ctx, ada), c.Verify(ctx, letter(t, data))); err != nil {
		t.Fatal(err)
	}
	in, err := c.Login(ctx, ada)
	if err != nil {
		t.Fatal(err)
	}
	mine := clientOf(t, client.Options{BaseURL: base, Token: func(context.Context) (string, error) { return in.AccessToken, nil }})
	key, err := mine.CreateKey(ctx, client.KeyRequest{Name: "till", Scopes: []string{"lookup", "account"}})
	if err != nil || key.Secret == "" || !strings.HasPrefix(key.Secret, key.Prefix) {
		t.Fatalf("a key: %v", err)
	}
	keyed := clientOf(t, client.Options{BaseURL: base, Key: key.Secret})
	if me, err := keyed.Me(ctx); err != nil || me.Email != ada.Email {
		t.Errorf("with the key: %+v, %v", me, err)
	}
	if list, err := mine.Keys(ctx); err != nil || len(list) != 1 || list[0].ID != key.ID {
		t.Errorf("the keys: %+v, %v", list, err)
	}
	if err := mine.RevokeKey(ctx, key.ID); err != nil {
		t.Error(err)
	}
	if p, ok := errors.AsType[*client.Problem](second(keyed.Me(ctx))); !ok || p.Status != http.StatusUnauthorized {
		t.Errorf("with a key that was revoked: %v", p)
	}
	if err := mine.DeleteAccount(ctx, ada.Password); err != nil {
		t.Error(err)
	}
	if _, err := c.Refresh(ctx, in.RefreshToken); err == nil {
		t.Error("the session outlived the account")
	}
}
