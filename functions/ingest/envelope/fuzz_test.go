package envelope

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/corpus"
)

// FuzzEnvelope reads hostile envelopes: no panic, no item out of nothing, and the same
// items and the same end whether payloads are read or passed over.
func FuzzEnvelope(f *testing.F) {
	for _, load := range []func() ([]corpus.Request, error){corpus.Crafted, corpus.Captured} {
		cases, err := load()
		if err != nil {
			f.Fatal(err)
		}
		for _, c := range cases {
			if len(c.Body) < 8<<10 && strings.Contains(c.Path, "envelope") && c.Header.Get("Content-Encoding") == "" {
				f.Add(c.Body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		limits := Limits{HeaderLine: 1000, Items: 20}
		_, kept, errKept := read(bytes.NewReader(body), limits, false)
		_, skipped, errSkipped := read(bytes.NewReader(body), limits, true)
		if (errKept == nil) != (errSkipped == nil) || len(kept) != len(skipped) {
			t.Fatalf("read %q, %v; passed over %q, %v", kept, errKept, skipped, errSkipped)
		}
		if errKept != nil && errKept.Error() != errSkipped.Error() {
			t.Errorf("read to %v, passed over to %v", errKept, errSkipped)
		}
		total := 0
		for i, item := range kept {
			payload, ok := strings.CutPrefix(item, skipped[i])
			if !ok {
				t.Errorf("item %d is %q or %q", i, item, skipped[i])
			}
			if payload != "…" && !bytes.Contains(body, []byte(payload)) {
				t.Errorf("item %d has a payload that was never sent: %q", i, payload)
			}
			total += len(payload)
		}
		if total > len(body) {
			t.Errorf("%d bytes of payloads in %d bytes: %s", total, len(body), cmp.Diff(body, kept))
		}
	})
}
