// Package sqldtest starts libSQL servers that end with the test.
//
// It exists so that a test says what it needs in one line, and shows what a
// server wrote when it fails.
package sqldtest

import (
	"testing"
	"time"

	"sundew/infra/sqld"
)

// Start starts a server in a directory of its own and kills it when the test ends.
func Start(t testing.TB, cfg sqld.Config) *sqld.Server {
	t.Helper()
	cfg.Dir = t.TempDir()
	s, err := sqld.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("sqld wrote:\n%s", s.Output())
		}
	})
	return s
}

// Proxy puts a network of a round-trip time before an address.
func Proxy(t testing.TB, target string, rtt time.Duration) *sqld.Proxy {
	t.Helper()
	p, err := sqld.NewProxy(target, rtt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
