// Command demo fills a new installation with two weeks of made-up life, and runs it.
//
// It exists so that somebody who looks at Sundew for the first time sees issues, trends
// and what people did, and not empty lists. The events are recorded ones of real SDKs
// (schema/corpus), with other ids, times, releases and users; they go through the
// intake's handler, the preparation and the transaction that every event goes through,
// by a clock that is set. What people did is done by the transactions that the dashboard
// uses. Needs nothing but the program that it runs.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	program := flag.String("program", "bin/digester", "the program to run")
	dir := flag.String("dir", "", "a new directory to keep; none: one that is removed at the end")
	listen := flag.String("listen", cmp.Or(os.Getenv("SUNDEW_LISTEN"), "127.0.0.1:8000"), "its address")
	flag.Parse()
	if err := run(ctx, *program, *dir, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run makes an installation and runs the program on it until ctx is done.
func run(ctx context.Context, program, dir, listen string) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "sundew-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, "sundew.db")
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("there is a database in %s already; a demo is made in a new directory", dir)
	}
	password := strings.ToLower(rand.Text()[:16])
	began := time.Now()
	w, err := openWorld(ctx, path, password, began)
	if err != nil {
		return err
	}
	if err := errors.Join(w.live(ctx), w.close(ctx)); err != nil {
		return err
	}
	fmt.Printf("%d events of %d days in %d projects, made in %.1f s.\n", w.events, days, len(w.projects), time.Since(began).Seconds())
	fmt.Printf("Sign in as %s with the password %s\n", ownerEmail, password)

	cmd := exec.CommandContext(ctx, program, "serve")
	cmd.Env = append(os.Environ(), "SUNDEW_DATA="+dir, "SUNDEW_LISTEN="+listen, "SUNDEW_LOG_LEVEL=warn")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
