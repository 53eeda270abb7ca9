//go:build aws

package sqstest

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Moto starts moto, an implementation of SQS and S3 in Python that is not ours,
// and returns its address. root is the way to the top of the tree.
func Moto(t *testing.T, root string) string {
	t.Helper()
	program := filepath.Join(root, "infra", "aws", ".venv", "bin", "moto_server")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("moto is not installed, run infra/aws/setup.sh: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // moto takes it over
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-H", host, "-p", port)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // "signal: killed"
	})
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	late := time.After(30 * time.Second)
	for {
		answer, err := http.Get("http://" + address + "/moto-api/data.json")
		if err == nil {
			answer.Body.Close()
			return "http://" + address
		}
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("moto does not answer: %v", err)
		}
	}
}
