//go:build e2e

package e2e

import "testing"

// TestSystem: who owns an installation is told by the menu's page whether it works, at a
// desk and on a phone, and what to do if not.
func TestSystem(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	for name, c := range map[string]struct {
		env         []string
		state, text string
	}{
		"well": {nil, "Everything works.", "There is room on the disk"},
		// No disk has as much room.
		"full": {[]string{"SUNDEW_DISK_FREE=4000000000000000000"}, "It works now, but the disk is almost full.", "Make room where SUNDEW_DATA is"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProduct(ctx, t, c.env...)
			b := startBrowser(ctx, t, p)
			for _, who := range []*person{{Name: "Ada", Look: "light"}, {Name: "Grace", Look: "night"}, {Name: "Alan", Look: "phone", Plain: true}} {
				b.do(ctx, t, command{Do: "readSystem", Person: who, URL: p.url, State: c.state, Text: c.text})
			}
			b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: map[string]string{"system-" + name: p.url + "/system"}})
		})
	}
}
