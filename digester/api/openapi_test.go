package api

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The document has every route, every name that is referred to, and answers without a
// token.
func TestDocument(t *testing.T) {
	r := newRig(t, nil)
	text := mustStatus(t, r.do("GET", "/api/0/openapi.json", "", ""), http.StatusOK)
	doc := mustRead[Document](t, text)
	for _, route := range r.api.table {
		op, ok := doc.Paths[Root+route.Path][strings.ToLower(route.Method)]
		if !ok {
			t.Errorf("%s %s is not in the document", route.Method, route.Path)
			continue
		}
		if op.Summary == "" || len(op.Tags) != 1 || op.Tags[0] == "" {
			t.Errorf("%s %s says nothing of itself", route.Method, route.Path)
		}
	}
	ids := make(map[string]bool)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if ids[op.OperationID] {
				t.Errorf("%s %s: %s is there twice", method, path, op.OperationID)
			}
			ids[op.OperationID] = true
			params := make(map[string]bool)
			for _, p := range op.Parameters {
				if params[p.In+p.Name] {
					t.Errorf("%s %s: the parameter %s is there twice", method, path, p.Name)
				}
				params[p.In+p.Name] = true
			}
		}
	}
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, `"$ref":"#/components/schemas/`)
		if !ok {
			break
		}
		name, tail, _ := strings.Cut(after, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
		rest = tail
	}
}

// No field of what a request brings is said to be required, however deep.
func TestNothingRequiredOfRequests(t *testing.T) {
	doc := newDocument(Config{}, Table())
	for _, name := range []string{"RuleChange", "RuleWhen", "RuleFilter", "RuleRate", "NewMember", "TeamRole", "IssueChange", "ChangeDetails"} {
		if s := doc.Components.Schemas[name]; s == nil || len(s.Required) > 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if len(doc.Components.Schemas["Issue"].Required) == 0 {
		t.Error("an answer does not say what is always in it")
	}
}

// A list that may be left out is told as what it is a list of.
func TestPropertyWords(t *testing.T) {
	for _, p := range Properties(reflect.TypeFor[SettingsChange]()) {
		if p.Name == "sensitiveFields" && p.Type != "list of string or null" {
			t.Errorf("%+v", p)
		}
	}
}

// What routes answer is what the document says: each field of each answer is there, and
// of the type that is said.
func TestAnswersFitDocument(t *testing.T) {
	r := newRig(t, nil)
	first := r.furnish()
	doc := newDocument(r.api.cfg, r.api.table)
	known := doors()
	for _, route := range r.api.table {
		d := known[route.Method+" "+route.Path]
		if route.Method != http.MethodGet || d.want != 0 || route.Out == nil {
			continue
		}
		answer := r.do("GET", Root+strings.ReplaceAll(d.path, "{event}", first), r.ownerToken, "")
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Errorf("%s: %v", route.Path, err)
			continue
		}
		schema := doc.Paths[Root+route.Path]["get"].Responses["200"].Content["application/json"].Schema
		for _, wrong := range misfits(doc, schema, value, "") {
			t.Errorf("%s: %s", route.Path, wrong)
		}
	}
}

// misfits are the places at which a value is not what a schema says.
func misfits(doc Document, s *Schema, value any, at string) []string {
	if s.Ref != "" {
		s = doc.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	if len(s.AnyOf) > 0 {
		if value == nil {
			return nil
		}
		return misfits(doc, s.AnyOf[0], value, at)
	}
	if len(s.Type) == 0 {
		return nil
	}
	kind := ""
	var wrong []string
	switch v := value.(type) {
	case nil:
		kind = "null"
	case bool:
		kind = "boolean"
	case string:
		kind = "string"
	case float64:
		kind = "integer"
		if slices.Contains(s.Type, "number") {
			kind = "number"
		}
	case []any:
		kind = "array"
		for _, item := range v {
			if s.Items != nil {
				wrong = append(wrong, misfits(doc, s.Items, item, at+"[]")...)
			}
		}
	case map[string]any:
		kind = "object"
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				wrong = append(wrong, at+": lacks "+name)
			}
		}
		for name, item := range v {
			if p := s.Properties[name]; p != nil {
				wrong = append(wrong, misfits(doc, p, item, at+"."+name)...)
			} else if s.Properties != nil {
				wrong = append(wrong, at+": has "+name)
			}
		}
	}
	for _, known := range s.Type {
		if known == kind || known == "number" && kind == "integer" { // JSON does not tell them apart
			return wrong
		}
	}
	return append(wrong, at+" is "+kind)
}
