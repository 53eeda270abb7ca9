//go:build aws

// Package aws proves the AWS side: the built function behind a Function URL, queues
// and buckets in regions, and the built digester that drains them.
//
// It is a package of tests only. Lambda is functions/lambdatest, SQS and S3
// are infra/aws/cloud; the programs are the real ones, and what is believed is what
// their clients were told, what the dashboard shows, and what is in the database's
// file in the end. How the parts fail one by one is tested where they are; here is
// what only all of them together can show. The tag aws keeps it out of `go test
// ./...`:
//
//	infra/e2e/setup.sh && go test -tags aws -count=1 ./infra/aws
package aws

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sundew/functions/lambdatest"
	"sundew/infra/aws/cloud"
	"sundew/infra/process"
)

// The programs; TestMain sets them before any test runs.
var digester, bootstrap string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sundew-aws-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if bootstrap, err = lambdatest.Build(context.Background(), dir, "sundew/functions/ingest"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	digester = filepath.Join(dir, "digester")
	build := exec.Command("go", "build", "-o", digester, "sundew/digester")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the digester: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// startCloud starts regions for one test.
func startCloud(t *testing.T, regions ...string) *cloud.Cloud {
	t.Helper()
	c, err := cloud.New(regions...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// front is the ingest function of a region behind its URL.
type front struct {
	*lambdatest.Function
	url    string
	client *http.Client
}

// startFront deploys the function in a region. Its environments are frozen between
// requests, as Lambda's are.
func startFront(t *testing.T, r *cloud.Region, environments int) *front {
	t.Helper()
	log := &process.Tail{}
	f, err := lambdatest.New(lambdatest.Config{
		Bootstrap: bootstrap, Env: r.FunctionEnv(), Region: r.Name, Concurrency: environments, Freeze: true, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(f)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		f.Close()
		if t.Failed() {
			t.Logf("the function in %s wrote:\n%s", r.Name, log)
		}
	})
	return &front{Function: f, url: server.URL, client: &http.Client{Transport: transport, Timeout: answersWithin}}
}
