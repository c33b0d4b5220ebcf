package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
)

// Traces says where traces and logs go, and what is logged.
type Traces struct {
	// OTLPEndpoint is the base address of an OTLP receiver over HTTP, such as
	// `http://collector:4318`: spans go to `/v1/traces` under it, log lines to `/v1/logs`.
	// Empty: traces are made nowhere, and logs go to the standard error alone.
	OTLPEndpoint string `env:"OTLP_ENDPOINT"`
	// OTLPHeaders are sent along to it, as `name=value,name=value`.
	OTLPHeaders Secret `env:"OTLP_HEADERS"`
	// TraceRatio is the share of traces that are exported, besides all in which
	// something failed.
	TraceRatio float64 `env:"TRACE_RATIO,default=0.05"`
	// LogLevels are the levels of packages that have one of their own, as
	// `ingest=debug,api=warn`.
	LogLevels PackageLevels `env:"LOG_LEVELS"`
	// DebugAddr is the `HOST:PORT` of a listener that answers profiles under
	// `/debug/pprof/`; name a loopback address, such as `127.0.0.1:6060`. Empty: nowhere.
	DebugAddr string `env:"DEBUG_ADDR"`
}

// PackageLevels are levels by package.
type PackageLevels map[string]slog.Level

// EnvDecode reads ingest=debug,api=warn.
func (l *PackageLevels) EnvDecode(text string) error {
	read := PackageLevels{}
	for entry := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		name, word, ok := strings.Cut(entry, "=")
		var level slog.Level
		if err := level.UnmarshalText([]byte(strings.TrimSpace(word))); err != nil || !ok || strings.TrimSpace(name) == "" {
			return fmt.Errorf("%q is no package=level", entry)
		}
		read[strings.TrimSpace(name)] = level
	}
	*l = read
	return nil
}

// Headers returns what OTLPHeaders says.
func (t *Traces) Headers() (map[string]string, error) {
	headers := map[string]string{}
	if t.OTLPHeaders == "" {
		return headers, nil
	}
	for entry := range strings.SplitSeq(string(t.OTLPHeaders), ",") {
		name, value, ok := strings.Cut(entry, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name+value, "\r\n") {
			return nil, fmt.Errorf("CROWNSAFE_OTLP_HEADERS is no list of name=value")
		}
		headers[name] = strings.TrimSpace(value)
	}
	return headers, nil
}

func (t *Traces) check() error {
	if t.TraceRatio < 0 || t.TraceRatio > 1 || t.TraceRatio != t.TraceRatio {
		return fmt.Errorf("CROWNSAFE_TRACE_RATIO is %v; give 0 to 1", t.TraceRatio)
	}
	if u, err := url.Parse(t.OTLPEndpoint); t.OTLPEndpoint != "" &&
		(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		return fmt.Errorf("CROWNSAFE_OTLP_ENDPOINT is no plain http or https address")
	}
	if _, err := t.Headers(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(t.DebugAddr); t.DebugAddr != "" && err != nil {
		return fmt.Errorf("CROWNSAFE_DEBUG_ADDR is no host:port; give 127.0.0.1:6060")
	}
	return nil
}
