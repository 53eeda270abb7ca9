// Package infra_test holds the house in order: which package may import which,
// where SQL and HTML may be, how long a function may get. It reads the source,
// so that a rule broken is a test failed.
package infra_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
	Standard   bool
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports,Deps,Standard"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// mayImport lists for each package which of ours it may import; design: nothing
// imports something above it. A trailing /... stands for all below.
var mayImport = map[string][]string{
	"sundew/schema":                    {},
	"sundew/schema/event":              {},
	"sundew/schema/event/eventtest":    {"sundew/schema/..."},
	"sundew/schema/wire":               {"sundew/schema/event"},
	"sundew/schema/corpus":             {},
	"sundew/schema/detach":             {},
	"sundew/schema/keyring":            {"sundew/schema/event", "sundew/schema/quota", "sundew/schema/scrub"},
	"sundew/schema/quota":              {"sundew/schema/event"},
	"sundew/schema/scrub":              {},
	"sundew/functions/lambdahttp":      {},
	"sundew/functions/ingest":          {"sundew/functions/ingest/...", "sundew/functions/lambdahttp", "sundew/schema/..."},
	"sundew/functions/dashboard":       {"sundew/digester/dashboard", "sundew/digester/release", "sundew/digester/store", "sundew/functions/lambdahttp"},
	"sundew/functions/ingest/edge":     {"sundew/functions/ingest/envelope", "sundew/schema/..."},
	"sundew/functions/ingest/envelope": {"sundew/schema/event"},
	"sundew/digester": {"sundew/digester/...", "sundew/schema/...",
		"sundew/functions/ingest/edge"}, // the one exception: everything in one process
	"sundew/digester/access":                  {"sundew/schema/event"},
	"sundew/digester/api":                     {"sundew/digester/access", "sundew/digester/deadletter", "sundew/digester/erasure", "sundew/digester/ledger", "sundew/digester/vitals", "sundew/digester/queue", "sundew/digester/alert", "sundew/digester/notify", "sundew/digester/deed", "sundew/digester/search", "sundew/digester/store", "sundew/digester/triage", "sundew/digester/store/sandbox", "sundew/digester/artifact", "sundew/digester/symbolicate", "sundew/digester/grouping", "sundew/digester/retention", "sundew/schema/...", "sundew/digester/table"},
	"sundew/digester/deed":                    {"sundew/digester/access", "sundew/digester/erasure", "sundew/digester/alert", "sundew/digester/notify", "sundew/digester/store", "sundew/digester/triage", "sundew/digester/words", "sundew/digester/grouping", "sundew/digester/retention", "sundew/digester/symbolicate", "sundew/schema/..."},
	"sundew/digester/words":                   {},
	"sundew/digester/mcp":                     {"sundew/digester/access", "sundew/digester/api", "sundew/digester/deed", "sundew/digester/store", "sundew/digester/triage", "sundew/digester/words", "sundew/schema/event"},
	"sundew/digester/courier":                 {"sundew/digester/loop", "sundew/digester/mail", "sundew/digester/notify", "sundew/digester/outbound", "sundew/digester/store"},
	"sundew/digester/alert":                   {"sundew/digester/notify", "sundew/schema/event"},
	"sundew/digester/alert/teller":            {"sundew/digester/alert", "sundew/digester/notify", "sundew/digester/store", "sundew/schema/..."},
	"sundew/digester/digest":                  {"sundew/digester/symbolicate", "sundew/digester/loop", "sundew/digester/grouping", "sundew/digester/queue", "sundew/digester/store", "sundew/schema/..."},
	"sundew/digester/grouping":                {"sundew/schema/event"},
	"sundew/digester/highlight":               {},
	"sundew/digester/ledger":                  {"sundew/digester/store", "sundew/schema/..."},
	"sundew/digester/loop":                    {},
	"sundew/digester/mail":                    {"sundew/digester/store"},
	"sundew/digester/mail/mailtest":           {},
	"sundew/digester/markdown":                {},
	"sundew/digester/notify":                  {"sundew/schema/event"},
	"sundew/digester/onetime":                 {},
	"sundew/digester/outbound":                {},
	"sundew/digester/passkey":                 {},
	"sundew/digester/password":                {},
	"sundew/digester/provider":                {},
	"sundew/digester/queue":                   {},
	"sundew/digester/release":                 {},
	"sundew/digester/search":                  {"sundew/schema/event"},
	"sundew/digester/search/indexer":          {"sundew/digester/symbolicate", "sundew/digester/loop", "sundew/digester/search", "sundew/digester/store", "sundew/schema/..."},
	"sundew/digester/courier/couriertest":     {"sundew/digester/courier", "sundew/digester/outbound"},
	"sundew/digester/deadletter":              {"sundew/digester/queue", "sundew/schema/wire"},
	"sundew/digester/queue/local":             {"sundew/digester/queue", "sundew/schema/..."},
	"sundew/digester/table":                   {"sundew/digester/search", "sundew/schema/event"},
	"sundew/digester/triage":                  {},
	"sundew/digester/store":                   {"sundew/digester/artifact", "sundew/digester/search", "sundew/digester/notify", "sundew/digester/access", "sundew/digester/erasure", "sundew/digester/retention", "sundew/digester/triage", "sundew/digester/store/hrana", "sundew/digester/store/walfs", "sundew/schema", "sundew/schema/...", "sundew/digester/alert", "sundew/digester/store/sandbox"},
	"sundew/digester/store/storetest":         {"sundew/digester/store", "sundew/digester/store/walfs", "sundew/infra/sqld/...", "sundew/infra/sqld", "sundew/schema/...", "sundew/digester/artifact"},
	"sundew/digester/artifact/artifacttest":   {},
	"sundew/digester/dashboard":               {"sundew/digester/artifact", "sundew/digester/deadletter", "sundew/digester/search", "sundew/digester/access", "sundew/digester/grouping", "sundew/digester/highlight", "sundew/digester/ledger", "sundew/digester/markdown", "sundew/digester/notify", "sundew/digester/onetime", "sundew/digester/passkey", "sundew/digester/password", "sundew/digester/provider", "sundew/digester/queue", "sundew/digester/erasure", "sundew/digester/retention", "sundew/digester/store", "sundew/digester/triage", "sundew/schema/...", "sundew/digester/alert", "sundew/digester/vitals", "sundew/digester/deed", "sundew/digester/words", "sundew/digester/store/sandbox", "sundew/digester/api", "sundew/digester/symbolicate", "sundew/digester/symbolicate/scripts"},
	"sundew/digester/store/busylab":           {}, // tests only
	"sundew/infra":                            {},
	"sundew/infra/bench/big":                  {"sundew/digester/...", "sundew/infra/visitor", "sundew/schema/..."},
	"sundew/infra/bench":                      {"sundew/infra/visitor", "sundew/schema/..."},
	"sundew/infra/cost":                       {},
	"sundew/digester/sentryapi":               {"sundew/digester/loop"},
	"sundew/digester/sentryapi/sentryapitest": {},
	"sundew/digester/sourcemap":               {"sundew/digester/sourcemap/jsfunc"},
	"sundew/digester/sourcemap/jsfunc":        {},
	"sundew/digester/symbolicate":             {"sundew/digester/sourcemap", "sundew/schema/event"},
	"sundew/digester/vitals":                  {},
	"sundew/infra/demo":                       {"sundew/digester/access", "sundew/digester/artifact", "sundew/digester/artifact/shelf", "sundew/digester/dashboard", "sundew/digester/digest", "sundew/digester/password", "sundew/digester/store", "sundew/digester/symbolicate/scripts", "sundew/digester/triage", "sundew/functions/ingest/edge", "sundew/schema/..."},
	"sundew/infra/dictionary":                 {"sundew/schema/..."},
	"sundew/digester/queue/sqs":               {"sundew/digester/queue", "sundew/schema/..."},
	"sundew/digester/queue/sqs/sqstest":       {},
	"sundew/digester/store/hrana":             {},
	"sundew/digester/replicate":               {"sundew/digester/loop", "sundew/digester/store"}, // for its gate and its positions; not what is in the tables
	"sundew/infra/bench/replicas":             {"sundew/digester/dashboard", "sundew/digester/replicate", "sundew/digester/store", "sundew/infra/sqld", "sundew/schema/..."},
	"sundew/digester/store/walfs":             {},
	"sundew/digester/store/sandbox":           {},
	"sundew/infra/bench/floor": {"sundew/digester/digest", "sundew/digester/queue", "sundew/digester/store",
		"sundew/functions/ingest/edge", "sundew/infra/bench/floor/trace", "sundew/schema/..."},
	"sundew/infra/bench/floor/trace": {},
	"sundew/infra/bench/flood":       {"sundew/infra/visitor"},
	"sundew/infra/bench/libsql": {"sundew/digester/digest", "sundew/digester/queue", "sundew/digester/store", "sundew/digester/store/hrana",
		"sundew/infra/bench/floor/trace", "sundew/infra/sqld", "sundew/schema", "sundew/schema/..."},
	"sundew/infra/visitor":             {},
	"sundew/infra/process":             {},
	"sundew/infra/process/processtest": {"sundew/infra/process"},
	"sundew/infra/sqld":                {"sundew/infra/process"},
	"sundew/infra/sqld/sqldtest":       {"sundew/infra/sqld"},
	// What goes again.
	"sundew/digester/retention":        {},
	"sundew/digester/retention/keeper": {"sundew/digester/loop", "sundew/digester/retention", "sundew/digester/store", "sundew/schema/..."},
	"sundew/digester/erasure":          {"sundew/schema/event"},
	"sundew/digester/erasure/eraser":   {"sundew/digester/loop", "sundew/digester/erasure", "sundew/digester/retention", "sundew/digester/retention/keeper", "sundew/digester/store", "sundew/schema/..."},
	"sundew/infra/bench/retention":     {"sundew/digester/retention", "sundew/digester/retention/keeper", "sundew/digester/store", "sundew/schema/..."},
	"sundew/digester/artifact":         {},
	"sundew/digester/artifact/shelf":   {"sundew/digester/artifact", "sundew/digester/loop", "sundew/digester/store", "sundew/schema/..."},

	// Source maps in use.
	"sundew/digester/symbolicate/scripts": {"sundew/digester/sourcemap", "sundew/digester/store", "sundew/digester/symbolicate", "sundew/schema/event"},
	"sundew/digester/symbolicate/late": {"sundew/digester/grouping", "sundew/digester/loop", "sundew/digester/store", "sundew/digester/symbolicate",
		"sundew/digester/symbolicate/scripts", "sundew/schema/..."},

	// What runs the AWS side on one machine: tests and measurements.
	"sundew/functions/lambdatest": {},
	"sundew/infra/aws/cloud":      {"sundew/digester/queue/sqs/sqstest"},
	"sundew/infra/bench/lambda": {"sundew/functions/ingest/edge", "sundew/functions/lambdatest",
		"sundew/infra/aws/cloud", "sundew/schema/..."},
}

// pure packages take values and return values: no I/O, no clock, no logger.
var pure = []string{
	"sundew/digester/access",
	"sundew/digester/alert",
	"sundew/digester/artifact",
	"sundew/digester/erasure",
	"sundew/digester/grouping",
	"sundew/digester/highlight",
	"sundew/digester/ledger",
	"sundew/digester/markdown",
	"sundew/digester/notify",
	"sundew/digester/queue",
	"sundew/digester/retention",
	"sundew/digester/search",
	"sundew/digester/sourcemap",
	"sundew/digester/sourcemap/jsfunc",
	"sundew/digester/symbolicate",
	"sundew/digester/table",
	"sundew/digester/triage",
	"sundew/digester/vitals",
	"sundew/digester/words",
	"sundew/functions/ingest/envelope",
	"sundew/schema/event",
	"sundew/schema/keyring",
	"sundew/schema/quota",
	"sundew/schema/scrub",
	"sundew/schema/wire",
}

// knowsAWS is where AWS is known: the mains and their adapters, and the
// measurement that compares with the first.
var knowsAWS = []string{"sundew/functions/dashboard", "sundew/functions/ingest", "sundew/functions/lambdahttp", "sundew/digester", "sundew/digester/queue/sqs", "sundew/infra/bench/lambda"}

// impure is what pure packages must not import.
var impure = []string{"context", "database/sql", "log", "log/slog", "net", "net/http", "os", "os/exec", "github.com/rs/zerolog"}

func TestImports(t *testing.T) {
	for _, p := range list(t, "sundew/...") {
		allowed, known := mayImport[p.ImportPath]
		if !known {
			t.Errorf("%s is not in the table of who may import whom: put it where it belongs", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "sundew/") && !matches(allowed, i) {
				t.Errorf("%s must not import %s", p.ImportPath, i)
			}
			if slices.Contains(pure, p.ImportPath) && slices.Contains(impure, i) {
				t.Errorf("%s is pure and must not import %s", p.ImportPath, i)
			}
			if strings.HasPrefix(i, "github.com/aws/") && !slices.Contains(knowsAWS, p.ImportPath) {
				t.Errorf("%s must not know AWS: it imports %s", p.ImportPath, i)
			}
			if strings.HasPrefix(i, "go.opentelemetry.io/") && p.ImportPath != "sundew/digester" {
				t.Errorf("%s must not know of traces: it imports %s", p.ImportPath, i)
			}
			if i == "html/template" && p.ImportPath != "sundew/digester/dashboard" {
				t.Errorf("%s must not make HTML", p.ImportPath)
			}
		}
		// What accepts events starts quickly; the pages come through the store.
		if strings.HasPrefix(p.ImportPath, "sundew/functions/ingest") {
			for _, d := range p.Deps {
				if strings.HasPrefix(d, "modernc.org/sqlite") || strings.HasPrefix(d, "go.opentelemetry.io/") {
					t.Errorf("%s links %s", p.ImportPath, d)
				}
			}
		}
	}
}

func matches(allowed []string, path string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		if below, ok := strings.CutSuffix(a, "/..."); ok {
			return strings.HasPrefix(path, below+"/")
		}
		return a == path
	})
}

// sqlText finds statements of SQL in string literals.
var sqlText = regexp.MustCompile(`(?s)^\s*(SELECT .* FROM|INSERT INTO|UPDATE .* SET|DELETE FROM|PRAGMA|BEGIN IMMEDIATE|CREATE TABLE)\b`)

// sqlMayBe is where SQL is at home: the store, the local queue's own file, the
// measurements that ask the databases themselves, and the edge's one query of a
// replica, since it must not link the store.
var sqlMayBe = []string{"digester/store/", "digester/queue/local/", "infra/bench/floor/", "infra/bench/libsql/", "functions/ingest/replica.go"}

const (
	maxFunction = 100 // lines
	maxFile     = 500
)

func TestSource(t *testing.T) {
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "testdata" || len(name) > 2 && name[0] == '.' {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(path), "../")
		checkSizes(t, fset, file, rel)
		if !strings.HasSuffix(path, "_test.go") {
			checkLiterals(t, fset, file, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkSizes(t *testing.T, fset *token.FileSet, file *ast.File, rel string) {
	if n := fset.File(file.Pos()).LineCount(); n > maxFile {
		t.Errorf("%s has %d lines, more than %d", rel, n, maxFile)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1; n > maxFunction {
			t.Errorf("%s: %s has %d lines, more than %d", rel, f.Name.Name, n, maxFunction)
		}
		if f.Name.Name == "init" && f.Recv == nil {
			t.Errorf("%s has an init function", rel)
		}
	}
}

func checkLiterals(t *testing.T, fset *token.FileSet, file *ast.File, rel string) {
	readsEnvironment := false
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			text := strings.Trim(n.Value, "`\"")
			if n.Kind == token.STRING && sqlText.MatchString(text) && !slices.ContainsFunc(sqlMayBe, func(p string) bool { return strings.HasPrefix(rel, p) }) {
				t.Errorf("%s: SQL outside of the store: %.60s", fset.Position(n.Pos()), text)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, n.Sel.Name) {
				readsEnvironment = true
			}
		}
		return true
	})
	if readsEnvironment && file.Name.Name != "main" {
		t.Errorf("%s reads the environment; only mains do", rel)
	}
}
