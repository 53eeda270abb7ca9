package store

import (
	"strings"
	"testing"
)

func TestParseRemote(t *testing.T) {
	for address, want := range map[string]RemoteConfig{
		"libsql://errors.example.com":                {URL: "https://errors.example.com"},
		"https://errors.example.com/":                {URL: "https://errors.example.com"},
		"http://127.0.0.1:8080?namespace=default":    {URL: "http://127.0.0.1:8080", Namespace: "default"},
		"libsql://db.example.com:443?namespace=prod": {URL: "https://db.example.com:443", Namespace: "prod"},
	} {
		if got, err := ParseRemote(address); err != nil || got != want {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	for _, address := range []string{
		"", "secret", "ftp://secret.example.com", "https://secret@db.example.com", "https://db.example.com/secret", "https://db.example.com#secret",
		"libsql://db.example.com?authToken=secret", "libsql://db.example.com?namespace=", "libsql://db.example.com?namespace=a&namespace=secret",
		"libsql://db.example.com?namespace=secret.example.com", "https://[secret",
	} {
		if got, err := ParseRemote(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
}
