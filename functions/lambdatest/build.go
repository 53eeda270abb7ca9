package lambdatest

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build builds the function of a package, such as sundew/functions/ingest, as it is
// deployed, but for this machine, and returns the program's path. It runs inside of
// the repository.
func Build(ctx context.Context, dir, function string) (string, error) {
	program := filepath.Join(dir, "bootstrap")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc,nethttpomithttp2", "-ldflags", "-s -w", "-o", program, function)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("lambdatest: building %s: %w\n%s", function, err, out)
	}
	return program, nil
}
