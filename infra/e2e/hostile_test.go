//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sundew/schema/event/eventtest"
)

// attack breaks out of every place where escaping was forgotten, and then opens a
// dialog, which the browser's tabs report.
const attack = `</title><script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "`${alert(1)}`"

// hostile fills all that programs and people can name with attacks and looks at each
// page: nothing may run, load, or hinder a reader.
func (w *walk) hostile(ctx context.Context, t *testing.T) {
	made := w.do(ctx, t, w.ada, command{Do: "startProject", URL: w.url, Name: attack[:60]})
	id := fmt.Sprintf(`{"event_id":"%032x",`, time.Now().UnixNano())
	w.send(ctx, t, made.DSN, append([]byte(id), bytes.TrimPrefix(eventtest.Hostile(attack), []byte("{"))...))
	issue := w.do(ctx, t, w.ada, command{Do: "awaitFirstEvent", Text: "alert(1)"}).At
	project := strings.TrimSuffix(made.At, "/setup")
	w.do(ctx, t, w.ada, command{Do: "saveSearch", Issues: project + "/issues", Value: `"script" title:*alert*`, Name: attack[:40]})
	w.b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: map[string]string{
		"hostile-setup":        made.At,
		"hostile-issues":       project + "/issues",
		"hostile-issue":        issue,
		"hostile-event":        issue + "/events/1",
		"hostile-audit":        project + "/audit",
		"hostile-releases":     project + "/releases",
		"hostile-release":      project + "/release?version=" + url.QueryEscape(attack),
		"hostile-settings":     project + "/settings",
		"hostile-environments": project + "/settings/environments",
		"hostile-delete":       project + "/settings/delete",
		"hostile-team":         w.url + "/teams/1",
	}})
}

// pictures leaves pictures of every page that has no event of an SDK in it.
func (w *walk) pictures(ctx context.Context, t *testing.T, s shop) {
	project := strings.TrimSuffix(s.issues, "/issues")
	pages := map[string]string{}
	for name, path := range map[string]string{
		"shop-issues": project + "/issues", "shop-issue": s.issue, "shop-event": s.issue + "/events/1", "shop-events": s.issue + "/events",
		"shop-search": project + "/issues?q=is:unresolved+browser:Safari", "all-issues": "/issues", "team-issues": "/teams/1/issues",
		"quiet": project + "/quiet", "teams": "/teams", "team": "/teams/1", "invite": "/teams/1/invite",
		"users": "/users", "user": "/users/2", "audit": "/audit", "mail": "/mail",
		"account": "/account", "sessions": "/account/sessions", "dead-letters": "/dead-letters", "project-tokens": project + "/tokens",
		"shop-setup": project + "/setup", "releases": project + "/releases", "release": project + "/release?version=shop%401.3.0", "deleted-projects": "/projects/deleted",
		"settings": project + "/settings", "keys": project + "/settings/keys", "domains": project + "/settings/domains", "grouping": project + "/settings/grouping",
		"retention": project + "/settings/retention", "person": project + "/settings/person", "all-persons": "/person", "environments": project + "/settings/environments", "project-members": project + "/settings/members", "delete-project": project + "/settings/delete", "project-audit": project + "/audit",
		"shortcuts": "/shortcuts", "merge": s.issue + "/merge",
	} {
		if strings.HasPrefix(path, "/") {
			path = w.url + path
		}
		pages[name] = path
	}
	w.b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: pages})
	link := w.do(ctx, t, w.ada, command{Do: "invite", URL: w.url, Email: "barbara@example.com", Role: "member"}).Link
	w.b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Stranger: true, Pages: map[string]string{
		"sign-in": w.url + "/sign-in", "forgot": w.url + "/forgot", "invitation": link,
	}})
}
