package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"sundew/digester/store"
)

func TestConfig(t *testing.T) {
	primary := &url.URL{Scheme: "https", Host: "errors.example.com", Path: "/sundew/"}
	for name, tt := range map[string]struct {
		env  map[string]string
		want Config
	}{
		"minimal": {map[string]string{"SUNDEW_REPLICA": "libsql://replica.example.com", "SUNDEW_PRIMARY_URL": primary.String()},
			Config{Replica: store.RemoteConfig{URL: "https://replica.example.com"}, URL: "https://errors.example.com/sundew", Primary: primary, LogLevel: zerolog.InfoLevel}},
		"read-only": {map[string]string{"SUNDEW_REPLICA": "http://127.0.0.1:8080", "SUNDEW_URL": "https://errors.example.com/"},
			Config{Replica: store.RemoteConfig{URL: "http://127.0.0.1:8080"}, URL: "https://errors.example.com", LogLevel: zerolog.InfoLevel}},
		"full": {map[string]string{"SUNDEW_REPLICA": " https://replica.example.com?namespace=prod ", "SUNDEW_REPLICA_TOKEN": "t",
			"SUNDEW_URL": "https://eu.example.com/sundew", "SUNDEW_PRIMARY_URL": primary.String(), "AWS_LAMBDA_LOG_LEVEL": "WARN"},
			Config{Replica: store.RemoteConfig{URL: "https://replica.example.com", Token: "t", Namespace: "prod"},
				URL: "https://eu.example.com/sundew", Primary: primary, LogLevel: zerolog.WarnLevel}},
	} {
		got, err := configFromEnv(func(name string) string { return tt.env[name] })
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestConfigWrong checks that everything that is wrong is reported at once, and no
// value quoted.
func TestConfigWrong(t *testing.T) {
	wrong := map[string]string{
		"SUNDEW_REPLICA": "libsql://replica.example.com?authToken=secret", "SUNDEW_URL": "secret.example.com",
		"SUNDEW_PRIMARY_URL": "https://me:secret@errors.example.com", "AWS_LAMBDA_LOG_LEVEL": "secret",
	}
	_, err := configFromEnv(func(name string) string { return wrong[name] })
	if err == nil {
		t.Fatal("no error")
	}
	for name := range wrong {
		if !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s is not reported:\n%v", name, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a value is quoted:\n%v", err)
	}
	if _, err := configFromEnv(func(string) string { return "" }); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("nothing set: %v", err)
	}
}
