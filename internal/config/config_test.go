package config_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/config"
)

func load(settings map[string]string) (config.Config, error) {
	return config.Load(context.Background(), func(key string) (string, bool) {
		value, ok := settings[key]
		return value, ok
	})
}

func TestDefaults(t *testing.T) {
	c, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Environment != "development" || c.Port != 8001 || c.Offline || c.LogLevel != slog.LevelInfo || c.Drain != 500*time.Millisecond || c.ListenAddr() != ":8001" {
		t.Errorf("defaults %+v", c)
	}
}

func TestSettings(t *testing.T) {
	c, err := load(map[string]string{"PORT": "9000", "CROWNSAFE_OFFLINE": "1", "CROWNSAFE_LOG_LEVEL": "debug", "ENVIRONMENT": "staging", "REDIS_URL": ""})
	if err != nil {
		t.Fatal(err)
	}
	if c.ListenAddr() != ":9000" || !c.Offline || c.LogLevel != slog.LevelDebug || c.Environment != "staging" {
		t.Errorf("settings %+v", c)
	}
	if c.Addr = "127.0.0.1:1"; c.ListenAddr() != "127.0.0.1:1" {
		t.Errorf("--addr does not beat PORT: %s", c.ListenAddr())
	}
}

func TestUnusableValuesNameTheVariable(t *testing.T) {
	for variable, value := range map[string]string{
		"PORT": "70000", "ENVIRONMENT": "prod", "CROWNSAFE_LOG_FORMAT": "xml", "CROWNSAFE_LOG_LEVEL": "loud", "CROWNSAFE_OFFLINE": "perhaps",
		"CROWNSAFE_DRAIN": "-1s", "CROWNSAFE_GRACE": "0s", "CROWNSAFE_FEED_US_CPSC": "ftp://x",
		"CROWNSAFE_OPS_TOKEN": " \t", "CROWNSAFE_KEY_KR_KATS": "hunter2\n",
		"DATABASE_URL": "postgres://u:hunter2@db/x ", "REDIS_URL": "\nredis://:hunter2@r", "AZURE_STORAGE_CONNECTION_STRING": " AccountKey=hunter2",
		"CROWNSAFE_DATABASE_POOL_SIZE": "51", "CROWNSAFE_DATABASE_CONN_IDLE": "hunter2", "CROWNSAFE_UPLOAD_WORKERS": "0", "CROWNSAFE_CACHE_BYTES": "hunter2",
		"CROWNSAFE_REDIS_TIMEOUT": "-1s", "CROWNSAFE_AZURE_ACCOUNT_URL": "https://x.example/?sig=hunter2", "CROWNSAFE_PUBLIC_URL": "example.org",
		"CROWNSAFE_OTLP_ENDPOINT": "https://u:hunter2@otlp.example", "CROWNSAFE_OTLP_HEADERS": "hunter2", "CROWNSAFE_TRACE_RATIO": "1.5",
		"CROWNSAFE_LOG_LEVELS": "ingest=hunter2", "CROWNSAFE_DEBUG_ADDR": "hunter2",
		"CROWNSAFE_MIGRATE": "perhaps", "CROWNSAFE_SNAPSHOT_EVERY": "0s",
	} {
		_, err := load(map[string]string{variable: value})
		switch {
		case err == nil:
			t.Errorf("%s=%s was taken", variable, value)
		case !strings.Contains(err.Error(), variable):
			t.Errorf("%s=%s: the error does not name the variable: %v", variable, value, err)
		case strings.Contains(err.Error(), "hunter2"), strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: the error prints a secret or is more than one line: %v", variable, err)
		}
	}
}

func TestSecretsThatNoRequestCouldCarryStopTheStart(t *testing.T) {
	for _, token := range []string{" ", "\n", " hunter2", "hunter2 "} {
		if _, err := load(map[string]string{"CROWNSAFE_OPS_TOKEN": token}); err == nil {
			t.Errorf("the token %q was taken", token)
		}
	}
	if _, err := load(map[string]string{"CROWNSAFE_OPS_TOKEN": "two words"}); err != nil {
		t.Errorf("a token with a blank in it: %v", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c, err := load(map[string]string{"CROWNSAFE_OPS_TOKEN": "hunter2", "DATABASE_URL": "postgres://u:hunter2@db/x", "REDIS_URL": "redis://:hunter2@r", "SECRET_KEY": "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	if string(c.OpsToken) != "hunter2" {
		t.Fatalf("the token is not what was set")
	}
	var printed strings.Builder
	fmt.Fprintf(&printed, "%v %+v %#v %s %q", c, c, c, c.OpsToken, c.OpsToken)
	slog.New(slog.NewTextHandler(&printed, nil)).Info("settings", "config", c, "token", c.OpsToken)
	document, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(document)
	if strings.Contains(printed.String(), "hunter2") || !strings.Contains(printed.String(), "[set]") {
		t.Errorf("printed %s", printed.String())
	}
}
