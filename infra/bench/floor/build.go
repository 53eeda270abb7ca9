package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed floor.c
var floorC []byte

// amalgamation is the module that has SQLite's source text in the version that
// the store's driver was made from.
const amalgamation = "github.com/mattn/go-sqlite3@v1.14.52"

// buildC compiles floor.c and returns it as a contender.
func buildC(ctx context.Context, w *work) (*contender, error) {
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		return nil, errors.New("the limit is a program in C, and there is no gcc: install one (Debian: apt-get install gcc libc6-dev)")
	}
	source, err := download(ctx, amalgamation)
	if err != nil {
		return nil, fmt.Errorf("getting SQLite's source text: %w", err)
	}
	binary, err := compile(ctx, compiler, source, w)
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, binary).Output()
	if err != nil {
		return nil, err
	}
	about := strings.Fields(string(out))
	if len(about) == 0 || about[0] != w.version {
		return nil, fmt.Errorf("the store has SQLite %s, %s has %.1q: choose another version of it", w.version, amalgamation, about)
	}
	fmt.Printf("SQLite in Go and in C differ in: %s\n", strings.Join(difference(w.compiled, about[1:]), " "))
	return &contender{name: "C", run: command(binary, w.trace)}, nil
}

// download fetches a module into the cache and returns its directory. Nothing
// depends on it.
func download(ctx context.Context, module string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module).Output()
	var got struct{ Dir, Error string }
	if json.Unmarshal(out, &got) != nil || got.Dir == "" {
		return "", fmt.Errorf("go mod download %s: %w %s", module, err, got.Error)
	}
	return got.Dir, nil
}

// compile compiles floor.c together with SQLite. That takes most of a minute, so
// the result is kept until anything about it changes.
func compile(ctx context.Context, compiler, source string, w *work) (string, error) {
	args := []string{"-O2", "-w", "-DNDEBUG", "-DHAVE_USLEEP", "-I", source}
	for _, option := range w.compiled {
		if name, _, _ := strings.Cut(option, "="); strings.HasPrefix(name, "ENABLE_") ||
			slices.Contains([]string{"THREADSAFE", "DEFAULT_MEMSTATUS", "LIKE_DOESNT_MATCH_BLOBS", "SOUNDEX"}, name) {
			args = append(args, "-DSQLITE_"+option)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(append([]byte(amalgamation+strings.Join(args, " ")), floorC...))
	binary := filepath.Join(cache, "sundew-floor", hex.EncodeToString(key[:8]))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(w.dir, "floor.c")
	if err := os.WriteFile(file, floorC, 0o644); err != nil {
		return "", err
	}
	fresh := binary + ".new" // whoever is interrupted leaves no half of it
	args = append(args, "-o", fresh, file, filepath.Join(source, "sqlite3-binding.c"), "-Wl,--wrap=fsync", "-lm", "-lpthread", "-ldl")
	fmt.Println("compiling SQLite, which takes a minute:", compiler, strings.Join(args, " "))
	if out, err := exec.CommandContext(ctx, compiler, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, os.Rename(fresh, binary)
}

// difference returns what is in one list only, with the sign of the list.
func difference(before, after []string) []string {
	var only []string
	for _, s := range before {
		if !slices.Contains(after, s) {
			only = append(only, "-"+s)
		}
	}
	for _, s := range after {
		if !slices.Contains(before, s) {
			only = append(only, "+"+s)
		}
	}
	return only
}

// command returns a contender's run: the program gets the trace and the database
// and prints what the round took: nanoseconds, those of the processor, pages,
// fsyncs; and SQLite's version.
func command(binary, trace string) func(context.Context, string) (cost, error) {
	return func(ctx context.Context, database string) (cost, error) {
		cmd := exec.CommandContext(ctx, binary, trace, database)
		var problem bytes.Buffer
		cmd.Stderr = &problem
		out, err := cmd.Output()
		if err != nil {
			return cost{}, fmt.Errorf("%w: %s", err, problem.String())
		}
		var took, used int64
		var c cost
		if _, err := fmt.Sscan(string(out), &took, &used, &c.pages, &c.syncs); err != nil {
			return cost{}, fmt.Errorf("it answered %q: %w", out, err)
		}
		c.took, c.used = time.Duration(took), time.Duration(used)
		return c, nil
	}
}

// drivers are the programs of the module below drivers/, with what each stands
// for.
var drivers = []struct{ dir, name string }{
	{"modernc", "modernc, database/sql"},
	{"raw", "modernc, driver.Conn"},
	{"zombiezen", "zombiezen"},
	{"ncruces", "ncruces"},
	{"mattn", "mattn (cgo)"},
}

// buildDrivers returns a contender for each driver that can be had and says why
// where one cannot.
func buildDrivers(ctx context.Context, w *work) []*contender {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sundew").Output()
	if err != nil {
		fmt.Println("no drivers: their source is found from a directory of the repository only")
		return nil
	}
	var all []*contender
	for _, d := range drivers {
		binary := filepath.Join(w.dir, "driver-"+d.dir)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./"+d.dir)
		cmd.Dir = filepath.Join(strings.TrimSpace(string(root)), "infra", "bench", "floor", "drivers")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Printf("%s cannot be had: %v\n%s", d.name, err, out)
			continue
		}
		all = append(all, &contender{name: d.name, run: command(binary, w.trace)})
	}
	return all
}
