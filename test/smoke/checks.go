package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// check is one promise of the contract.
type check struct {
	name  string
	check func(context.Context, *service) error
}

// checks are made one after the other.
var checks = []check{
	{"the process lives", lives},
	{"the database answers", databaseAnswers},
	{"sources are listed", sourcesAreListed},
	{"a notice is found by its id", noticeIsFound},
	{"a recalled barcode is recalled", recalledIsRecalled},
	{"a misread barcode is refused", misreadIsRefused},
	{"what is monitored is closed to strangers", monitoringIsClosed},
	{"browsers are told what they may not do", headersAreSet},
}

func lives(ctx context.Context, s *service) error {
	return s.statusIsOK(ctx, "/health")
}

func databaseAnswers(ctx context.Context, s *service) error {
	return s.statusIsOK(ctx, "/api/healthz")
}

// statusIsOK demands 200 and the word "ok": an error page of a proxy has neither.
func (s *service) statusIsOK(ctx context.Context, path string) error {
	var answer struct{ Status string }
	if _, err := s.get(ctx, path, http.StatusOK, &answer); err != nil {
		return err
	}
	if answer.Status != "ok" {
		return fmt.Errorf("%s says %q", path, answer.Status)
	}
	return nil
}

func sourcesAreListed(ctx context.Context, s *service) error {
	var list struct {
		Items []struct{ Agency, State string }
	}
	if _, err := s.get(ctx, "/api/v1/sources", http.StatusOK, &list); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return errors.New("no agency is listed")
	}
	for _, source := range list.Items {
		if source.Agency == "" || source.State == "" {
			return fmt.Errorf("an agency without name or state: %+v", source)
		}
	}
	return nil
}

// notice is what is looked at of recall/1.
type notice struct {
	ID       string
	Products []struct{ GTINs []struct{ GTIN string } }
}

// page is one page of a list of notices.
type page struct {
	Items      []notice
	NextCursor string `json:"next_cursor"`
}

func noticeIsFound(ctx context.Context, s *service) error {
	var list page
	if _, err := s.get(ctx, "/api/v1/recalls?limit=1", http.StatusOK, &list); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		return errors.New("the catalogue has no notice")
	}
	var one notice
	if _, err := s.get(ctx, "/api/v1/recalls/"+url.PathEscape(list.Items[0].ID), http.StatusOK, &one); err != nil {
		return err
	}
	if one.ID != list.Items[0].ID {
		return fmt.Errorf("asked for %s, got %s", list.Items[0].ID, one.ID)
	}
	return nil
}

// pagesRead bounds the search for a notice with a barcode: few have one.
const pagesRead = 10

// recalledIsRecalled takes a barcode out of a notice and asks about it. A product
// that the catalogue itself lists must never be "no match".
func recalledIsRecalled(ctx context.Context, s *service) error {
	id, code, err := s.listedBarcode(ctx)
	if err != nil {
		return err
	}
	var verdict struct {
		Verdict  string
		Matches  []struct{ Recall struct{ ID string } }
		Coverage []struct{ Agency string }
		Serial   int64
	}
	if _, err := s.get(ctx, "/api/v1/barcode/"+url.PathEscape(code), http.StatusOK, &verdict); err != nil {
		return err
	}
	switch {
	case verdict.Verdict != "affected" && verdict.Verdict != "need_code":
		return fmt.Errorf("%s stands in %s, and the verdict is %q", code, id, verdict.Verdict)
	case len(verdict.Matches) == 0:
		return fmt.Errorf("%s is %s by no notice", code, verdict.Verdict)
	case len(verdict.Coverage) == 0 || verdict.Serial == 0:
		return fmt.Errorf("the verdict on %s doesn't say what was looked at: %d agencies, serial %d", code, len(verdict.Coverage), verdict.Serial)
	}
	return nil
}

// listedBarcode returns a notice and a barcode of a product in it.
func (s *service) listedBarcode(ctx context.Context) (id, code string, err error) {
	query := url.Values{"limit": {"100"}}
	for range pagesRead {
		var list page
		if _, err := s.get(ctx, "/api/v1/recalls?"+query.Encode(), http.StatusOK, &list); err != nil {
			return "", "", err
		}
		for _, n := range list.Items {
			for _, p := range n.Products {
				if len(p.GTINs) > 0 {
					return n.ID, p.GTINs[0].GTIN, nil
				}
			}
		}
		if list.NextCursor == "" {
			break
		}
		query.Set("cursor", list.NextCursor)
	}
	return "", "", errors.New("no notice with a barcode was found")
}

// misread has a wrong check digit.
const misread = "041220787341"

func misreadIsRefused(ctx context.Context, s *service) error {
	var problem struct {
		Code        string
		Suggestions []string
	}
	if _, err := s.get(ctx, "/api/v1/barcode/"+misread, http.StatusUnprocessableEntity, &problem); err != nil {
		return err
	}
	if problem.Code != "check_digit" || len(problem.Suggestions) == 0 {
		return fmt.Errorf("%s is refused for %q with the suggestions %q", misread, problem.Code, problem.Suggestions)
	}
	return nil
}

// monitoringIsClosed asks without credentials. On the same machine development
// lets everybody in, so that there only the answer's being there is checked.
func monitoringIsClosed(ctx context.Context, s *service) error {
	allowed := []int{http.StatusUnauthorized}
	if isLoopback(s.base.Hostname()) {
		allowed = append(allowed, http.StatusOK)
	}
	for _, path := range []string{"/metrics", "/api/v1/monitoring/security-audit", "/api/v1/monitoring/system-health-dashboard"} {
		status, err := s.status(ctx, path)
		if err != nil {
			return err
		}
		if !slices.Contains(allowed, status) {
			return fmt.Errorf("%s answers %d to a stranger", path, status)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func headersAreSet(ctx context.Context, s *service) error {
	header, err := s.get(ctx, "/api/v1/sources", http.StatusOK, nil)
	if err != nil {
		return err
	}
	var missing []string
	for _, name := range []string{"X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy"} {
		if header.Get(name) == "" {
			missing = append(missing, name)
		}
	}
	if s.base.Scheme == "https" && net.ParseIP(s.base.Hostname()) == nil && header.Get("Strict-Transport-Security") == "" {
		missing = append(missing, "Strict-Transport-Security")
	}
	if len(missing) > 0 {
		return errors.New("missing: " + strings.Join(missing, ", "))
	}
	return nil
}
