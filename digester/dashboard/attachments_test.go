package dashboard

import (
	"crypto/sha256"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// attach stores a file of an event or of feedback.
func (s *site) attach(of event.ID, name, contentType string, content []byte) {
	s.t.Helper()
	s.aside(&store.Incoming{
		EventID: of, Category: store.CategoryAttachment, Encoding: wire.EncodingIdentity, Body: content,
		Attachment: &store.Attachment{Name: name, ContentType: contentType, Type: "event.attachment", Size: int64(len(content)), SHA256: sha256.Sum256(content)},
	})
}

// write stores feedback.
func (s *site) write(id event.ID, f event.Feedback) {
	s.t.Helper()
	s.aside(&store.Incoming{EventID: id, Category: store.CategoryFeedback, Feedback: &store.Feedback{FeedbackID: id, Feedback: f}})
}

func (s *site) aside(in *store.Incoming) {
	s.t.Helper()
	s.seq++
	in.Instance, in.Seq, in.Project, in.ReceivedAt = wire.InstanceID{1}, s.seq, s.project.ID, testNow
	if result, err := s.db.Digest(s.t.Context(), in); err != nil || result != store.Stored {
		s.t.Fatalf("result %v, error %v", result, err)
	}
}

// TestAttachments: files are on their event's page, and are downloaded as they came,
// whatever they are.
func TestAttachments(t *testing.T) {
	s := newSite(t, nil)
	ev := s.message("it broke", testNow)
	other := s.message("another", testNow)
	page := []byte("<script>alert(1)</script>\x00\xff\r\n")
	s.attach(ev.ID, "page.html", "text/html", page)
	s.attach(ev.ID, "shot.svg", "image/svg+xml", []byte(`<svg onload="alert(1)"/>`))
	s.attach(ev.ID, "empty.bin", "", nil)
	mustContain(t, s.mustGet(fmt.Sprintf("/issues/%d/events/1", ev.Issue)),
		`<a href="/projects/1/attachments/1" download>page.html</a> <span class="muted">29 B · text/html</span>`, "shot.svg", "empty.bin")
	mustLack(t, s.mustGet(fmt.Sprintf("/issues/%d/events/1", other.Issue)), "page.html", "Attachments")

	resp := s.get("/projects/1/attachments/1")
	mustStatus(t, resp, http.StatusOK)
	if body := bodyOf(t, resp); body != string(page) {
		t.Errorf("downloaded %q", body)
	}
	for name, want := range map[string]string{
		"Content-Type":                 "application/octet-stream",
		"Content-Disposition":          "attachment; filename=page.html",
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "sandbox; default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Length":               "29",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, id := range []string{"2", "3"} {
		h := s.get("/projects/1/attachments/" + id).Header
		if h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") {
			t.Errorf("attachment %s: %v", id, h)
		}
	}
	for _, path := range []string{"/projects/1/attachments/4", "/projects/1/attachments/x", "/projects/2/attachments/1"} {
		mustStatus(t, s.get(path), http.StatusNotFound)
	}
}

// TestAttachmentOfOthers: who has no role in a project gets nothing of it, not by way
// of their own either.
func TestAttachmentOfOthers(t *testing.T) {
	s := newSite(t, nil)
	ev := s.message("it broke", testNow)
	s.attach(ev.ID, "log.txt", "", []byte("secret"))
	paths := []string{"/projects/1/attachments/1", "/projects/1/feedback"}
	stranger := s.signInAs("stranger@example.com", access.None)
	s.mustWrite(func(tx *store.Tx) error {
		theirs, err := tx.CreateProject("Theirs")
		if err != nil {
			return err
		}
		team, err := tx.CreateTeam("Strangers")
		if err != nil {
			return err
		}
		if err := tx.SetTeamMember(team.ID, stranger.ID, access.Owner); err != nil {
			return err
		}
		return tx.SetProjectTeam(theirs.ID, team.ID)
	})
	mustStatus(t, s.get("/projects/2/feedback"), http.StatusOK)
	for _, path := range append(paths, "/projects/2/attachments/1") {
		mustStatus(t, s.get(path), http.StatusNotFound)
	}
	s.signOut()
	for _, path := range paths {
		resp := s.get(path)
		if body := bodyOf(t, resp); resp.StatusCode == http.StatusOK || strings.Contains(body, "secret") {
			t.Errorf("%s: nobody got status %d", path, resp.StatusCode)
		}
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"log.txt":                          "log.txt",
		"":                                 "attachment",
		"../../etc/passwd":                 "passwd",
		`C:\logs\app.log`:                  "app.log",
		"a/":                               "attachment",
		"..":                               "attachment",
		".bashrc":                          "bashrc",
		"evil.exe. ":                       "evil.exe",
		"x\r\nSet-Cookie: a=b":             "xSet-Cookie_ a=b",
		"\u202egnp.exe":                    "gnp.exe",
		"a\u200b\u2066b\x00.txt":           "ab.txt",
		`quote"name ü.json`:                "quote_name ü.json",
		"100%.txt":                         "100_.txt",
		"a\xffb":                           "ab",
		strings.Repeat("ü", 200) + ".json": strings.Repeat("ü", 72) + ".json",
		strings.Repeat("a", 200) + "." + "bbbbbbbbbbbbbbbbbbbbbbbbb": strings.Repeat("a", 150),
	} {
		if got := fileName(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

// FuzzFileName: whatever a client calls a file, the header has one line, and a reader
// of it gets a name that stays in its folder.
func FuzzFileName(f *testing.F) {
	for _, name := range []string{"log.txt", "../a", "\r\nX: y", `"; filename="b`, "\u202ea", strings.Repeat("ü", 300), hostile, "a\\..\\b", "%2e%2e%2f"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		safe := fileName(name)
		if safe == "" || len(safe) > maxFileName || !utf8.ValidString(safe) || strings.ContainsAny(safe, "/\\\r\n\x00\"") || strings.HasPrefix(safe, ".") || strings.HasSuffix(safe, ".") || fileName(safe) != safe {
			t.Errorf("%q became %q", name, safe)
		}
		header := mime.FormatMediaType("attachment", map[string]string{"filename": safe})
		if strings.ContainsAny(header, "\r\n") {
			t.Errorf("header %q", header)
		}
		if how, params, err := mime.ParseMediaType(header); err != nil || how != "attachment" || params["filename"] != safe {
			t.Errorf("header %q reads as %q %v, %v", header, how, params, err)
		}
	})
}

func TestFeedback(t *testing.T) {
	s := newSite(t, nil)
	mustContain(t, s.mustGet("/projects/1/feedback"), "No feedback yet")
	ev := s.message("it broke", testNow)
	s.write(event.ID{1}, event.Feedback{Name: "Ada", Email: "ada@example.com", Message: "It does\nnothing", URL: "https://shop.example.com/pay", About: ev.ID})
	s.write(event.ID{2}, event.Feedback{Email: "bob@example.com", Message: "Of an event that never came", URL: "javascript:alert(1)", About: event.ID{0xab}})
	s.write(event.ID{3}, event.Feedback{Message: "Hello"})
	s.attach(event.ID{3}, "shot.png", "image/png", []byte("png"))
	page := s.mustGet("/projects/1/feedback")
	mustContain(t, page, "Ada", "ada@example.com", "It does\nnothing", fmt.Sprintf(`About <a href="/issues/%d/events/1">WEB-SHOP-1 it broke</a>`, ev.Issue),
		`<a href="https://shop.example.com/pay" rel="noopener noreferrer nofollow">`, "bob@example.com", "which is not stored", "Anonymous",
		`<a href="/projects/1/attachments/1" download>shot.png</a>`)
	assertInert(t, "/projects/1/feedback", page)
	own := s.mustGet(fmt.Sprintf("/issues/%d/events/1", ev.Issue))
	mustContain(t, own, "User feedback", "It does\nnothing")
	mustLack(t, own, "Hello", "About <a")
	mustContain(t, s.mustGet("/projects/1/issues"), `href="/projects/1/feedback"`)

	for n := range feedbackPerPage {
		s.write(event.ID{9, byte(n)}, event.Feedback{Message: fmt.Sprintf("number %d.", n)})
	}
	newest := s.mustGet("/projects/1/feedback")
	mustContain(t, newest, "number 0.", "number 49.", `href="/projects/1/feedback?before=4"`)
	mustLack(t, newest, "Hello")
	older := s.mustGet("/projects/1/feedback?before=4")
	mustContain(t, older, "Hello", "It does", `href="/projects/1/feedback"`)
	mustLack(t, older, "number 0.")
	mustContain(t, s.mustGet("/projects/1/feedback?before=1"), "No older feedback")
}

// TestAsideInjection: names of files and what people write, in every place that shows
// them.
func TestAsideInjection(t *testing.T) {
	for _, text := range []string{hostile, "javascript:alert(1)", "\u202e</title><svg onload=alert(1)>\r\nSet-Cookie: x=y"} {
		s := newSite(t, nil)
		ev := s.message("it broke", testNow)
		s.attach(ev.ID, text, text, []byte(text))
		s.write(event.ID{1}, event.Feedback{Name: text, Email: text, Message: text, URL: text, About: ev.ID})
		s.write(event.ID{2}, event.Feedback{Name: text, Message: text, URL: "https://example.com/" + text})
		s.attach(event.ID{2}, text+".html", text, []byte(text))
		for _, path := range []string{fmt.Sprintf("/issues/%d", ev.Issue), fmt.Sprintf("/issues/%d/events/1", ev.Issue), "/projects/1/feedback"} {
			assertInert(t, path, s.mustGet(path))
		}
		for _, path := range []string{"/projects/1/attachments/1", "/projects/1/attachments/2"} {
			resp := s.get(path)
			if resp.Header.Get("Set-Cookie") != "" || strings.ContainsAny(resp.Header.Get("Content-Disposition"), "\r\n") || bodyOf(t, resp) != text {
				t.Errorf("%s: %v", path, resp.Header)
			}
		}
	}
}
