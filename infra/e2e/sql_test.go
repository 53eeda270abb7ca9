//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// TestSQL: questions are asked in SQL, at a desk and on a phone without JavaScript, and
// the answer is downloaded.
func TestSQL(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	b := startBrowser(ctx, t, p)
	b.createProject(ctx, t, "Web shop")
	for _, who := range []*person{{Name: "Ada", Look: "light"}, {Name: "Alan", Look: "phone", Plain: true}} {
		got := b.do(ctx, t, command{
			Do: "askSQL", Person: who, URL: p.url, Name: "Projects of " + who.Name,
			Text: "SELECT slug, issue_count FROM projects", Value: "web-shop", Refusal: "No such column: wrong. (line 1, character 8)",
		})
		if csv := string(got.Files["Projects of "+who.Name+".csv"]); !strings.HasPrefix(csv, "slug,issue_count\n") || !strings.Contains(csv, "\nweb-shop,0\n") {
			t.Errorf("%s downloaded %q of %d files", who.Name, csv, len(got.Files))
		}
	}
	b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: map[string]string{"sql": p.url + "/sql", "database": p.url + "/system/database"}})
}
