package dashboard

import (
	"bytes"
	"testing"

	"sundew/digester/highlight"
	"sundew/digester/store"
	"sundew/schema/event/eventtest"
)

// BenchmarkEvent shows what an event's page costs, and what the colours of its
// source code add.
func BenchmarkEvent(b *testing.B) {
	payloads := eventtest.Captured(b)
	for _, name := range []string{"py2-chained", "node-aggregate--02", "php-scope", "py2-recursion", "java-chained"} {
		ev, err := find(b, payloads, name).Parse()
		if err != nil {
			b.Fatal(err)
		}
		for _, colours := range []string{"plain", "colours"} {
			b.Run(name+"/"+colours, func(b *testing.B) {
				pages := newSite(b, nil).dash.pages
				var languages *highlight.Languages
				if colours == "colours" {
					languages = highlight.NewLanguages()
				}
				var page bytes.Buffer
				for b.Loop() {
					page.Reset()
					view := &eventView{Event: store.Event{IssueID: 1, Number: 1}}
					view.fill(ev, languages)
					if err := pages.render(&page, "event", framed{Page: eventPage{Event: view}}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(page.Len()), "bytes")
			})
		}
	}
}
