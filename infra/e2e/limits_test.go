//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestLimits sets a limit, sends more than it allows, looks at what people see of that
// at a desk, with a phone and without JavaScript, and raises it.
func TestLimits(t *testing.T) {
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

	// What is set is known within a second; 30 events take less. That one is refused tells
	// that it is.
	w.do(ctx, t, ada, command{Do: "setLimits", Project: project, Value: "2"})
	looks := 0
	waitFor(ctx, t, visibleWithin, "what was set is known", func() bool {
		if looks++; looks%10 != 1 { // or 30 are there before
			return false
		}
		status, _ := w.report(ctx, t, made.DSN, order(1))
		if status == http.StatusOK {
			w.sent++
		}
		return status == http.StatusTooManyRequests
	})
	w.do(ctx, t, ada, command{Do: "setLimits", Project: project, Value: "30"})
	waitFor(ctx, t, visibleWithin, "the limit is higher", func() bool {
		status, _ := w.report(ctx, t, made.DSN, order(1))
		return status == http.StatusOK
	})
	w.sent++
	refused := 0
	waitFor(ctx, t, visibleWithin, "the limit is reached", func() bool {
		status, _ := w.report(ctx, t, made.DSN, order(1))
		switch status {
		case http.StatusOK:
			w.sent++
			return false
		case http.StatusTooManyRequests:
			refused++
			return refused == 3
		}
		t.Fatalf("status %d", status)
		return true
	})
	if w.sent < 30 { // more, if some came before the edge knew of the limit
		t.Errorf("%d were accepted, the limit is 30", w.sent)
	}
	for _, who := range []*person{ada, phone, plain} {
		w.do(ctx, t, who, command{Do: "readLimited", Project: project, Value: "30", Issue: issue})
	}
	w.b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: map[string]string{
		"limited": project + "/issues", "limits": project + "/settings/limits", "limits-all": p.url + "/limits", "limited-events": issue + "/events",
	}})
	w.do(ctx, t, phone, command{Do: "setLimits", Project: project, Value: "500"})
	waitFor(ctx, t, visibleWithin, "the raised limit is known", func() bool {
		status, _ := w.report(ctx, t, made.DSN, order(2))
		return status == http.StatusOK
	})
	w.sent++
	w.do(ctx, t, plain, command{Do: "readOpen", Project: project, Value: "500"})
	t.Run("the books balance", func(t *testing.T) {
		p.requireBooks(ctx, t, books{Accepted: w.sent, Digested: w.sent})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}
