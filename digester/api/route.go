package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
)

// maxBody bounds the JSON that a request brings.
const maxBody = 1 << 20

// Who may use what. A token needs one of the scopes, as it is at Sentry: who may
// change something may read it.
const (
	anyToken      access.Scopes = 0
	readProjects                = access.ReadProjects | writeProjects | access.ReadOrg | writeOrg
	writeProjects               = access.WriteProjects | access.AdminProjects
	adminProjects               = access.AdminProjects
	readOrg                     = readProjects | access.Releases | readEvents
	writeOrg                    = access.WriteOrg | access.AdminOrg
	adminOrg                    = access.AdminOrg
	readEvents                  = access.ReadEvents | access.WriteEvents | access.AdminEvents
	writeEvents                 = access.WriteEvents | access.AdminEvents
	adminEvents                 = access.AdminEvents
	readReleases                = access.Releases | readProjects
	useReleases                 = access.Releases | writeProjects
)

// Route is a row of the table that everything about a route is made from.
type Route struct {
	Method  string
	Path    string        // below /api/0, with a slash at the end
	Scopes  access.Scopes // a token needs one of them; 0: it needs none
	Doc     Doc
	In, Out reflect.Type // what the body is, and the answer; nil: nothing, or no JSON
}

// Doc is what there is to say about a route.
type Doc struct {
	Tag     string // the noun
	Summary string // one line
	Text    string // more, if there is more
	Query   []Param
	Status  int  // of an answer without errors; 0: 200
	Paged   bool // its answer is in pages, by cursor
}

// Param is a parameter of a route's address.
type Param struct {
	Name, Text string
	Many       bool // it may be there more than once
}

// None is the body of a request or an answer that has none.
type None struct{}

// guard decides whether who asks may have what a request names, and puts what it read
// for that into the request. Its error is errForbidden or, where not even the
// existence of something is to be known, store.ErrNotFound.
type guard func(rx *store.Rx, r *request) error

// read adds a route that reads: GET.
func read[Out any](a *API, path string, scopes access.Scopes, may guard, doc Doc, handle func(rx *store.Rx, r *request) (Out, error)) {
	route := Route{Method: http.MethodGet, Path: path, Scopes: scopes, Doc: doc, Out: bodyType[Out]()}
	a.add(route, func(w http.ResponseWriter, r *request) error {
		var out Out
		err := a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
			err := a.enter(rx, r, scopes, may)
			if err == nil {
				out, err = handle(rx, r)
			}
			return err
		})
		if err == nil {
			r.send(w, out)
		}
		return err
	})
}

// change adds a route that writes, by a method of its own: one transaction, which may
// run more than once before it commits. why names it. A body that is empty is the zero
// In.
func change[In, Out any](a *API, method, path, why string, scopes access.Scopes, may guard, doc Doc, handle func(tx *store.Tx, r *request, in In) (Out, error)) {
	route := Route{Method: method, Path: path, Scopes: scopes, Doc: doc, In: bodyType[In](), Out: bodyType[Out]()}
	a.add(route, func(w http.ResponseWriter, r *request) error {
		if err := a.admit(r, scopes, may); err != nil {
			return err
		}
		in, err := decode[In](w, r)
		if err != nil {
			return err
		}
		var out Out
		err = a.write(r, why, func(tx *store.Tx) (err error) {
			out, err = handle(tx, r, in)
			return err
		})
		if err == nil {
			r.send(w, out)
		}
		return err
	})
}

// raw adds a route that does more than one transaction, or answers something other
// than JSON: its handler is called when the guard has let the request in, outside of
// any transaction. What it answers is described by In and Out; None: not in JSON.
func raw[In, Out any](a *API, method, path string, scopes access.Scopes, may guard, doc Doc, handle func(w http.ResponseWriter, r *request) error) {
	route := Route{Method: method, Path: path, Scopes: scopes, Doc: doc, In: bodyType[In](), Out: bodyType[Out]()}
	a.add(route, func(w http.ResponseWriter, r *request) error {
		if err := a.admit(r, scopes, may); err != nil {
			return err
		}
		return handle(w, r)
	})
}

func bodyType[T any]() reflect.Type {
	t := reflect.TypeFor[T]()
	if t == reflect.TypeFor[None]() {
		return nil
	}
	return t
}

// add puts a route into the table and the mux.
func (a *API) add(route Route, handle func(http.ResponseWriter, *request) error) {
	a.table = append(a.table, route)
	a.mux.HandleFunc(route.Method+" "+Root+route.Path+"{$}", func(w http.ResponseWriter, plain *http.Request) {
		r := &request{Request: plain, api: a, status: route.Doc.Status, out: make(http.Header)}
		if err := handle(w, r); err != nil {
			r.limit(w.Header())
			a.fail(w, plain, err)
		}
	})
}

// admit asks in a read whether a request may be answered.
func (a *API) admit(r *request, scopes access.Scopes, may guard) error {
	r.scopes, r.may = scopes, may
	return a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error { return a.enter(rx, r, scopes, may) })
}

// write runs a write transaction for a request that was admitted, after the same
// questions. why names it.
func (a *API) write(r *request, why string, do func(tx *store.Tx) error) error {
	if a.cfg.DB == nil {
		return errReadOnly
	}
	plain := r.Request
	defer func() { r.Request = plain }() // the transaction's context ends with it
	return a.cfg.DB.Write(plain.Context(), why, func(tx *store.Tx) error {
		r.begin(tx.Context())
		if err := a.enter(&tx.Rx, r, r.scopes, r.may); err != nil {
			return err
		}
		return do(tx)
	})
}

// decode reads a request's body; fields that In has not are ignored, unless In is strict.
func decode[In any](w http.ResponseWriter, r *request) (In, error) {
	var in In
	if bodyType[In]() == nil {
		return in, nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || len(text) == 0 {
		return in, wrapBody(err)
	}
	if err := json.Unmarshal(text, &in); err != nil {
		var told *Problem
		if errors.As(err, &told) { // of strict
			return in, told
		}
		return in, bad(fmt.Sprintf("The request's JSON cannot be read: %s", jsonWords(err)))
	}
	return in, nil
}

// wrapBody tells a body that is too large from one that broke off.
func wrapBody(err error) error {
	var large *http.MaxBytesError
	if err == nil || errors.As(err, &large) || errors.Is(err, context.Canceled) {
		return err
	}
	return bad("The request broke off")
}

// jsonWords says what is wrong with JSON, without what is in it.
func jsonWords(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &kind):
		return "it is not JSON"
	case fieldOf(kind) == "":
		return fmt.Sprintf("it is not supposed to be a JSON %s", kind.Value)
	case strings.HasPrefix(kind.Value, "number "):
		return fmt.Sprintf("%q has the %s, which is not whole or too large", fieldOf(kind), kind.Value)
	}
	return fmt.Sprintf("%q has a JSON %s where there has to be %s", fieldOf(kind), kind.Value, wanted(kind.Type))
}

// fieldOf is where in JSON something is wrong, without the structs that others embed:
// these have the names of Go.
func fieldOf(kind *json.UnmarshalTypeError) string {
	path := strings.Split(kind.Field, ".")
	return strings.Join(slices.DeleteFunc(path, func(part string) bool { return part != "" && 'A' <= part[0] && part[0] <= 'Z' }), ".")
}

// wanted says what a type is in JSON.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}
