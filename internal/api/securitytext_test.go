package api

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestSecurityTextNeverLapses looks at the file years after the program was built.
func TestSecurityTextNeverLapses(t *testing.T) {
	b := newBench(t)
	for range 3 {
		r := b.get(t, securityTextPath)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Fatalf("%d %v", r.StatusCode, r.Header)
		}
		fields := map[string][]string{}
		for lines := bufio.NewScanner(bytes.NewReader(r.body)); lines.Scan(); {
			name, value, ok := strings.Cut(lines.Text(), ": ")
			if !ok {
				t.Errorf("the line %q is no field", lines.Text())
			}
			fields[name] = append(fields[name], value)
		}
		if len(fields["Contact"]) != 1 || fields["Contact"][0] != "mailto:security@crownsafe.com" || len(fields["Expires"]) != 1 {
			t.Fatalf("%s", r.body)
		}
		expires, err := time.Parse(time.RFC3339, fields["Expires"][0])
		if left := expires.Sub(b.now()); err != nil || left < 30*24*time.Hour || left >= 365*24*time.Hour {
			t.Errorf("it expires in %v (%v)", left, err)
		}
		b.clock = b.clock.Add(1000 * 24 * time.Hour)
	}
	if r := b.do(t, "HEAD", securityTextPath, ""); r.StatusCode != 200 || len(r.body) != 0 {
		t.Errorf("HEAD: %d, %d bytes", r.StatusCode, len(r.body))
	}
	if r := b.do(t, "POST", securityTextPath, ""); r.StatusCode != 405 {
		t.Errorf("POST: %d", r.StatusCode)
	}
}
