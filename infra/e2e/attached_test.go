//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attached is what a program sends with an error: the items of its envelopes beside the
// event, and what must come back.
type attached struct {
	eventID string
	items   int
	files   map[string][]byte
}

// allBytes is the content of cart.bin: what any text handling would break.
func allBytes() []byte {
	content := make([]byte, 256)
	for i := range content {
		content[i] = byte(i)
	}
	return content
}

// feedbackText is what every program sends as feedback.
const feedbackText = "The kettle <b>cannot</b> be ordered"

func nodeAttached(ctx context.Context, t *testing.T, dsn string) attached {
	t.Helper()
	return attached{
		eventID: program(ctx, t, 0, "node", dsn, "node", "--import", "./instrument.mjs", "app.mjs", "attached"),
		items:   4, files: map[string][]byte{"cart.bin": allBytes(), "empty.log": {}, "shot.svg": []byte(`<svg onload="alert(1)"/>`)},
	}
}

func pythonAttached(ctx context.Context, t *testing.T, dsn string) attached {
	t.Helper()
	return attached{
		eventID: program(ctx, t, 0, "python", dsn, absolute(t, ".venv/bin/python"), "app.py", "attached"),
		items:   3, files: map[string][]byte{"cart.bin": allBytes(), "orders.txt": []byte("blue-kettle\n")},
	}
}

func (s *browserShop) attached(ctx context.Context, t *testing.T) attached {
	t.Helper()
	return attached{
		eventID: s.press(ctx, t, "attached"),
		items:   3, files: map[string][]byte{"cart.bin": allBytes(), "cart.html": []byte("<script>alert(1)</script>")},
	}
}

// readAttached waits for an event's feedback and files, then downloads the files in the
// browser and fails the test unless they are what was sent.
func (b *browser) readAttached(ctx context.Context, t *testing.T, p *product, want attached) {
	t.Helper()
	p.waitVisible(ctx, t, want.eventID)
	waitFor(ctx, t, visibleWithin, "an empty queue", func() bool {
		var got books
		return p.get(ctx, t, "/ledger.json", &got) == http.StatusOK && got.InFlight == 0
	})
	files := b.do(ctx, t, command{Do: "downloadAll", URL: b.url + "/events/" + want.eventID, Text: feedbackText}).Files
	if diff := cmp.Diff(want.files, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
