package main

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// maxProgram bounds the program in bytes: it is loaded at every cold start. SQLite,
// through which the store reads files, is a third of it.
const maxProgram = 21_500_000

// TestBuild builds what is deployed, as it is deployed.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the function for another processor")
	}
	dir := t.TempDir()
	out, err := exec.Command("make", "-C", "../..", "build-Dashboard", "ARTIFACTS_DIR="+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("make build-Dashboard: %v\n%s", err, out)
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
	for _, s := range built.Settings {
		if s.Key == "GOARCH" && s.Value != "arm64" || s.Key == "CGO_ENABLED" && s.Value != "0" {
			t.Errorf("built with %s=%s", s.Key, s.Value)
		}
	}
}
