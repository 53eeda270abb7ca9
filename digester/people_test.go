package main

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sundew/digester/mail/mailtest"
	"sundew/infra/visitor"
)

// linkIn returns the path of the dashboard's address in a letter.
func linkIn(t *testing.T, letter mailtest.Letter, primary string) string {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(primary) + `(/\S+)`).FindStringSubmatch(letter.Text)
	if found == nil {
		t.Fatalf("no link in %q", letter.Text)
	}
	return found[1]
}

// wants fails unless a page is there and says something.
func (b *browser) wants(path, words string) {
	b.t.Helper()
	if status, page := b.get(path); status != http.StatusOK || !strings.Contains(page, words) {
		b.t.Errorf("%s: status %d, wants %q\n%s", path, status, words, page)
	}
}

// sends fails unless a form leads to a page that says something.
func (b *browser) sends(path string, form url.Values, words string) {
	b.t.Helper()
	if status, page := b.post(path, form); status != http.StatusOK || !strings.Contains(page, words) {
		b.t.Errorf("%s: status %d, wants %q\n%s", path, status, words, page)
	}
}

// waitStatus waits until a page answers with a status: the copy has what it is about.
func (b *browser) waitStatus(path string, want int) {
	b.t.Helper()
	waitFor(b.t, path, func() bool {
		status, _ := b.get(path)
		return status == want
	})
}

// People by the dashboard of a copy, whose forms are the primary's to answer: an owner
// invites by mail, the invited makes an account, forgets the password and sets another
// by mail, and who is locked out gets a link of the command.
func TestPeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	letters := mailtest.Start(t)
	env := map[string]string{
		"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_BACKUP": "file://" + dir + "/backup?every=20ms",
		"SUNDEW_SMTP": letters.URL, "SUNDEW_MAIL_FROM": "Sundew <errors@example.com>"}
	primary := startServiceWith(t, env)
	copyURL, _ := startViewer(t, map[string]string{
		"SUNDEW_DATA": filepath.Join(dir, "copy"), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_FOLLOW": "file://" + dir + "/backup",
		"SUNDEW_PRIMARY_URL": primary.url})
	owner, ada, bob := newBrowser(t, copyURL), newBrowser(t, copyURL), newBrowser(t, copyURL)
	owner.waitUntilReady()
	owner.signIn()
	owner.wants("/teams/1/invite", "Send by mail") // which only the primary knows
	owner.sends("/teams/1/invite", url.Values{"email": {"ada@example.com"}, "role": {"member"}, "by": {"mail"}}, "on its way")

	link := linkIn(t, letters.Next(), primary.url)
	ada.waitStatus(link, http.StatusOK)
	ada.sends(link, url.Values{"name": {"Ada"}, "password": {"correct horse battery"}}, "Welcome to the team")
	ada.wants("/account", "ada@example.com")
	owner.waitStatus("/users/2", http.StatusOK)
	owner.wants("/audit", "accepted an invitation")
	if status, _ := ada.get("/users"); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}

	bob.wants("/forgot", "Send the link")
	bob.sends("/forgot", url.Values{"email": {"ada@example.com"}}, "If ada@example.com has an account")
	bob.sends("/forgot", url.Values{"email": {"bob@example.com"}}, "If bob@example.com has an account")
	link = linkIn(t, letters.Next(), primary.url)
	bob.waitStatus(link, http.StatusOK)
	bob.sends(link, url.Values{"password": {"another good password"}}, "Sign in with the new one")
	ada.waitStatus("/account", http.StatusUnauthorized)
	ada.sends("/sign-in", url.Values{"email": {"ada@example.com"}, "password": {"another good password"}}, "My project")
	if l := letters.Next(); !strings.Contains(l.Text, "set anew") {
		t.Errorf("text %q", l.Text)
	}
	resetByCommand(t, env, primary)
}

// resetByCommand lets the owner in again.
func resetByCommand(t *testing.T, env map[string]string, primary *running) {
	t.Helper()
	getenv := func(name string) string {
		if name == "SUNDEW_URL" {
			return primary.url
		}
		return env[name]
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"user", "reset", "nobody@example.com"}, getenv, &out, &out); code != exitFailed || !strings.Contains(out.String(), "no account") {
		t.Errorf("code %d: %s", code, &out)
	}
	if code := run(t.Context(), []string{"user", "reset"}, getenv, io.Discard, io.Discard); code != exitUsage {
		t.Errorf("code %d", code)
	}
	out.Reset()
	if code := run(t.Context(), []string{"user", "reset", visitor.Email}, getenv, &out, &out); code != exitOK {
		t.Fatalf("code %d: %s", code, &out)
	}
	link := linkIn(t, mailtest.Letter{Text: out.String()}, primary.url)
	locked := newBrowser(t, primary.url)
	locked.sends(link, url.Values{"password": {"a third good password"}}, "Sign in with the new one")
	locked.sends("/sign-in", url.Values{"email": {visitor.Email}, "password": {"a third good password"}}, "My project")
}
