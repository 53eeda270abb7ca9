package infra_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// template is a CloudFormation template as written, tags and all.
type template struct {
	path string
	root *yaml.Node
}

func readTemplate(t *testing.T, path string) template {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(readFile(t, path), &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return template{path, doc.Content[0]}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// at follows keys of mappings, nil if there is no such place.
func at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		next := (*yaml.Node)(nil)
		for name, value := range fields(n) {
			if name == key {
				next = value
			}
		}
		n = next
	}
	return n
}

// fields ranges over a mapping; over anything else there is nothing to range.
func fields(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// text is a scalar's value, "" for anything else.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// texts are the scalars of a list, or a scalar alone.
func texts(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var all []string
	for _, c := range n.Content {
		all = append(all, text(c))
	}
	return all
}

func number(t *testing.T, n *yaml.Node) int {
	t.Helper()
	if n == nil {
		t.Fatal("a number that a rule needs is not there")
	}
	v, err := strconv.Atoi(text(n))
	if err != nil {
		t.Fatalf("line %d: %v", n.Line, err)
	}
	return v
}

// resources ranges over those of a type.
func (tp template) resources(kind string) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for name, r := range fields(at(tp.root, "Resources")) {
			if text(at(r, "Type")) == kind && !yield(name, at(r, "Properties")) {
				return
			}
		}
	}
}

// walk visits every node below n with the key that it stands under.
func walk(n *yaml.Node, key string, visit func(key string, n *yaml.Node)) {
	if n == nil {
		return
	}
	visit(key, n)
	if n.Kind == yaml.MappingNode {
		for name, value := range fields(n) {
			walk(value, name, visit)
		}
		return
	}
	for _, c := range n.Content {
		walk(c, "", visit)
	}
}

// substitute is what stands in a !Sub, but not ${!literally}.
var substitute = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// targets returns what a node refers to itself, not what is below it: names of
// parameters and resources, and of conditions.
func targets(key string, n *yaml.Node) (names, conditions []string) {
	is := func(short string) bool { return n.Tag == "!"+short || key == short || key == "Fn::"+short }
	switch {
	case is("Ref"):
		names = append(names, n.Value)
	case is("GetAtt"):
		name, _, _ := strings.Cut(texts(n)[0], ".")
		names = append(names, name)
	case is("Sub"):
		var local []string
		source := n
		if n.Kind == yaml.SequenceNode {
			source = n.Content[0]
			for name := range fields(n.Content[1]) {
				local = append(local, name)
			}
		}
		for _, m := range substitute.FindAllStringSubmatch(source.Value, -1) {
			if name, _, _ := strings.Cut(m[1], "."); !slices.Contains(local, name) {
				names = append(names, name)
			}
		}
	case is("If"):
		conditions = append(conditions, n.Content[0].Value)
	case key == "DependsOn":
		names = append(names, texts(n)...)
	case key == "Condition" && n.Kind == yaml.ScalarNode, n.Tag == "!Condition":
		conditions = append(conditions, n.Value)
	}
	return names, conditions
}

var templates = []string{"../template.yaml", "host.yaml"}

// TestReferences: whatever a template refers to exists, and every parameter says
// what it is and is used.
func TestReferences(t *testing.T) {
	for _, path := range templates {
		tp := readTemplate(t, path)
		known, used := map[string]bool{}, map[string]bool{}
		for name, p := range fields(at(tp.root, "Parameters")) {
			known[name] = true
			if text(at(p, "Description")) == "" {
				t.Errorf("%s: parameter %s has no description", path, name)
			}
			if at(p, "AllowedPattern") == nil && at(p, "AllowedValues") == nil && at(p, "MinValue") == nil &&
				!strings.HasPrefix(text(at(p, "Type")), "AWS::") && name != "KmsKeyArns" { // a list that may be empty
				t.Errorf("%s: parameter %s takes anything", path, name)
			}
		}
		for name, r := range fields(at(tp.root, "Resources")) {
			known[name] = true
			if at(r, "Properties", "FunctionUrlConfig") != nil {
				known[name+"Url"] = true // SAM makes it
			}
		}
		walk(tp.root, "", func(key string, n *yaml.Node) {
			names, conditions := targets(key, n)
			for _, name := range names {
				used[name] = true
				if !known[name] && !strings.HasPrefix(name, "AWS::") {
					t.Errorf("%s:%d refers to %s, which is not there", path, n.Line, name)
				}
			}
			for _, name := range conditions {
				if at(tp.root, "Conditions", name) == nil {
					t.Errorf("%s:%d needs the condition %s, which is not there", path, n.Line, name)
				}
			}
		})
		for name := range fields(at(tp.root, "Parameters")) {
			if !used[name] {
				t.Errorf("%s: parameter %s is not used", path, name)
			}
		}
	}
}

// variable is the name of one of ours in the environment.
var variable = regexp.MustCompile(`^SUNDEW_[A-Z_]+$`)

// variablesRead returns the names that the files of a package give to a function as
// an argument: getenv("…"), read("…", …).
func variablesRead(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for _, arg := range call.Args {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if name := strings.Trim(lit.Value, "`\""); variable.MatchString(name) {
						names = append(names, name)
					}
				}
			}
			return true
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestFunctionEnvironment: the template sets what each function reads, and nothing
// that it does not.
func TestFunctionEnvironment(t *testing.T) {
	functions := at(readTemplate(t, "../template.yaml").root, "Resources")
	for name, source := range map[string]string{"Ingest": "../functions/ingest/*.go", "Dashboard": "../functions/dashboard/*.go"} {
		var set []string
		for variable := range fields(at(functions, name, "Properties", "Environment", "Variables")) {
			set = append(set, variable)
		}
		if name == "Ingest" {
			// Lambda says the region itself, in AWS_REGION.
			set = append(set, "SUNDEW_REGION_NAME")
		}
		slices.Sort(set)
		if diff := cmp.Diff(variablesRead(t, source), set); diff != "" {
			t.Errorf("-read by %s +set by template.yaml for %s\n%s", source, name, diff)
		}
	}
}

// TestHostEnvironment: unit and host set only what the digester reads, and the
// scripts read only what the host sets.
func TestHostEnvironment(t *testing.T) {
	host := string(readFile(t, "host.yaml"))
	read := variablesRead(t, "../digester/*.go")
	assigned := regexp.MustCompile(`(?m)^\s*(?:Environment=)?(SUNDEW_[A-Z_]+)=`)
	for _, m := range assigned.FindAllStringSubmatch(host+string(readFile(t, "sundew.service")), -1) {
		if !slices.Contains(read, m[1]) {
			t.Errorf("%s is set but not read by digester/config.go", m[1])
		}
	}
	sets := regexp.MustCompile(`(?m)^ {14}([A-Z_]+)=`)
	var given []string
	for _, m := range sets.FindAllStringSubmatch(host, -1) {
		if !variable.MatchString(m[1]) {
			given = append(given, m[1])
		}
	}
	var wanted []string
	for _, script := range []string{"install.sh", "volume.sh", "health.sh"} {
		for _, m := range regexp.MustCompile(`\$\{?([A-Z][A-Z_]+)`).FindAllStringSubmatch(string(readFile(t, "host/"+script)), -1) {
			wanted = append(wanted, m[1])
		}
	}
	slices.Sort(given)
	slices.Sort(wanted)
	if diff := cmp.Diff(slices.Compact(wanted), given); diff != "" {
		t.Errorf("-read by the scripts +written to host.env\n%s", diff)
	}
	installs := regexp.MustCompile(`(?m)^(install|sed) .*`).FindAllString(string(readFile(t, "host/install.sh")), -1)
	for _, name := range regexp.MustCompile(` [a-z-]+\.(sh|service|timer|conf|json)\b`).FindAllString(strings.Join(installs, "\n"), -1) {
		name = name[1:]
		_, inHost := os.Stat("host/" + name)
		if _, beside := os.Stat(name); inHost != nil && beside != nil {
			t.Errorf("install.sh installs %s, which is not there", name)
		}
	}
}
