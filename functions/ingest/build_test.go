package main

import (
	"strings"
	"testing"

	"sundew/functions/lambdatest"
)

// maxProgram is in bytes.
const maxProgram = 10_100_000

// TestBuild builds what is deployed, as it is deployed.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the function for another processor")
	}
	for _, m := range lambdatest.CheckDeployed(t, "build-Ingest", maxProgram).Deps {
		if strings.HasPrefix(m.Path, "modernc.org/") {
			t.Errorf("the program links %s", m.Path)
		}
	}
}
