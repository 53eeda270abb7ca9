package main

import (
	"testing"

	"sundew/functions/lambdatest"
)

// maxProgram is in bytes. SQLite, through which the store reads files, is a quarter of
// it.
const maxProgram = 25_000_000

// TestBuild builds what is deployed, as it is deployed.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the function for another processor")
	}
	lambdatest.CheckDeployed(t, "build-Dashboard", maxProgram)
}
