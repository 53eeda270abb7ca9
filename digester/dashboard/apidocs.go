package dashboard

import (
	"net/http"
	"reflect"
	"strings"

	"sundew/digester/api"
	"sundew/digester/store"
)

// apiPage lists what programs can ask, from the table that the API is made of.
type apiPage struct {
	shell
	Document string // address of the same for programs
	Base     string // what is in front of every path
	Example  string // a first question
	Agents   string // where programs speak the Model Context Protocol
	Parts    []apiPart
}

// apiPart is the routes of a noun.
type apiPart struct {
	Name   string
	ID     string
	Routes []apiRoute
}

// apiRoute is what can be asked, by one address or several.
type apiRoute struct {
	Method  string
	Paths   []string
	Summary string
	Text    string
	Scopes  []string // a token needs one of them; empty: none
	Params  []api.Param
	In, Out []api.Property
	Many    bool // the answer is a list
}

// showAPI is GET /docs/api.
func (d *Dashboard) showAPI(*store.Rx, *http.Request) (reply, error) {
	public := strings.TrimRight(d.cfg.PublicURL, "/")
	return show("apidocs", apiPage{
		shell: shell{Title: "API", Trail: d.trail()}, Parts: apiParts(api.Table()),
		Base: public + api.Root, Agents: public + "/mcp",
		Example:  "export TOKEN=sdw_…\ncurl -H \"Authorization: Bearer $TOKEN\" '" + public + api.Root + "/organizations/" + store.OrgSlug + "/issues/?query=is:unresolved'",
		Document: d.links.base + api.Root + "/openapi.json",
	}), nil
}

// apiParts puts routes together that are about the same noun, and those that only
// differ in their address.
func apiParts(table []api.Route) []apiPart {
	var parts []apiPart
	at := make(map[string]int)
	for _, route := range table {
		i, known := at[route.Doc.Tag]
		if !known {
			i = len(parts)
			at[route.Doc.Tag] = i
			parts = append(parts, apiPart{Name: route.Doc.Tag, ID: strings.ReplaceAll(strings.ToLower(route.Doc.Tag), " ", "-")})
		}
		parts[i].add(route)
	}
	return parts
}

func (p *apiPart) add(route api.Route) {
	for i := range p.Routes {
		if same := &p.Routes[i]; same.Method == route.Method && same.Summary == route.Doc.Summary {
			same.Paths = append(same.Paths, route.Path)
			return
		}
	}
	view := apiRoute{
		Method: route.Method, Paths: []string{route.Path}, Summary: route.Doc.Summary, Text: route.Doc.Text,
		Scopes: route.ScopeNames(), Params: route.Params(), In: api.Properties(route.In),
	}
	out := route.Out
	for out != nil && (out.Kind() == reflect.Slice || out.Kind() == reflect.Pointer) {
		view.Many = view.Many || out.Kind() == reflect.Slice
		out = out.Elem()
	}
	view.Out = api.Properties(out)
	p.Routes = append(p.Routes, view)
}
