//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sundew/infra/visitor"
)

// person is somebody who uses the product in a browser of their own.
type person struct {
	Name  string `json:"name"`
	Look  string `json:"look"`  // of pages/pictures.mjs
	Plain bool   `json:"plain"` // without JavaScript
}

// searched is what a search must find, or the part of it that must be marked as wrong.
type searched struct {
	Query       string   `json:"query"`
	Environment string   `json:"environment,omitempty"`
	Titles      []string `json:"titles"`
	Wrong       string   `json:"wrong,omitempty"`
}

// walk is a new installation and the people who work with it.
type walk struct {
	*product
	b                *browser
	ada, grace, alan *person // who owns it, a member with a phone, a viewer without JavaScript
	plain            *person // Ada without JavaScript
	sent             int64   // events
}

// TestWorkflows starts where somebody starts who has just downloaded the program, and
// does what teams do in the order in which they come to it.
func TestWorkflows(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p, link := startNewProduct(ctx, t)
	w := &walk{
		product: p, b: openBrowser(ctx, t, p),
		ada:   &person{Name: "Ada Example", Look: "light"},
		grace: &person{Name: "Grace Example", Look: "night"},
		alan:  &person{Name: "Alan Example", Look: "dark", Plain: true},
		plain: &person{Name: "Ada Example, plain", Look: "light", Plain: true},
	}
	w.do(ctx, t, w.ada, command{Do: "become", URL: link, Email: visitor.Email, Password: visitor.Password})
	if t.Failed() {
		t.Fatal("what follows needs an owner")
	}
	p.signIn(ctx, t)
	t.Run("people", func(t *testing.T) { w.people(ctx, t) })
	w.b.signIn(ctx, t, p) // and whoever opens a browser from now on
	var shop shop
	t.Run("first event", func(t *testing.T) { shop = w.firstEvent(ctx, t) })
	if t.Failed() {
		t.Fatal("what follows needs people and a project")
	}
	t.Run("search", func(t *testing.T) { w.search(ctx, t, shop) })
	t.Run("live", func(t *testing.T) { w.live(ctx, t, shop) })
	t.Run("triage", func(t *testing.T) { w.triage(ctx, t) })
	t.Run("settings", func(t *testing.T) { w.settings(ctx, t) })
	t.Run("roles", func(t *testing.T) {
		w.do(ctx, t, w.alan, command{Do: "isRefused", Issue: shop.issue, URL: p.url + "/users"})
	})
	t.Run("tokens", func(t *testing.T) {
		w.do(ctx, t, w.grace, command{Do: "makeToken", URL: p.url, Name: "Build server"})
	})
	t.Run("hostile", func(t *testing.T) { w.hostile(ctx, t) })
	t.Run("pictures", func(t *testing.T) { w.pictures(ctx, t, shop) })
	t.Run("the books balance", func(t *testing.T) {
		p.requireBooks(ctx, t, books{Accepted: w.sent, Digested: w.sent})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}

// do has a person do something, without which nothing that follows would make sense.
func (w *walk) do(ctx context.Context, t *testing.T, who *person, c command) answer {
	t.Helper()
	c.Person = who
	a := w.b.do(ctx, t, c)
	if len(a.Problems) > 0 {
		t.Fatalf("%s had this problem with %s", who.Name, c.Do)
	}
	return a
}

// people invites, signs in and out, and helps somebody who forgot a password.
func (w *walk) people(ctx context.Context, t *testing.T) {
	w.do(ctx, t, w.ada, command{Do: "signInAndOut", URL: w.url, Email: visitor.Email, Password: visitor.Password})
	for _, c := range []struct {
		who         *person
		email, role string
	}{{w.grace, "grace@example.com", "member"}, {w.alan, "alan@example.com", "viewer"}} {
		link := w.do(ctx, t, w.ada, command{Do: "invite", URL: w.url, Email: c.email, Role: c.role}).Link
		w.do(ctx, t, c.who, command{Do: "become", URL: link, Email: c.email, Password: visitor.Password})
		w.do(ctx, t, c.who, command{Do: "signInAndOut", URL: w.url, Email: c.email, Password: visitor.Password})
	}
	link := w.do(ctx, t, w.ada, command{Do: "linkForPassword", URL: w.url, Name: w.grace.Name}).Link
	w.do(ctx, t, w.grace, command{Do: "setPassword", URL: link, Email: "grace@example.com", Password: "an even longer phrase"})
}

// shop is a project with issues.
type shop struct {
	dsn    string
	issues string // addresses
	issue  string
}

// firstEvent makes two projects, one with and one without JavaScript, and sends the
// errors of a shop.
func (w *walk) firstEvent(ctx context.Context, t *testing.T) shop {
	var s shop
	for _, who := range []*person{w.plain, w.ada} {
		made := w.do(ctx, t, who, command{Do: "startProject", URL: w.url, Name: "Web shop"})
		s.dsn, s.issues = made.DSN, strings.TrimSuffix(made.At, "setup")+"issues"
		w.send(ctx, t, s.dsn, order(1))
		s.issue = w.do(ctx, t, who, command{Do: "awaitFirstEvent", Text: "StockError"}).At
	}
	for i := range 24 {
		w.send(ctx, t, s.dsn, order(i))
	}
	return s
}

// order is an event of the shop; there are six kinds of them.
func order(i int) []byte {
	kinds := []struct{ kind, value, culprit, level string }{
		{"TypeError", "Cannot read properties of undefined (reading 'street')", "renderInvoice", "error"},
		{"StockError", "only 2 of blue-kettle left", "checkOut", "error"},
		{"TimeoutError", "payment provider did not answer within 5 s", "pay", "fatal"},
		{"ConnectionError", "connection reset by peer", "saveCart", "error"},
		{"ValueError", "not a postal code: 1234", "parseAddress", "warning"},
		{"KeyError", "currency EUX is not known", "convert", "error"},
	}
	k := kinds[i%len(kinds)]
	frame := func(function, file string, line int) map[string]any {
		return map[string]any{
			"function": function, "filename": file, "abs_path": "/app/" + file, "module": strings.TrimSuffix(file, ".py"), "lineno": line, "in_app": true,
			"pre_context":  []string{"    order = orders.get(order_id)", "    if order is None:", "        raise LookupError(order_id)"},
			"context_line": "    return " + function + "(order, customer=order.customer)",
			"post_context": []string{"", "", "def cancel(order_id: int) -> None:"},
			"vars":         map[string]any{"order_id": 1000 + i, "currency": "EUR"},
		}
	}
	event := map[string]any{
		"event_id": fmt.Sprintf("%032x", time.Now().UnixNano()), "timestamp": time.Now().Add(-time.Duration(i) * 40 * time.Minute).Unix(),
		"platform": "python", "level": k.level, "transaction": "/orders/{id}/" + k.culprit, "server_name": "web-1",
		"release": fmt.Sprintf("shop@1.%d.0", 2+i%3), "environment": []string{"production", "staging"}[i/6%2],
		"user": map[string]any{"id": fmt.Sprint(40 + i%7), "email": fmt.Sprintf("customer%d@example.com", i%7)},
		"tags": map[string]string{"browser": []string{"Firefox", "Safari", "Chrome"}[i%3], "country": []string{"NL", "DE"}[i%2]},
		"exception": map[string]any{"values": []any{map[string]any{
			"type": k.kind, "value": k.value, "mechanism": map[string]any{"type": "generic", "handled": i%2 == 0},
			"stacktrace": map[string]any{"frames": []any{frame("handle", "shop/web.py", 41), frame(k.culprit, "shop/orders.py", 87)}},
		}}},
		"breadcrumbs": map[string]any{"values": []any{
			map[string]any{"timestamp": time.Now().Unix(), "category": "cart", "level": "info", "message": "added blue-kettle to the cart"},
			map[string]any{"timestamp": time.Now().Unix(), "category": "http", "type": "http", "data": map[string]any{"url": "https://payments.example.com/v1/charges", "method": "POST", "status_code": 504}},
		}},
		"request": map[string]any{"url": "https://shop.example.com/orders/1001", "method": "POST", "headers": map[string]string{"Accept": "text/html"}},
	}
	body, err := json.Marshal(event)
	if err != nil {
		panic(err) // of maps and strings it has none
	}
	return body
}

// send reports an event, which has to be accepted, and waits until it has a page.
func (w *walk) send(ctx context.Context, t *testing.T, dsn string, event []byte) {
	t.Helper()
	status, id := w.report(ctx, t, dsn, event)
	if status != http.StatusOK {
		t.Fatalf("sending an event: status %d", status)
	}
	w.sent++
	waitFor(ctx, t, visibleWithin, "the page of event "+id, func() bool {
		return w.get(ctx, t, "/events/"+id, nil) == http.StatusOK
	})
}

// report sends an event as an SDK does and returns the answer.
func (w *walk) report(ctx context.Context, t *testing.T, dsn string, event []byte) (status int, id string) {
	t.Helper()
	at, err := url.Parse(dsn)
	if err != nil || at.User == nil {
		t.Fatalf("DSN %q: %v", dsn, err)
	}
	to := fmt.Sprintf("%s/api%s/store/?sentry_key=%s", w.url, at.Path, at.User.Username())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got struct{ ID string }
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatalf("sending an event: status %d, %v", res.StatusCode, err)
	}
	return res.StatusCode, got.ID
}

// settings changes a project whose first key then opens nothing, deletes it, and takes
// that back.
func (w *walk) settings(ctx context.Context, t *testing.T) {
	for _, who := range []*person{w.ada, w.plain} {
		made := w.do(ctx, t, who, command{Do: "startProject", URL: w.url, Name: "App of " + who.Name})
		w.send(ctx, t, made.DSN, order(1))
		project, name := strings.TrimSuffix(made.At, "/setup"), "Renamed by "+who.Name
		added := w.do(ctx, t, who, command{Do: "changeProject", Project: project, Name: name, Release: "shop@1.3.0"}).DSN
		waitFor(ctx, t, visibleWithin, "the disabled key is refused", func() bool {
			status, _ := w.report(ctx, t, made.DSN, order(2))
			if status == http.StatusOK {
				w.sent++ // the edge has not heard of it yet
			}
			return status == http.StatusForbidden || status == http.StatusUnauthorized
		})
		w.send(ctx, t, added, order(3))
		w.do(ctx, t, who, command{Do: "deleteProject", URL: w.url, Project: project, Name: name})
	}
}

// live looks at a list and at an issue while an event comes.
func (w *walk) live(ctx context.Context, t *testing.T, s shop) {
	const stock = 1 // of order
	for i, at := range []string{s.issues, s.issue} {
		w.do(ctx, t, w.ada, command{Do: "openPage", URL: at})
		w.send(ctx, t, s.dsn, order(stock))
		w.do(ctx, t, w.ada, command{Do: "readLive", Text: "StockError", Value: fmt.Sprint(6 + i)})
	}
}

// triage works on the issues of projects that nobody else works on at the time.
func (w *walk) triage(ctx context.Context, t *testing.T) {
	for _, who := range []*person{w.ada, w.grace, w.plain} {
		made := w.do(ctx, t, w.ada, command{Do: "startProject", URL: w.url, Name: "Orders of " + who.Name})
		for i := range 8 {
			w.send(ctx, t, made.DSN, order(i))
		}
		w.do(ctx, t, who, command{
			Do: "workOn", Issues: strings.TrimSuffix(made.At, "setup") + "issues", Deletes: who != w.grace,
			Titles: []string{"TimeoutError", "StockError", "KeyError", "TypeError", "ConnectionError", "ValueError"},
		})
	}
}

// search asks for issues by text, tags and numbers, wrongly, and in an environment.
func (w *walk) search(ctx context.Context, t *testing.T, s shop) {
	const stock, timeout = "StockError: only 2 of blue-kettle left", "TimeoutError: payment provider did not answer within 5 s"
	searches := []searched{
		{Query: "is:unresolved level:fatal", Titles: []string{timeout}},
		{Query: "blue-kettle", Titles: []string{stock}},
		{Query: "StockError", Environment: "staging", Titles: []string{stock}},
		{Query: "is:resolved", Titles: []string{}},
		{Query: "is:unresolved times_seen:>many", Wrong: "many"},
	}
	for _, who := range []*person{w.ada, w.grace, w.alan} {
		w.do(ctx, t, who, command{Do: "search", Issues: s.issues, Searches: searches})
		w.do(ctx, t, who, command{Do: "saveSearch", Issues: s.issues, Value: "is:unresolved level:fatal", Name: "Fatal ones of " + who.Name})
	}
}
