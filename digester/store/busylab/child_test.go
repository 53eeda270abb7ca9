package busylab_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"sundew/digester/store"
)

// The test binary is also the other process: it starts itself with one of these
// roles and the path of a database.
const (
	roleVariable = "SUNDEW_BUSYLAB_ROLE"
	pathVariable = "SUNDEW_BUSYLAB_PATH"

	roleHold    = "hold"    // holds the write lock until its standard input ends
	roleCrash   = "crash"   // writes until it is killed
	roleFull    = "full"    // commits with synchronous=FULL, and changes nothing
	roleBarrier = "barrier" // commits as often through DB.Barrier

	commits = 3 // of the last two
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role, os.Getenv(pathVariable)); err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
}

// play returns without closing anything: closing moves and syncs the WAL, and
// what is to be seen is the WAL without that.
func play(role, path string) error {
	if role == roleBarrier {
		return playBarrier(path)
	}
	pool, err := sql.Open("sqlite", dsn(path, patience, "wal_autocheckpoint(0)"))
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(1)
	switch role {
	case roleHold:
		return playHold(pool)
	case roleCrash:
		return playCrash(pool)
	case roleFull:
		return playFull(pool)
	}
	return errors.New("no such role")
}

func playHold(pool *sql.DB) error {
	if _, err := pool.Exec("BEGIN IMMEDIATE; UPDATE digest_state SET batch = batch + 1"); err != nil {
		return err
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_, err := pool.Exec("COMMIT")
	return err
}

func playCrash(pool *sql.DB) error {
	if _, err := pool.Exec("CREATE TABLE IF NOT EXISTS ballast (x BLOB NOT NULL)"); err != nil {
		return err
	}
	if _, err := pool.Exec(ballast, crashRows); err != nil {
		return err
	}
	fmt.Println("committed")
	if _, err := pool.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for {
		if _, err := pool.Exec(ballast, 100); err != nil {
			return err
		}
	}
}

func playFull(pool *sql.DB) error {
	if _, err := pool.Exec("PRAGMA synchronous = FULL"); err != nil {
		return err
	}
	for range commits {
		if _, err := pool.Exec("BEGIN IMMEDIATE; UPDATE digest_state SET batch = batch + 1 WHERE id = 0; COMMIT"); err != nil {
			return err
		}
	}
	return nil
}

func playBarrier(path string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return err
	}
	for range commits {
		if err := db.Barrier(ctx); err != nil {
			return err
		}
	}
	return nil
}

// childEnv says which role to play. The race detector would sleep a second when
// the process ends.
func childEnv(role, path string) []string {
	return append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path, "GORACE=atexit_sleep_ms=0")
}

// child is the other process.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
}

// startChild starts the other process in a role and returns when it has said
// its one line.
func startChild(t *testing.T, role, path string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = childEnv(role, path)
	c.cmd.Stderr = os.Stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatalf("the other process said %q: %v", line, err)
	}
	return c
}

// release lets a holder commit and waits for its end.
func (c *child) release() {
	c.t.Helper()
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the other process: %v", err)
	}
}

// kill ends the process with SIGKILL, unless it ended.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait() // "signal: killed"
	}
}
