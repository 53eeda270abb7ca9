//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
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

	w.do(ctx, t, ada, command{Do: "setLimits", Project: project, Value: "30"})
	w.sendTogether(ctx, t, made.DSN, 40) // taken as one, so that some are counted and not stored
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

// sendTogether sends so many events in one envelope.
func (w *walk) sendTogether(ctx context.Context, t *testing.T, dsn string, events int) {
	t.Helper()
	at, err := url.Parse(dsn)
	if err != nil || at.User == nil {
		t.Fatalf("DSN %q: %v", dsn, err)
	}
	var envelope bytes.Buffer
	envelope.WriteString("{}\n")
	for range events {
		event := order(1)
		fmt.Fprintf(&envelope, "{\"type\":\"event\",\"length\":%d}\n%s\n", len(event), event)
	}
	to := fmt.Sprintf("%s/api%s/envelope/?sentry_key=%s", w.url, at.Path, at.User.Username())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, &envelope)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("an envelope of %d events: status %d", events, res.StatusCode)
	}
	w.sent += int64(events)
}
