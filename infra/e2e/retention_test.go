//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRetention keeps fewer events of a project than there are, and removes what is
// stored about people, at a desk, with a phone and without JavaScript.
func TestRetention(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	w := &walk{product: p, b: startBrowser(ctx, t, p)}
	ada := &person{Name: "Ada Example", Look: "light"}
	phone := &person{Name: "Ada Example, on the way", Look: "night"}
	plain := &person{Name: "Ada Example, plain", Look: "dark", Plain: true}
	made := w.do(ctx, t, ada, command{Do: "startProject", URL: p.url, Name: "Web shop"})
	project := strings.TrimSuffix(made.At, "/setup")
	w.send(ctx, t, made.DSN, order(1))
	issue := w.do(ctx, t, ada, command{Do: "awaitFirstEvent", Text: "StockError"}).At
	for range 149 {
		if status, _ := w.report(ctx, t, made.DSN, order(1)); status == http.StatusOK {
			w.sent++
		}
	}
	w.send(ctx, t, made.DSN, order(1)) // behind all others
	for _, who := range []*person{ada, phone, plain} {
		w.do(ctx, t, who, command{Do: "keepAtMost", Project: project, Value: "100", Issue: issue})
	}
	at := project + "/settings/person"
	for i, who := range []*person{ada, phone, plain} {
		email := fmt.Sprintf("customer.%d@example.com", i)
		for n := range 2 {
			w.send(ctx, t, made.DSN, fmt.Appendf(nil, `{"event_id":"%032x","message":"no such account","user":{"email":%q}}`, time.Now().UnixNano()+int64(n), email))
		}
		if who == plain {
			at = p.url + "/person"
		}
		w.do(ctx, t, who, command{Do: "removePerson", URL: at, Email: email, Text: "2 events"})
	}
	w.b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: map[string]string{
		"retention": project + "/settings/retention", "person": project + "/settings/person", "person-all": p.url + "/person",
	}})
	t.Run("the books balance", func(t *testing.T) {
		p.requireBooks(ctx, t, books{Accepted: w.sent, Digested: w.sent})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}
