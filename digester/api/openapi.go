package api

import (
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
)

// Document is the table of routes as OpenAPI 3.1 has it.
type Document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       Info                            `json:"info"`
	Servers    List[Server]                    `json:"servers"`
	Tags       List[TagInfo]                   `json:"tags"`
	Paths      map[string]map[string]Operation `json:"paths"` // by path and method
	Components Components                      `json:"components"`
}

// Info says what a document is about.
type Info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

// Server is where the routes are.
type Server struct {
	URL string `json:"url"`
}

// TagInfo is a noun that routes are about.
type TagInfo struct {
	Name string `json:"name"`
}

// Operation is a route.
type Operation struct {
	OperationID string                 `json:"operationId"`
	Tags        List[string]           `json:"tags"`
	Summary     string                 `json:"summary"`
	Description string                 `json:"description,omitempty"`
	Security    List[Security]         `json:"security"`
	Parameters  List[Parameter]        `json:"parameters"`
	RequestBody *Body                  `json:"requestBody,omitempty"`
	Responses   map[string]BodyOrError `json:"responses"`
}

// Security is one of the scopes that a token needs.
type Security struct {
	Bearer List[string] `json:"bearer"`
}

// Parameter is a part of an address.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Body is what a request brings.
type Body struct {
	Required bool             `json:"required"`
	Content  map[string]Media `json:"content"`
}

// BodyOrError is what an answer brings.
type BodyOrError struct {
	Description string           `json:"description"`
	Content     map[string]Media `json:"content,omitempty"`
}

// Media is a kind of content.
type Media struct {
	Schema *Schema `json:"schema"`
}

// Components are what routes refer to.
type Components struct {
	Schemas         map[string]*Schema        `json:"schemas"`
	SecuritySchemes map[string]SecurityScheme `json:"securitySchemes"`
}

// SecurityScheme is how a client says who it is.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

// Schema is a JSON Schema.
type Schema struct {
	Ref                  string             `json:"$ref,omitempty"`
	Type                 List[string]       `json:"type,omitempty"`
	Format               string             `json:"format,omitempty"`
	Properties           map[string]*Schema `json:"properties,omitempty"`
	Required             List[string]       `json:"required,omitempty"`
	Items                *Schema            `json:"items,omitempty"`
	AnyOf                List[*Schema]      `json:"anyOf,omitempty"`
	AdditionalProperties *Schema            `json:"additionalProperties,omitempty"`
}

// schemas makes schemas of Go types. Structs that have a name become components.
type schemas struct{ named map[string]*Schema }

func ofType(names ...string) *Schema { return &Schema{Type: names} }

// of returns the schema of a type.
func (s schemas) of(t reflect.Type) *Schema {
	switch t {
	case reflect.TypeFor[Time](), reflect.TypeFor[time.Time]():
		return &Schema{Type: List[string]{"string", "null"}, Format: "date-time"}
	case reflect.TypeFor[Object](), reflect.TypeFor[Contexts]():
		return ofType("object")
	case reflect.TypeFor[RawJSON](), reflect.TypeFor[json.RawMessage]():
		return &Schema{}
	case reflect.TypeFor[Line]():
		return ofType("array")
	case reflect.TypeFor[Maybe[*int64]]():
		return ofType("integer", "null")
	case reflect.TypeFor[Maybe[string]]():
		return ofType("string", "null")
	}
	switch t.Kind() {
	case reflect.String:
		return ofType("string")
	case reflect.Bool:
		return ofType("boolean")
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint32, reflect.Uint64:
		return ofType("integer")
	case reflect.Float64:
		return ofType("number")
	case reflect.Slice, reflect.Array:
		return &Schema{Type: List[string]{"array"}, Items: s.of(t.Elem())}
	case reflect.Map:
		return &Schema{Type: List[string]{"object"}, AdditionalProperties: s.of(t.Elem())}
	case reflect.Pointer:
		return s.nullable(t.Elem())
	case reflect.Struct:
		return s.component(t)
	}
	return &Schema{} // anything
}

// nullable is a type or null.
func (s schemas) nullable(t reflect.Type) *Schema {
	inner := s.of(t)
	if inner.Ref != "" {
		return &Schema{AnyOf: List[*Schema]{inner, ofType("null")}}
	}
	if len(inner.Type) > 0 && !slices.Contains(inner.Type, "null") {
		inner.Type = append(inner.Type, "null")
	}
	return inner
}

// component refers to a struct, and describes it if nobody has yet.
func (s schemas) component(t reflect.Type) *Schema {
	name := t.Name()
	if name == "" {
		return s.object(t)
	}
	if of := t.PkgPath(); of != reflect.TypeFor[Document]().PkgPath() { // another's, which may be called as one of ours
		of = path.Base(of)
		name = strings.ToUpper(of[:1]) + of[1:] + name
	}
	if _, known := s.named[name]; !known {
		s.named[name] = &Schema{} // it may contain itself
		s.named[name] = s.object(t)
	}
	return &Schema{Ref: "#/components/schemas/" + name}
}

func (s schemas) object(t reflect.Type) *Schema {
	object := &Schema{Type: List[string]{"object"}, Properties: make(map[string]*Schema)}
	s.fields(t, object)
	return object
}

// fields adds a struct's to an object, with those of what it embeds.
func (s schemas) fields(t reflect.Type, object *Schema) {
	for f := range t.Fields() {
		if f.Anonymous {
			s.embed(f.Type, object)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		object.Properties[name] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			object.Required = append(object.Required, name)
		}
	}
}

// embed adds the fields of what a struct embeds: all of it, or by a pointer, all or
// nothing.
func (s schemas) embed(t reflect.Type, object *Schema) {
	if t.Kind() != reflect.Pointer {
		s.fields(t, object)
		return
	}
	required := object.Required
	s.fields(t.Elem(), object)
	object.Required = required
}

// loosen requires no field of what a request brings, in it or inside of it: what is not
// there is zero. It ends, since it does not go into what requires nothing already.
func (s schemas) loosen(of *Schema) {
	if of == nil {
		return
	}
	for _, one := range of.AnyOf {
		s.loosen(one)
	}
	s.loosen(of.Items)
	s.loosen(of.AdditionalProperties)
	if of.Ref != "" {
		of = s.named[strings.TrimPrefix(of.Ref, "#/components/schemas/")]
	}
	if len(of.Required) == 0 {
		return
	}
	of.Required = nil
	for _, p := range of.Properties {
		s.loosen(p)
	}
}

// pathParams are the names in braces.
func pathParams(path string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
		names = append(names, m[1])
	}
	return names
}

// paramWords says what a name in a path means.
func paramWords(name string) string {
	switch name {
	case "org":
		return "any name: the installation is one organization"
	case "project":
		return "slug, former slug or number of a project"
	case "team":
		return "slug or number of a team"
	case "member":
		return "number or mail address of a person, me, or invitation- and the number of an invitation"
	case "issue":
		return "number or short id of an issue"
	case "event":
		return "id of an event"
	case "rule", "channel", "message", "mail", "request", "query":
		return "its number"
	case "environment":
		return "name of an environment"
	case "version":
		return "name of a release"
	}
	return ""
}

// Table is what there is to ask, in the order of the files that it is made in.
func Table() []Route {
	a := &API{mux: http.NewServeMux()}
	a.routes()
	return a.table
}

// newDocument describes the routes.
func newDocument(cfg Config, table []Route) Document {
	all := schemas{named: make(map[string]*Schema)}
	doc := Document{
		OpenAPI: "3.1.0", Servers: List[Server]{{cfg.PublicURL}}, Paths: make(map[string]map[string]Operation),
		Info: Info{Title: "Sundew", Version: cfg.Version, Description: "What programs can do, in the shapes of Sentry's public API. The installation is one organization, by whatever name."},
		Components: Components{Schemas: all.named, SecuritySchemes: map[string]SecurityScheme{
			"bearer": {"http", "bearer", "A token of a person, of a project or for tools: Authorization: Bearer sdw_…"},
		}},
	}
	for _, route := range table {
		path := Root + route.Path
		if doc.Paths[path] == nil {
			doc.Paths[path] = make(map[string]Operation)
		}
		doc.Paths[path][strings.ToLower(route.Method)] = route.operation(all)
		if !slices.Contains(doc.Tags, TagInfo{route.Doc.Tag}) {
			doc.Tags = append(doc.Tags, TagInfo{route.Doc.Tag})
		}
	}
	return doc
}

// operation describes a route.
func (t Route) operation(all schemas) Operation {
	op := Operation{
		OperationID: operationID(t.Method, t.Path), Tags: List[string]{t.Doc.Tag}, Summary: t.Doc.Summary, Description: t.Doc.Text,
		Responses: map[string]BodyOrError{"default": {"An error", asJSON(all.of(reflect.TypeFor[detail]()))}},
	}
	for _, name := range t.Scopes.Names() {
		op.Security = append(op.Security, Security{List[string]{name}})
	}
	if t.Scopes == anyToken {
		op.Security = List[Security]{{}}
	}
	for _, name := range pathParams(t.Path) {
		op.Parameters = append(op.Parameters, Parameter{Name: name, In: "path", Description: paramWords(name), Required: true, Schema: ofType("string")})
	}
	for _, p := range t.Params() {
		schema := ofType("string")
		if p.Many {
			schema = &Schema{Type: List[string]{"array"}, Items: schema}
		}
		op.Parameters = append(op.Parameters, Parameter{Name: p.Name, In: "query", Description: p.Text, Schema: schema})
	}
	if t.In != nil {
		schema := all.of(t.In)
		all.loosen(schema)
		op.RequestBody = &Body{Required: true, Content: asJSON(schema)}
	}
	status := t.Doc.Status
	if status == 0 {
		status = http.StatusOK
	}
	answer := BodyOrError{Description: http.StatusText(status)}
	if t.Out != nil && status != http.StatusNoContent {
		answer.Content = asJSON(all.of(t.Out))
	}
	op.Responses[strconv.Itoa(status)] = answer
	return op
}

// Params are the parameters of a route, with those that all lists have: a list that says
// more of one of these says it instead.
func (t Route) Params() []Param {
	params := slices.Clone(t.Doc.Query)
	if !t.Doc.Paged {
		return params
	}
	params = append(params, Param{Name: "cursor", Text: "where the page begins: from the Link header of another page"})
	if !slices.ContainsFunc(params, func(p Param) bool { return p.Name == "per_page" }) {
		params = append(params, Param{Name: "per_page", Text: "entries of a page"})
	}
	return params
}

// ScopeNames is what a token needs one of, by name; empty: nothing.
func (t Route) ScopeNames() []string {
	if t.Scopes == access.AllScopes {
		return nil
	}
	return t.Scopes.Names()
}

func asJSON(schema *Schema) map[string]Media { return map[string]Media{"application/json": {schema}} }

// operationID is a name for a route that programs can be made of.
func operationID(method, path string) string {
	words := strings.FieldsFunc(path, func(c rune) bool { return strings.ContainsRune("/{}-.", c) })
	return strings.ToLower(method) + "_" + strings.Join(words, "_")
}

// serveDocument answers everybody: there is no secret in it.
func (a *API) serveDocument(w http.ResponseWriter, _ *http.Request) {
	send(w, http.StatusOK, newDocument(a.cfg, a.table))
}
