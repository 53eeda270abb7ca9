package main

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxProgram bounds the program in bytes: it is loaded at every cold start.
const maxProgram = 10_000_000

// TestBuild builds what is deployed, as it is deployed.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the function for another processor")
	}
	dir := t.TempDir()
	out, err := exec.Command("make", "-C", "../..", "build-ingest", "OUT="+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("make build-ingest: %v\n%s", err, out)
	}
	path := filepath.Join(dir, "bootstrap")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxProgram {
		t.Errorf("the program has %d bytes, more than %d", info.Size(), maxProgram)
	}
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range built.Deps {
		if strings.HasPrefix(m.Path, "modernc.org/") {
			t.Errorf("the program links %s", m.Path)
		}
	}
	for _, s := range built.Settings {
		if s.Key == "GOARCH" && s.Value != "arm64" || s.Key == "CGO_ENABLED" && s.Value != "0" {
			t.Errorf("built with %s=%s", s.Key, s.Value)
		}
	}
}
