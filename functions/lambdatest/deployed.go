package lambdatest

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// CheckDeployed builds a function as it is deployed, by a target of the Makefile two
// directories up, and fails the test unless the program is one for Lambda's arm64
// without C, and no larger than bound, in bytes: it is loaded at every cold start. It
// returns what was built in.
func CheckDeployed(t testing.TB, target string, bound int64) *buildinfo.BuildInfo {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("make", "-C", "../..", target, "ARTIFACTS_DIR="+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, out)
	}
	path := filepath.Join(dir, "bootstrap")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > bound {
		t.Errorf("the program has %d bytes, more than %d", info.Size(), bound)
	}
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string]string)
	for _, s := range built.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOARCH"] != "arm64" || settings["CGO_ENABLED"] != "0" {
		t.Errorf("built with GOARCH=%s CGO_ENABLED=%s", settings["GOARCH"], settings["CGO_ENABLED"])
	}
	return built
}
